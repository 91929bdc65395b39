import CRoost
import Glibc
import RoostBasics
import RoostLoop
import RoostProcess

/// A host to be killed: prints the pids of what it started, one line each, then `ready`.
enum FixtureHost {
    static func run(plugin path: String, options: [String]) throws {
        let loop = try Loop()
        let plugin = unsafe open(path, O_RDONLY)
        var settings = NurserySettings(binary: "/proc/self/exe")
        settings.allowsForks = options.contains("forks")
        var nursery: Nursery?
        let (sockets, doorbell) = (try pair(), roost_output_pipe())
        nursery = try Nursery(on: loop, settings: settings) { event in
            switch event {
            case .templateLoaded(let template, _):
                try? nursery?.fork(
                    InstanceID(rawValue: 1), from: template,
                    descriptors: [doorbell.second, doorbell.second, sockets.theirs])
            case .instanceStarted(_, let process):
                say("\(nursery?.processID ?? 0)\n\(process)")
                for option in options { ask(option, sockets.ours) }
                say("ready")
            case .templateFailed, .nurseryLost, .instanceExited:
                say("# \(event)")
                exit(1)
            case .warning, .templateExited, .callRefused, .output, .used: say("# \(event)")
            }
        }
        var order = TemplateOrder(label: "killed@1", plugin: plugin)
        order.isForkSafe = true
        try nursery?.startTemplate(TemplateID(rawValue: 1), order)
        loop.run()
    }

    private static func ask(_ request: String, _ socket: Int32) {
        var reply = [UInt8](repeating: 0, count: 256)
        _ = unsafe send(socket, request, request.utf8.count, 0)
        _ = unsafe recv(socket, &reply, reply.count, 0)
    }

    private static func pair() throws -> (ours: Int32, theirs: Int32) {
        var pair: [Int32] = [0, 0]
        guard unsafe socketpair(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue), 0, &pair) == 0 else {
            throw RoostError(.system, "socketpair")
        }
        return (pair[0], pair[1])
    }

    private static func say(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        _ = unsafe write(1, bytes, bytes.count)
    }
}
