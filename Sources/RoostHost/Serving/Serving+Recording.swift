internal import RoostBasics
internal import RoostChannel
internal import RoostPool

extension Serving {
    /// Keeps what an instance told of a request, if it was asked to tell.
    func record(_ summary: ReplySummary, _ id: RequestID, _ ticket: Ticket, _ service: VersionService) {
        let request = service.inFlight[Int(ticket.index)]
        var wish = request.header.wants
        // What was asked for before a field became private may show it.
        if let since = service.recording?.privateSince, request.header.arrived < since { wish.remove(.record) }
        guard !wish.isEmpty else { return }
        recorder.record(summary, wish, of: service) {
            request.key.isEmpty ? server.requestIDText(of: id) : String(decoding: request.key, as: UTF8.self)
        }
    }
}
