import CRoost
import Glibc
import RoostBasics
import RoostLoop
import RoostProcess

/// The input is what a template says over its control socket once foreign code runs in it: messages of any kind, in any
/// order, some of them shorter than messages are, some with descriptors. The host believes none of it, and hears of each
/// instance once at most, and only of those that it had asked for.
func fuzzControl(_ input: [UInt8]) throws {
    let loop = try Loop()
    let plugin = open("/dev/null", O_RDONLY | O_CLOEXEC)
    defer { close(plugin) }
    var order = TemplateOrder(label: "fuzz@1", plugin: plugin)
    order.modelMemoryBytes = 1 << 20
    var signals: [TemplateSignal] = []
    let (template, socket) = try Template.alone(order, NurserySettings(binary: "none"), on: loop) { signals.append($0) }
    defer { close(socket) }
    var program = Choices(input)
    var pending: Set<UInt32> = []
    say(message(ROOST_SANDBOXED.rawValue, &program), to: socket)
    template.listen()
    for number in 0..<40 as Range<UInt32> where !program.isEmpty {
        let what = program.byte()
        if what % 8 == 7 {
            if (try? template.fork(InstanceID(rawValue: number), [plugin, plugin, plugin])) != nil {
                pending.insert(number)
            }
            continue
        }
        let kind = what % 8 == 6 ? UInt32(program.byte()) : ROOST_ASK_MODEL_MEMORY.rawValue + UInt32(what % 6)
        say(
            message(kind, &program), to: socket, cutTo: what & 64 == 0 ? nil : Int(program.byte()), plugin,
            what >> 7 == 1)
        template.listen()
    }
    let (_, single) = template.ended(.exited(code: 0))
    template.close()
    loop.run()
    try check(signals, pending, single)
}

private func message(_ kind: UInt32, _ program: inout Choices) -> roost_message {
    var message = roost_message()
    message.kind = kind
    message.flags = program.integer(UInt32.self)
    message.instance_id = UInt32(program.byte())
    message.process = program.integer(Int32.self)
    message.status = program.integer(Int32.self)
    message.bytes = program.integer(UInt64.self)
    let report = program.take(MemoryLayout<roost_report>.size)
    withUnsafeMutableBytes(of: &message.report) { $0.copyBytes(from: report) }
    return message
}

/// MSG_DONTWAIT
private let dontWait: Int32 = 0x40

private func say(
    _ message: roost_message, to socket: Int32, cutTo count: Int? = nil, _ descriptor: Int32 = -1, _ sends: Bool = false
) {
    if let count {
        withUnsafeBytes(of: message) { _ = send(socket, $0.baseAddress, min(count, $0.count), dontWait) }
        return
    }
    var descriptors = roost_descriptors()
    if sends { (descriptors.count, descriptors.at.0) = (1, descriptor) }
    _ = roost_send(socket, message, descriptors)
}

private func check(_ signals: [TemplateSignal], _ pending: Set<UInt32>, _ single: InstanceID?) throws {
    var (loaded, answered) = (0, Set<UInt32>())
    for signal in signals {
        if case .loaded = signal { loaded += 1 }
        guard let instance = signal.answered else { continue }
        try expect(pending.contains(instance.rawValue), "an answer for \(instance), which was not asked for")
        try expect(answered.insert(instance.rawValue).inserted, "two answers for \(instance)")
    }
    try expect(loaded <= 1, "it loaded \(loaded) times")
    if let single { try expect(answered.contains(single.rawValue), "it became \(single), which nobody asked for") }
}

extension TemplateSignal {
    /// The instance that it is an answer for.
    fileprivate var answered: InstanceID? {
        if case .forked(let instance, _, _) = self { return instance }
        if case .forkRefused(let instance, _) = self { return instance }
        return nil
    }
}
