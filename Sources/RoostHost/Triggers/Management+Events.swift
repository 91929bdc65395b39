internal import RoostBasics
internal import RoostDelivery
internal import RoostFunctions
internal import RoostHTTP
internal import RoostJSON

/// `POST /events`: CloudEvents 1.0 in its three modes.
extension Management {
    /// Where an event goes.
    private struct Match {
        let owner: DeliveryOwner
        let trigger: EventTrigger
        let event: CloudEvent
        /// Its place in the message.
        let index: Int
    }

    /// Answers once every event that a trigger wants is on the disk; or with the reply event, when one is asked for.
    func takeEvents(_ head: borrowing RequestHead, _ body: RawSpan, _ id: RequestID) throws(RoostError) {
        var content: [UInt8] = []
        content.append(body)
        let message = try CloudEventMessage(headers: head.fields, body: content)
        var matches: [Match] = []
        let triggers = host.triggers.all
        for (index, event) in message.events.enumerated() {
            for (function, spec) in triggers {
                guard case .event(let trigger) = spec.kind, trigger.filter.matches(event) else { continue }
                let owner = DeliveryOwner(function, spec.name, .event)
                matches.append(Match(owner: owner, trigger: trigger, event: event, index: index))
            }
        }
        let unmatched = message.events.count - Set(matches.map(\.index)).count
        let submissions = matches.map {
            DeliverySubmission(owner: $0.owner, key: $0.event.key, payload: $0.event.json)
        }
        do throws(RoostError) {
            try deliveries.submit(submissions) { [unowned self] result in
                do throws(RoostError) {
                    let found = try result.get()
                    if message.mode != .batch, matches.count == 1, found.count == 1, matches[0].trigger.reply {
                        return try answer(id, matches[0], found[0].record)
                    }
                    let new = Set(zip(matches, found).filter { !$1.isDuplicate }.map { $0.0.index }).count
                    reply(
                        id,
                        [
                            "accepted": .integer(new),
                            "duplicates": .integer(message.events.count - unmatched - new),
                            "unmatched": .integer(unmatched),
                        ], status: 202)
                } catch { fail(id, error) }
            }
        } catch {
            guard error.code == .overloaded else { throw error }
            reply(id, .json, ErrorReply.body(error.message), status: 429, fields: "Retry-After: 1\r\n")
        }
    }

    /// Waits for the outcome, and says it as an event.
    private func answer(_ id: RequestID, _ match: Match, _ record: DeliveryRecord) throws(RoostError) {
        guard record.phase.isFinal else {
            return try deliveries.whenOver(record.id, of: match.owner) { [unowned self] outcome, output in
                switch outcome {
                case .done: replyEvent(id, match, output.result)
                case .dead(let letter): refuse(id, match, letter.reason, record.id)
                }
            }
        }
        deliveries.find(record.id, of: match.owner) { [unowned self] result in
            guard case .success(let found?) = result, found.record.phase == .done else {
                return refuse(id, match, record.reason, record.id)
            }
            replyEvent(id, match, found.result)
        }
    }

    private func replyEvent(_ id: RequestID, _ match: Match, _ result: [UInt8]?) {
        guard let answer = result.flatMap({ TriggerReply(stored: $0) }) else {
            return fail(id, RoostError(.system, "the outcome of event \(match.event.id) cannot be read"))
        }
        do throws(RoostError) {
            let event = try CloudEvent(outcome: answer, of: match.event, for: match.owner, match.trigger)
            let (headers, body) = event.binary
            let lines = headers.map { "\($0.name): \($0.value)\r\n" }.joined()
            reply(id, .unstated, body, fields: lines)
        } catch { fail(id, error) }
    }

    /// The event is a dead letter.
    private func refuse(_ id: RequestID, _ match: Match, _ reason: String, _ item: DeliveryID) {
        let body: JSONValue = [
            "error": .string(reason), "deadletter": .string(item.description),
            "function": .string(match.owner.function.text), "trigger": .string(match.owner.trigger),
        ]
        reply(id, body, status: 422)
    }

    private var deliveries: Deliveries { host.triggers.deliveries }
}
