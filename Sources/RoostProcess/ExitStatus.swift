/// How a process ended, in words for status and logs.
public enum ExitStatus: Hashable, Sendable, CustomStringConvertible {
    /// It called exit, or returned.
    case exited(code: Int32)
    case killed(signal: Int32)
    /// Nobody could see how: the nursery is gone, or the process never showed up.
    case lost(String)

    /// From waitid: `how` is CLD_EXITED, CLD_KILLED or CLD_DUMPED.
    init(how: Int32, value: Int32) { self = how == 1 ? .exited(code: value) : .killed(signal: value) }

    public var description: String {
        switch self {
        case .exited(let code): "called exit(\(code))"
        case .killed(let signal): "killed by signal \(signal) (\(Self.name(of: signal)))"
        case .lost(let reason): "lost: \(reason)"
        }
    }

    private static func name(of signal: Int32) -> String {
        let names: [Int32: String] = [
            1: "hangup", 2: "interrupt", 3: "quit", 4: "illegal instruction", 5: "trap", 6: "abort", 7: "bus error",
            8: "arithmetic error", 9: "kill", 11: "segmentation fault", 13: "broken pipe", 14: "alarm",
            15: "terminate", 24: "time limit", 25: "file size limit", 31: "bad system call",
        ]
        return names[signal] ?? "signal \(signal)"
    }
}
