internal import RoostBasics
internal import RoostChannel
internal import RoostDelivery
internal import RoostFunctions
internal import RoostHTTP
internal import RoostJSON
internal import RoostLoop

/// The queue of a function, and the items of its other triggers, over HTTP.
extension Management {
    /// The longest `Idempotency-Key` that is taken.
    private static let keyBytesMax = 255
    private static let listMax = 1_000
    /// Dead letters that one call replays.
    private static let replayMax = 10_000

    // MARK: submitting

    /// `POST /functions/{f}/async`: answers 202 once the request is on the disk.
    func submitAsync(
        _ name: String, _ head: borrowing RequestHead, _ body: RawSpan, _ id: RequestID
    ) throws(RoostError) {
        let owner = try owner(name, nil)
        let inference = try InferenceRequest(.predict, head)
        guard inference.timeout == nil else {
            throw RoostError(.invalidArgument, "Roost-Timeout: nobody waits here; set \"timeout\" of the trigger")
        }
        var content: [UInt8] = []
        content.append(body)
        let type = head.value(.contentType).text
        var request = TriggerRequest(contentType: type.isEmpty ? "application/json" : type, body: content)
        request.wantsCSV = inference.accept == .csv
        request.key = inference.key
        let submission = DeliverySubmission(owner: owner, key: try Self.key(head), payload: request.stored)
        do throws(RoostError) {
            try deliveries.submit([submission]) { [unowned self] result in
                switch result {
                case .failure(let error): fail(id, error)
                case .success(let found): if let one = found.first { accepted(id, one, owner) }
                }
            }
        } catch {
            guard error.code == .overloaded else { throw error }
            reply(id, .json, ErrorReply.body(error.message), status: 429, fields: "Retry-After: 1\r\n")
        }
    }

    private func accepted(_ id: RequestID, _ one: SubmittedDelivery, _ owner: DeliveryOwner) {
        let path = "/functions/\(owner.function)/async/\(one.record.id)"
        reply(
            id,
            [
                "id": .string(one.record.id.description), "result": .string(path), "duplicate": .bool(one.isDuplicate),
            ], status: 202, fields: "Location: \(path)\r\n")
    }

    /// What the caller calls its request, else something that nobody else says.
    private static func key(_ head: borrowing RequestHead) throws(RoostError) -> String {
        guard let text = head.text(of: "Idempotency-Key") else {
            var random = SystemRandomNumberGenerator()
            return "new " + [random.next(), random.next()].map { String($0, radix: 36) }.joined(separator: "-")
        }
        guard !text.isEmpty, text.utf8.count <= keyBytesMax else {
            throw RoostError(
                .invalidArgument, "Idempotency-Key: expected 1 to \(keyBytesMax) bytes, got \(text.utf8.count)")
        }
        return "key \(text)"
    }

    // MARK: asking

    /// `GET /functions/{f}/async/{id}`: the answer, or how far it is.
    func showAsync(_ name: String, _ item: String, _ query: String, _ id: RequestID) throws(RoostError) {
        let owner = try owner(name, try Query(query, known: ["trigger"])["trigger"])
        let item = try Self.itemID(item)
        deliveries.find(item, of: owner) { [unowned self] result in
            do throws(RoostError) {
                guard let found = try result.get() else {
                    throw RoostError(.notFound, "\(owner) has no item \(item): it never had, or has forgotten it")
                }
                show(found, id)
            } catch { fail(id, error) }
        }
    }

    private func show(_ found: StoredDelivery, _ id: RequestID) {
        switch found.record.phase {
        case .pending, .running, .waiting:
            reply(id, found.record.status(at: deliveries.reading), status: 202, fields: "Retry-After: 1\r\n")
        case .dead: reply(id, found.record.status(at: deliveries.reading), status: 422)
        case .done:
            guard let answer = found.result.flatMap({ TriggerReply(stored: $0) }) else {
                return reply(id, found.record.status(at: deliveries.reading))
            }
            var fields = "Content-Type: \(answer.contentType)\r\n"
            if !answer.version.isEmpty { fields += "Roost-Version: \(answer.version)\r\n" }
            reply(id, .unstated, answer.body, fields: fields)
        }
    }

    /// `GET /functions/{f}/async?state=dead`, newest first, with `?limit=`, `?before=` and `?trigger=`.
    func listAsync(_ name: String, _ query: String, _ id: RequestID) throws(RoostError) {
        let query = try Query(query, known: ["trigger", "state", "limit", "before"])
        let owner = try owner(name, query["trigger"])
        let limit = min(Self.listMax, try query.number("limit") ?? 100)
        let before = try query.number("before").map { DeliveryID(rawValue: Int64($0)) }
        let word = query["state"] ?? "dead"
        guard let phase = DeliveryRecord.Phase(rawValue: word) else {
            let known = DeliveryRecord.Phase.allCases.map(\.rawValue).joined(separator: ", ")
            throw RoostError(.invalidArgument, "state=\(word): the states are \(known)")
        }
        deliveries.list(phase, of: owner, before: before, limit: limit) { [unowned self] result in
            do throws(RoostError) {
                let reading = deliveries.reading
                reply(id, ["items": .array(try result.get().map { $0.record.status(at: reading) })])
            } catch { fail(id, error) }
        }
    }

    // MARK: steering

    /// `DELETE /functions/{f}/async/{id}`.
    func cancelAsync(
        _ name: String, _ item: String, _ head: borrowing RequestHead, _ id: RequestID
    ) throws(RoostError) {
        let owner = try owner(name, try Query(head.query.text, known: ["trigger"])["trigger"])
        let (item, who) = (try Self.itemID(item), Self.who(head))
        try deliveries.cancel(item, of: owner, by: who) { [unowned self] error in
            if let error { return fail(id, error) }
            reply(id, ["id": .string(item.description), "state": "dead"])
        }
    }

    /// `POST /functions/{f}/async/{id}/replay`, and without an id: all dead letters.
    func replayAsync(_ name: String, _ item: String?, _ query: String, _ id: RequestID) throws(RoostError) {
        let owner = try owner(name, try Query(query, known: ["trigger"])["trigger"])
        guard let item else { return replayAll(owner, id) }
        let one = try Self.itemID(item)
        try deliveries.replay(one, of: owner) { [unowned self] error in
            if let error { return fail(id, error) }
            reply(id, ["id": .string(item), "state": "pending"], status: 202)
        }
    }

    private func replayAll(_ owner: DeliveryOwner, _ id: RequestID) {
        deliveries.list(.dead, of: owner, limit: Self.replayMax) { [unowned self] result in
            do throws(RoostError) {
                let letters = try result.get()
                guard !letters.isEmpty else { return reply(id, ["replayed": 0, "refused": 0], status: 202) }
                var (left, replayed, refused) = (letters.count, 0, 0)
                let told = { [unowned self] (error: RoostError?) in
                    left -= 1
                    if error == nil { replayed += 1 } else { refused += 1 }
                    guard left == 0 else { return }
                    reply(id, ["replayed": .integer(replayed), "refused": .integer(refused)], status: 202)
                }
                // The oldest first.
                for letter in letters.reversed() {
                    do throws(RoostError) { try deliveries.replay(letter.record.id, of: owner, told) } catch {
                        told(error)
                    }
                }
            } catch { fail(id, error) }
        }
    }

    // MARK: words

    private var deliveries: Deliveries { host.triggers.deliveries }

    private static func itemID(_ text: String) throws(RoostError) -> DeliveryID {
        guard let number = Int64(text), number > 0 else { throw RoostError(.notFound, "\"\(text)\" is no item's id") }
        return DeliveryID(rawValue: number)
    }

    /// Whose items: the queue's unless a trigger is named.
    /// - Throws: `notFound`, saying what to write into which manifest.
    private func owner(_ name: String, _ label: String?) throws(RoostError) -> DeliveryOwner {
        let function = try functionName(name)
        let open = deliveries.open.map(\.owner).filter { $0.function == function }
        if let label {
            if let found = open.first(where: { $0.label == label }) { return found }
            let known = open.isEmpty ? "it has none" : "it has \(open.map(\.label).joined(separator: ", "))"
            throw RoostError(.notFound, "\(name) has no trigger \"\(label)\": \(known)")
        }
        if let found = open.first(where: { $0.kind == .queue }) { return found }
        throw RoostError(
            .notFound, "\(name) has no queue: write \"triggers\": [{\"type\": \"queue\"}] in functions/\(name).json")
    }
}

extension DeliveryRecord {
    /// For people and programs; times in seconds since 1970.
    func status(at clock: ClockReading) -> JSONValue {
        var object = JSONObject([
            ("id", .string(id.description)), ("state", .string(phase.rawValue)), ("key", .string(key)),
            ("attempts", .integer(attempts)), ("submitted", .integer(Int(submittedWallMS / 1000))),
        ])
        if phase == .waiting {
            let left = (due(at: clock) - clock.monotonic).nanoseconds / 1_000_000
            object["next_due"] = .integer(Int((clock.wallMS + Int64(left)) / 1000))
        }
        if phase.isFinal { object["ended"] = .integer(Int(endedWallMS / 1000)) }
        if let cause { object["cause"] = .string(cause.rawValue) }
        if !reason.isEmpty { object["error"] = .string(reason) }
        if replays > 0 { object["replays"] = .integer(replays) }
        return .object(object)
    }
}
