import CRoost
import Foundation
import RoostBasics
import RoostLoop
import RoostProcess
import Testing

/// A host without anything above its processes: a loop, a nursery, and all that was reported.
final class World {
    let loop: Loop
    private var made: Nursery?
    var nursery: Nursery {
        guard let made else { preconditionFailure("used before it was made") }
        return made
    }
    private(set) var events: [NurseryEvent] = []
    private let guardTimer: RoostLoop.Timer
    private var isLate = false
    private var nextTemplate: UInt32 = 1
    private var nextInstance: UInt32 = 1

    init(_ adjust: (inout NurserySettings) -> Void = { _ in }) throws {
        loop = try Loop()
        guardTimer = try RoostLoop.Timer(on: loop)
        var settings = NurserySettings(binary: try Fixtures.binary())
        adjust(&settings)
        made = try Nursery(on: loop, settings: settings) { [unowned self] in events.append($0) }
        // Not a measure of anything: only so that a broken test ends.
        try guardTimer.start(after: .seconds(30)) { [unowned self] in isLate = true }
    }

    /// Turns the loop until `condition`.
    func run(until condition: () -> Bool) throws {
        while !condition() {
            guard !isLate else {
                throw RoostError(.deadline, "nothing more came after \(events.suffix(6))")
            }
            loop.runOnce()
        }
    }

    func first<Found>(_ find: (NurseryEvent) -> Found?) throws -> Found {
        try run { events.contains { find($0) != nil } }
        return try #require(events.lazy.compactMap(find).first)
    }

    // MARK: acts

    func start(
        _ defines: [String] = [], _ adjust: (inout TemplateOrder) -> Void = { _ in }
    ) throws -> TemplateID {
        let id = TemplateID(rawValue: nextTemplate)
        nextTemplate += 1
        let path = try Fixtures.plugin(defines)
        let file = unsafe open(path, O_RDONLY)
        defer { close(file) }
        var order = TemplateOrder(label: "misdeeds@1", plugin: file)
        order.isForkSafe = true
        adjust(&order)
        try nursery.startTemplate(id, order)
        return id
    }

    func load(_ defines: [String] = [], _ adjust: (inout TemplateOrder) -> Void = { _ in }) throws -> TemplateID {
        let id = try start(defines, adjust)
        _ = try report(id)
        return id
    }

    func report(_ id: TemplateID) throws -> LoadReport {
        let outcome = try first { event -> Result<LoadReport, RoostError>? in
            switch event {
            case .templateLoaded(id, let report): .success(report)
            case .templateFailed(id, let error): .failure(error)
            default: nil
            }
        }
        return try outcome.get()
    }

    func failure(_ id: TemplateID) throws -> RoostError {
        let error = try first { if case .templateFailed(id, let error) = $0 { error } else { nil } }
        _ = try end(id)
        return error
    }

    func end(_ id: TemplateID) throws -> RoostProcess.ExitStatus {
        try first { if case .templateExited(id, let status) = $0 { status } else { nil } }
    }

    func end(_ id: InstanceID) throws -> RoostProcess.ExitStatus {
        try first { if case .instanceExited(id, let status) = $0 { status } else { nil } }
    }

    func output(_ id: TemplateID) -> String {
        String(
            decoding: events.flatMap { if case .output(id, let bytes) = $0 { bytes } else { [UInt8]() } }, as: UTF8.self
        )
    }

    func fork(_ template: TemplateID) throws -> Forked {
        let id = InstanceID(rawValue: nextInstance)
        nextInstance += 1
        let forked = try Forked(id)
        try nursery.fork(id, from: template, descriptors: forked.theirs)
        forked.closeTheirs()
        // The template asks before it forks, and an instance is asked without the loop.
        try run { events.contains { $0.isStartOrEnd(of: id) } }
        return forked
    }

    func process(_ instance: Forked) throws -> Int32 {
        try first { if case .instanceStarted(instance.id, let process) = $0 { process } else { nil } }
    }

    /// Asks while the loop turns: refused calls wait for the host.
    func ask(_ instance: Forked, _ request: String) throws -> String {
        var reply: String?
        let poll = try Poll(instance.bodiesDescriptor, for: .readable, on: loop) { _ in reply = instance.replyIfThere()
        }
        defer {
            poll.close()
            instance.waitAgain()  // libuv made it non-blocking
        }
        instance.begin(request)
        try run { reply != nil }
        return reply ?? ""
    }

    /// Ends everything, and expects nothing to be left on the loop.
    func shutDown() throws {
        var isDone = false
        nursery.shutDown { isDone = true }
        try run { isDone }
        guardTimer.close()
        loop.run()
        #expect(loop.openHandles == 0)
    }
}

extension NurseryEvent {
    fileprivate func isStartOrEnd(of instance: InstanceID) -> Bool {
        switch self {
        case .instanceStarted(instance, _), .instanceExited(instance, _): true
        default: false
        }
    }
}

/// The test's ends of an instance's descriptors.
final class Forked {
    let id: InstanceID
    private let doorbell: [Int32]
    private let bodies: [Int32]
    var theirs: [Int32] { [doorbell[1], doorbell[1], bodies[1]] }

    init(_ id: InstanceID) throws {
        self.id = id
        let pipe = roost_output_pipe()
        let pair = roost_control_pair()
        try #require(pipe.status == 0 && pair.status == 0)
        _ = fcntl(pipe.first, F_SETFL, 0)  // blocking
        (doorbell, bodies) = ([pipe.first, pipe.second], [pair.first, pair.second])
    }

    func closeTheirs() {
        close(doorbell[1])
        close(bodies[1])
    }

    /// The time of its first instruction; 0 when it ended before.
    func firstInstruction() -> UInt64 {
        var time: UInt64 = 0
        _ = unsafe read(doorbell[0], &time, 8)
        return time
    }

    var doorbellDescriptor: Int32 { doorbell[0] }
    var bodiesDescriptor: Int32 { bodies[0] }

    /// The plugin's answer; empty when the instance ended instead.
    func ask(_ request: String) -> String {
        var reply = [UInt8](repeating: 0, count: 4096)
        guard unsafe send(bodies[0], request, request.utf8.count, Int32(MSG_NOSIGNAL)) > 0 else { return "" }
        let count = unsafe recv(bodies[0], &reply, reply.count, 0)
        return String(decoding: reply.prefix(max(0, count)), as: UTF8.self)
    }

    func waitAgain() { _ = fcntl(bodies[0], F_SETFL, 0) }

    func begin(_ request: String) {
        _ = unsafe send(bodies[0], request, request.utf8.count, Int32(MSG_NOSIGNAL))
    }

    func replyIfThere() -> String? {
        var reply = [UInt8](repeating: 0, count: 4096)
        let count = unsafe recv(bodies[0], &reply, reply.count, Int32(MSG_DONTWAIT))
        return count < 0 ? nil : String(decoding: reply.prefix(count), as: UTF8.self)
    }

    /// It then serves no more and returns.
    func letGo() { shutdown(bodies[0], Int32(SHUT_RDWR)) }

    deinit {
        close(doorbell[0])
        close(bodies[0])
    }
}
