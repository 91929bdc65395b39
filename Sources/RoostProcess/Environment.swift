internal import CRoost
internal import Glibc

/// What the processes below the host see of the environment.
enum Environment {
    /// Executes the starter with `variables`, and without Swift's crash handler: it costs 10 to 18 ms per crash and
    /// prints registers and memory into people's logs.
    static func spawn(_ binary: Int32, _ control: Int32, _ variables: [String: String]) -> roost_spawned {
        var all = variables
        // Symbols are found once, in the nursery, and not by every fork again.
        all["LD_BIND_NOW"] = "1"
        all["SWIFT_BACKTRACE"] = "enable=no"
        var texts = unsafe all.map { unsafe strdup("\($0.key)=\($0.value)") }
        unsafe texts.append(nil)
        defer { unsafe texts.forEach { unsafe free($0) } }
        return unsafe roost_spawn_starter(binary, control, texts)
    }
}
