internal import RoostBasics
internal import RoostChannel
internal import RoostLoop
internal import RoostPool
internal import RoostScaling

/// Copies of requests that were answered go to another version, which compares its own answers with those. All of it
/// happens after the caller has its reply, and is left out whenever it would cost anybody something.
extension Serving {
    /// Memory that copies may hold together.
    private static let shadowBytesMax = 64 << 20

    /// `service` has answered the request of `ticket`, whose body is still held.
    func shadow(
        _ ticket: Ticket, _ header: ReplyHeader, _ reply: RawSpan, of service: VersionService, on route: FunctionRoute
    ) {
        // CSV and what plugins write themselves cannot be compared, and an error need not be.
        let isComparable = header.contentType == .json || header.jsonBytes != nil
        guard header.outcome == .ok, isComparable, let target = route.nextShadow(), target !== service
        else { return }
        let held = service.inFlight[Int(ticket.index)]
        let bytes = held.contentBytes + ComparisonBody.prefixBytes + reply.byteCount
        guard hasRoomForShadow(of: bytes, on: target), let copy = target.pool.copied(at: loop.now) else {
            target.shadow.dropped += 1
            return
        }
        var head = held.header
        head.id = RequestID(rawValue: copy.rawValue)
        head.operation = head.operation.comparing
        head.arrived = loop.now
        head.deadline = loop.now + target.pool.settings.timeout
        head.patience = loop.now
        // Nobody was answered: there is nothing to record.
        head.wants = []
        target.hold(copy, head, copyOf: held, answered: header, reply)
        shadowBytes += bytes
        perform(target)
    }

    /// Callers come first: no instance is taken from others for copies, and no template pushed out of memory.
    private func hasRoomForShadow(of bytes: Int, on target: VersionService) -> Bool {
        guard shadowBytes + bytes <= Self.shadowBytesMax else { return false }
        if !target.instances.isEmpty { return places.free > 0 || target.pool.demand == .kept }
        guard places.free > 0 else { return false }
        switch target.template {
        case .warm, .loading: return true
        case .cold: return cache.free >= expectedSize(target)
        }
    }

    func shadowCompared(_ ticket: Ticket, _ header: ReplyHeader, _ body: RawSpan, _ service: VersionService) {
        let isAnswer = header.status == 200 && header.contentType == .octets
        let comparison = isAnswer ? Comparison(body) : nil
        switch service.replaying.removeValue(forKey: ticket) {
        case .serve(let run):
            run.served(ticket, header, body)
            return release(ticket, service)
        case .compare(let run):
            release(ticket, service)
            return run.compared(comparison)
        case nil: release(ticket, service)
        }
        guard let comparison else {
            service.shadow.failed += 1
            return
        }
        service.shadow.add(comparison)
        if service.isCanary { service.watch?.add(comparison) }
    }

    func shadowDropped(_ ticket: Ticket, _ failure: Failure, _ service: VersionService) {
        release(ticket, service)
        switch service.replaying.removeValue(forKey: ticket) {
        case .serve(let run), .compare(let run): return run.dropped(failure, by: service)
        case nil: break
        }
        switch failure {
        case .death: service.shadow.failed += 1
        case .timeout, .quarantined: service.shadow.dropped += 1
        }
    }

    private func release(_ ticket: Ticket, _ service: VersionService) {
        shadowBytes -= service.inFlight[Int(ticket.index)].contentBytes
        service.forget(ticket)
    }
}
