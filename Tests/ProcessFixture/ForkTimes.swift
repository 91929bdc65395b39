import CRoost
import Glibc
import RoostBasics
import RoostLoop
import RoostProcess

/// Measures what a template and its instances cost in time: `measure PLUGIN [MODEL]` prints medians.
///
/// A fork is timed from the host's call to the instance's first instruction, and to the host seeing its doorbell.
final class ForkTimes {
    private static let forks = 300
    private let loop: Loop
    private var nursery: Nursery?
    private let template = TemplateID(rawValue: 1)
    private let doorbell = roost_output_pipe()
    private var poll: Poll?
    private var began: UInt64 = 0
    private var count: UInt32 = 0
    private var toInstruction: [UInt64] = []
    private var toDoorbell: [UInt64] = []

    static func run(_ arguments: [String]) throws {
        let measured = try ForkTimes()
        try measured.start(arguments)
        measured.loop.run()
    }

    private init() throws { loop = try Loop() }

    private func start(_ arguments: [String]) throws {
        began = roost_now_ns()
        nursery = try Nursery(on: loop, settings: NurserySettings(binary: "/proc/self/exe")) { [unowned self] in
            heard($0)
        }
        var order = TemplateOrder(label: "measured@1", plugin: unsafe open(arguments[0], O_RDONLY))
        order.isForkSafe = true
        if arguments.count > 1 { order.model = .file(unsafe open(arguments[1], O_RDONLY)) }
        try nursery?.startTemplate(template, order)
        poll = try Poll(doorbell.first, for: .readable, on: loop) { [unowned self] _ in rang() }
    }

    private func heard(_ event: NurseryEvent) {
        switch event {
        case .templateLoaded(_, let report):
            say("nursery and first template", [roost_now_ns() - began])
            say("of that, load", [report.loadNanoseconds])
            fork()
        case .instanceExited:
            rang()  // the end may be seen before the doorbell
            count < Self.forks ? fork() : end()
        case .instanceStarted, .warning, .output, .templateExited, .callRefused, .used: break
        case .templateFailed, .nurseryLost: fatalError("\(event)")
        }
    }

    private func fork() {
        count += 1
        let bodies = roost_control_pair()
        began = roost_now_ns()
        do throws(RoostError) {
            try nursery?.fork(
                InstanceID(rawValue: count), from: template,
                descriptors: [doorbell.second, doorbell.second, bodies.second])
        } catch { fatalError("\(error)") }
        close(bodies.first)  // it finds nobody to serve and ends
        close(bodies.second)
    }

    private func rang() {
        var time: UInt64 = 0
        guard unsafe read(doorbell.first, &time, 8) == 8 else { return }
        toInstruction.append(time - began)
        toDoorbell.append(roost_now_ns() - began)
    }

    private func end() {
        say("fork to first instruction", toInstruction)
        say("fork to doorbell", toDoorbell)
        poll?.close()
        nursery?.shutDown {}
    }

    private func say(_ what: String, _ times: [UInt64]) {
        let sorted = times.sorted()
        let (half, most) = (sorted[sorted.count / 2], sorted[sorted.count * 99 / 100])
        print("\(what): p50 \(half / 1000) us, p99 \(most / 1000) us of \(times.count)")
    }
}
