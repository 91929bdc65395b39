internal import RoostBasics
internal import RoostChannel
internal import RoostHTTP
internal import RoostLoop
internal import RoostPool

/// What is answered by the host instead of an instance.
extension Serving {
    /// When callers of a version that was given up may look whether another one has taken over.
    private static let quarantineSeconds = 60

    func refuseArrival(_ id: RequestID, _ service: VersionService, slot: UInt16?, at now: Instant) {
        if service.pool.isQuarantined {
            service.count(.death, total: .zero, slot: slot, at: now)
            return refuseQuarantined(id, service)
        }
        service.count(.overload, total: .zero, at: now)
        let seconds = service.pool.retryAfterSeconds(at: now, loading: service.loadingLeft(at: now))
        refuse(
            id, 429, "\(service.id) has \(service.pool.queueDepth) requests waiting: try again in \(seconds) s",
            service, extra: "Retry-After: \(seconds)\r\n")
    }

    func fail(_ id: RequestID, _ failure: Failure, _ service: VersionService) {
        let now = loop.now
        guard let caller = callers[Int(id.slot)], caller.id == id else { return }
        callers[Int(id.slot)] = nil
        let waited = now - service.inFlight[Int(caller.ticket.index)].header.arrived
        let timing = service.timing(of: caller.ticket, at: now)
        service.forget(caller.ticket)
        switch failure {
        case .timeout:
            service.count(.timeout, total: waited, slot: caller.slot, at: now)
            refuse(id, 504, "\(service.id) did not answer in time", service, timing)
        case .death:
            service.count(.death, total: waited, slot: caller.slot, at: now)
            let reason = service.lastFailure ?? "its instance died"
            refuse(id, 500, "\(service.id) could not answer this request: \(reason)", service, timing)
        case .quarantined:
            service.count(.death, total: waited, slot: caller.slot, at: now)
            refuseQuarantined(id, service, timing)
        }
    }

    func quarantine(_ service: VersionService) {
        let last = service.lastFailure ?? "no reason is known"
        let reason = "\(service.pool.settings.quarantineAfter) deaths in a row without an answer, the last: \(last)"
        note(service, "quarantined: \(reason)")
        // Told when the pool has said all that it has to say.
        service.quarantineReason = reason
    }

    func refuseQuarantined(_ id: RequestID, _ service: VersionService, _ timing: PhaseTiming = PhaseTiming()) {
        let reason = service.lastFailure ?? "its instances die"
        refuse(
            id, 503, "\(service.id) is out of service: \(reason)", service, timing,
            extra: "Retry-After: \(Self.quarantineSeconds)\r\n")
    }

    /// An answer of the host's own.
    func refuse(
        _ id: RequestID, _ status: Int, _ message: String, _ service: VersionService,
        _ timing: PhaseTiming = PhaseTiming(), extra: String = ""
    ) {
        fields.set(head: service.replyFieldsHead, timing: timing, infer: nil)
        fields.add(lines: extra)
        Self.reply(id, status, .json, fields, ErrorReply.body(message).bytes, on: server)
    }
}
