internal import RoostBasics
internal import RoostChannel
internal import RoostLoop
internal import RoostProcess

/// One template, one instance, one request: what `roost predict FILE` needs of a host.
final class SingleAnswer: TemplateOwner, InstanceOwner {
    private let bench: Workbench
    private let instance: InstanceID
    private var channel: HostChannel?
    private var outcome: Result<(status: Int, body: [UInt8]), RoostError>?
    private var printed = OutputLog()

    init(_ bench: Workbench) {
        self.bench = bench
        instance = bench.processes.nameInstance()
    }

    func answer(
        _ artifact: Artifact, label: String, _ body: [UInt8], contentType: String, accept: String?
    ) throws(RoostError) -> (status: Int, body: [UInt8]) {
        bench.processes.instanceOwner = self
        do {
            let channel = try HostChannel()
            self.channel = channel
            let type = Array(contentType.utf8)
            let header = RequestHeader(
                id: RequestID(slot: 1, generation: 1), operation: .predict, contentType: MediaType(header: type.bytes),
                accept: accept == "csv" || accept == "text/csv" ? .csv : .json, arrived: bench.loop.now,
                deadline: bench.loop.now + .seconds(30))
            guard try channel.send(header, contentTypeText: type.bytes, body: body.bytes) != nil else {
                throw RoostError(.tooLarge, "the body has \(body.count) bytes, too many for one request")
            }
            let doorbells = try Doorbells()
            try doorbells.add(channel.doorbell, tag: 0)
            let poll = try Poll(doorbells.descriptor, for: .readable, on: bench.loop) { [unowned self] _ in
                doorbells.takeRung { _ in }
                receive()
            }
            defer { poll.close() }
            guard channel.prepareToSleep() else { throw RoostError(.system, "a reply before the request") }
            _ = try bench.processes.load(artifact, label: label, LoadSettings(), owner: self)
            bench.loop.run()
        } catch let error as RoostError {
            throw error
        } catch {
            throw RoostError(.system, "\(error)")
        }
        guard let outcome else { throw RoostError(.system, "there was no answer") }
        return try outcome.get()
    }

    private func receive() {
        do throws(ChannelError) {
            try channel?.receive { header, _, body in
                var bytes: [UInt8] = []
                bytes.append(body)
                finish(.success((Int(header.status), bytes)))
            }
        } catch { finish(.failure(RoostError(.pluginFailed, "\(error)"))) }
    }

    private func finish(_ result: Result<(status: Int, body: [UInt8]), RoostError>) {
        guard outcome == nil else { return }
        outcome = result
        bench.loop.stop()
    }

    func templateLoaded(_ id: TemplateID, _ report: LoadReport) {
        guard let channel else { return }
        do throws(RoostError) {
            try bench.processes.fork(instance, from: id, descriptors: channel.descriptorsForInstance)
            channel.handedOver()
        } catch { finish(.failure(error)) }
    }
    func templateFailed(_ id: TemplateID, _ error: RoostError) { finish(.failure(error)) }
    func templateExited(_ id: TemplateID, _ status: ExitStatus) {}
    func templatePrinted(_ bytes: [UInt8]) { printed.append(bytes.bytes) }
    func instanceStarted(_ id: InstanceID, process: Int32) {}
    func instanceExited(_ id: InstanceID, _ status: ExitStatus) {
        receive()
        finish(.failure(RoostError(.pluginFailed, "the instance \(status)")))
    }
}
