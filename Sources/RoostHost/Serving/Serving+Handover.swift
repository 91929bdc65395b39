internal import RoostBasics
internal import RoostChannel
internal import RoostLoop
internal import RoostPool

/// Requests that go from a version on trial to the one that vouches for it.
extension Serving {
    /// A version on trial has died with a request, or cannot come to it: the one that vouches for it answers.
    func handOver(_ ticket: Ticket, _ id: RequestID, isSuspect: Bool, from service: VersionService) {
        let now = loop.now
        let held = service.takeOut(ticket)
        guard let caller = callers[Int(id.slot)], caller.id == id else { return }
        service.count(.death, total: now - held.header.arrived, slot: caller.slot, at: now)
        // Traffic may have changed meanwhile; with nobody else to answer, it is this version's own.
        let target = caller.route?.stable ?? service
        guard
            let ticket = target.pool.arrived(id, isSuspect: isSuspect, deadline: held.header.deadline, at: now)
        else {
            callers[Int(id.slot)] = nil
            return refuseArrival(id, target, slot: caller.slot, at: now)
        }
        var header = held.header
        header.id = RequestID(rawValue: ticket.rawValue)
        header.patience = now + target.patience
        target.takeOver(ticket, header, held)
        callers[Int(id.slot)] = Caller(id: id, service: target, ticket: ticket, route: nil, slot: caller.slot)
        if target !== service { perform(target) }
    }
}
