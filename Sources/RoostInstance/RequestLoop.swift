internal import CRoost
internal import RoostBasics
internal import RoostChannel
internal import RoostPlugins
internal import RoostTensors
internal import RoostWire

/// Answers the requests of one instance: takes what waits in its channel, joins it into one batch, predicts once,
/// answers each. Waits for a batch to fill only as long as its first request allows.
final class RequestLoop {
    /// One request in the batch that is forming.
    private struct Member {
        var header: RequestHeader
        var info = RequestInfo()
        var firstRow = 0
        /// Where a record of it is wanted: what that must not show.
        var privateFields: [UInt8] = []

        /// Takes `other`'s content for its own memory.
        mutating func hold(_ header: RequestHeader, _ other: inout RequestInfo, firstRow: Int) {
            self.header = header
            self.firstRow = firstRow
            swap(&info, &other)
        }
    }

    private let channel: InstanceChannel
    private let model: LoadedModel
    private let decoder: RequestDecoder
    private let encoder: ReplyEncoder
    private let batch: TensorBatch
    /// For running the members of a failed batch by themselves; made when one fails, because few ever do.
    private lazy var single = TensorBatch(signature: batch.signature)
    private let reply: TextBuffer
    /// Made when the host first wants to know something.
    private lazy var summary = SummaryWriter(decoder)
    /// Made when the first chunk of a file comes.
    private lazy var scorer = BulkScorer(model, decoder)
    private let rowsMax: Int
    private let compression = BodyCompression()
    /// Bytes of the bodies in the batch that is forming, before compression.
    private var batchBytes = 0
    /// With more, a batch is worked on: larger ones save nothing and only leave the processor's caches.
    private static let batchBytesMax = 1 << 20
    /// What a reply to compare with may become by decompression; the host takes no larger ones.
    private static let replyBytesMax = 1 << 30
    /// Nil for all but binary classifiers.
    private let decision: ThresholdDecision?
    /// Slots are kept, for the memory in them; the first `memberCount` are in use.
    private var members: [Member] = []
    private var memberCount = 0
    private var info = RequestInfo()
    /// When the present round of taking began: one look at the clock serves all that wait.
    private var turn = Instant(nanoseconds: 0)
    /// Spent on taking the present batch in rounds before this one, and since when this one has gone on.
    private var taken = Instant.Span.zero
    private var takingSince = Instant(nanoseconds: 0)
    /// Why the channel is of no more use. Set once, ends the loop.
    private var broken: ChannelError?

    /// - Parameter rowsMax: rows that a batch may have, unless one request alone has more.
    init(_ channel: InstanceChannel, _ model: LoadedModel, _ codec: Codec, rowsMax: Int) {
        self.channel = channel
        self.model = model
        self.rowsMax = rowsMax
        (decoder, encoder, batch) = (codec.decoder, codec.encoder, codec.batch)
        reply = codec.reply
        decision = ThresholdDecision(codec.batch.signature)
    }

    /// Returns when the channel is of no more use, with the reason.
    func run() -> ChannelError {
        while true {
            channel.wait()
            turn = now()
            takingSince = turn
            repeat {
                while channel.hasRequest, !isFull {
                    do throws(ChannelError) {
                        try channel.takeRequest { header, contentType, body in take(header, contentType, body) }
                    } catch { return error }
                }
            } while joinedByOthers()
            finishBatch()
            if let broken { return broken }
            channel.ring()
        }
    }

    private var isFull: Bool { batch.rows >= rowsMax || batchBytes >= Self.batchBytesMax }

    /// Waits for company, if the batch has room and its first request has patience. Whether somebody came.
    private func joinedByOthers() -> Bool {
        guard memberCount > 0, !isFull, members[0].header.patience > turn, broken == nil else {
            return false
        }
        // What did not fit into this batch has been answered.
        channel.ring()
        turn = now()
        let patience = members[0].header.patience
        guard patience > turn else { return false }
        taken = taken + (turn - takingSince)
        let hasCome = channel.wait(atMost: patience - turn)
        takingSince = now()
        return hasCome
    }

    // MARK: taking

    private func take(_ header: RequestHeader, _ contentType: RawSpan, _ body: RawSpan) {
        guard header.deadline > turn else { return refuse(header, .tooLate) }
        if header.operation.isComparison { return compare(header, body) }
        if header.operation == .score { return score(header, body) }
        guard header.contentCoding != .identity else { return takePlain(header, contentType, body) }
        do throws(RoostError) {
            try compression.plain(body, header.contentCoding, limit: header.bodyLimit) { plain in
                takePlain(header, contentType, plain)
            }
        } catch { refuse(header, error, status: error.code == .tooLarge ? 413 : nil) }
    }

    /// Takes a request whose body is not compressed, or no longer.
    private func takePlain(_ header: RequestHeader, _ contentType: RawSpan, _ body: RawSpan) {
        if header.operation == .predict, model.canInvoke { return invoke(header, contentType, body) }
        guard model.canPredict else { return refuse(header, .bodiesOnly) }
        do throws(RoostError) {
            if try !join(header, body) {
                // It cannot share a batch with those that wait: they go first.
                finishBatch()
                _ = try join(header, body)
            }
        } catch { refuse(header, error) }
    }

    /// Adds a request to the batch. False, with nothing done, when it does not fit to those that are there.
    private func join(_ header: RequestHeader, _ body: RawSpan) throws(RoostError) -> Bool {
        let mark = batch.mark
        guard
            try decoder.decode(body, as: header.format, into: batch, &info, jsonBytes: header.jsonBytes) == .appended
        else { return false }
        let isAlone = memberCount == 0
        if !isAlone, batch.rows > rowsMax || !info.fits(members[0].info) {
            batch.rollback(to: mark)
            return false
        }
        if let patience = info.timeoutMicroseconds, header.arrived + .microseconds(patience) <= now() {
            batch.rollback(to: mark)
            throw .tooLate
        }
        if members.count == memberCount { members.append(Member(header: header)) }
        members[memberCount].hold(header, &info, firstRow: mark.rows)
        if header.wants.contains(.record) { members[memberCount].privateFields = channel.privateFields }
        memberCount += 1
        batchBytes += body.byteCount
        return true
    }

    // MARK: predicting

    private func finishBatch() {
        guard memberCount > 0 else { return }
        let started = now()
        var phases = Phases(decode: taken + (started - takingSince))
        if let error = failure(of: members[0], with: batch) {
            answerAlone(after: error, now() - started, phases)
            phases.last = now()
        } else {
            phases.predicted(from: started, to: now())
            for index in 0..<memberCount {
                answer(members[index], at: members[index].firstRow, in: batch, &phases)
            }
        }
        (memberCount, batchBytes) = (0, 0)
        batch.reset()
        // What is taken now, before the next wait, belongs to the next batch.
        (taken, takingSince) = (.zero, phases.last)
    }

    /// Where the time of a batch goes, for the replies to its members: one look at the clock ends a phase and begins
    /// the next.
    private struct Phases {
        let decode: Instant.Span
        var infer = Instant.Span.zero
        /// The end of the last phase.
        var last = Instant(nanoseconds: 0)

        mutating func predicted(from start: Instant, to end: Instant) { (infer, last) = (end - start, end) }

        /// What has been encoded since the last phase.
        mutating func encoded(at end: Instant) -> Instant.Span {
            defer { last = end }
            return end - last
        }
    }

    private func failure(of member: Member, with batch: TensorBatch) -> RoostError? {
        do throws(RoostError) {
            try model.predict(batch, deadline: member.header.deadline, parameters: member.info.parameters)
            return nil
        } catch { return error }
    }

    /// A batch failed as a whole: each member runs by itself, so that one that fails alone fails alone.
    private func answerAlone(after error: RoostError, _ took: Instant.Span, _ together: Phases) {
        guard memberCount > 1 else { return refuse(members[0].header, error, took) }
        var phases = together
        for index in 0..<memberCount {
            let member = members[index]
            single.reset()
            single.append(rows: member.firstRow..<member.firstRow + member.info.rows, of: batch)
            let started = now()
            if let error = failure(of: member, with: single) {
                refuse(member.header, error, now() - started)
            } else {
                phases.predicted(from: started, to: now())
                answer(member, at: 0, in: single, &phases)
            }
        }
    }

    /// Publishes one member's part of a predicted batch.
    private func answer(_ member: Member, at firstRow: Int, in batch: TensorBatch, _ phases: inout Phases) {
        let took = phases.infer
        let rows = firstRow..<firstRow + member.info.rows
        if model.hasFailedRows, let failed = model.failedRows.keys.filter(rows.contains).min() {
            let message = "row \(failed - firstRow + 1): \(model.failedRows[failed] ?? "")"
            return refuse(member.header, RoostError(.pluginFailed, message), took)
        }
        if let decision, !member.header.threshold.isNaN {
            decision.decide(rows, of: batch, from: member.header.threshold)
        }
        reply.removeAll()
        var jsonBytes: Int?
        do throws(RoostError) {
            switch (member.header.operation, member.header.accept) {
            case (.compareTensors, _), (.compareRows, _), (.score, _):
                preconditionFailure("\(member.header.operation) shares no batch")
            case (.infer, _): jsonBytes = try encoder.tensors(rows, of: batch, member.info, into: reply)
            case (.predict, .csv): try encoder.csv(rows, of: batch, into: reply)
            case (.predict, _): try encoder.rows(rows, of: batch, into: reply)
            }
        } catch { return refuse(member.header, error, took) }
        var header = ReplyHeader(
            id: member.header.id, status: 200, contentType: jsonBytes == nil ? member.header.replyType : .octets,
            outcome: .ok)
        header.jsonBytes = jsonBytes
        header.rows = UInt32(member.info.rows)
        header.batchRows = UInt32(batch.rows)
        header.infer = took
        (header.decode, header.encode) = (phases.decode, phases.encoded(at: now()))
        let accepted = member.header.acceptCoding
        guard !member.header.wants.isEmpty else {
            return reply.withBytes { bytes in publish(header, RawSpan(), bytes, as: accepted) }
        }
        let told = summary.encode(
            rows, of: batch, member.info, member.header.wants, privateFields: member.privateFields)
        reply.withBytes { bytes in publish(header, RawSpan(), bytes, as: accepted, told.bytes) }
    }

    private func invoke(_ header: RequestHeader, _ contentType: RawSpan, _ body: RawSpan) {
        finishBatch()
        let started = now()
        do throws(RoostError) {
            let answer = try model.invoke(
                body, contentType: header.contentType.text ?? String(contentType), deadline: header.deadline)
            var head = ReplyHeader(id: header.id, status: 200, contentType: .other, outcome: .ok)
            head.rows = 1
            head.batchRows = 1
            head.infer = now() - started
            let accepted = BodyCompression.isText(answer.contentType) ? header.acceptCoding : .identity
            publish(head, Array(answer.contentType.utf8).bytes, answer.body.bytes, as: accepted)
        } catch { refuse(header, error, now() - started) }
    }

    // MARK: comparing

    /// Predicts what another version has answered already, alone, and tells how the answers differ.
    private func compare(_ header: RequestHeader, _ body: RawSpan) {
        finishBatch()
        defer { batch.reset() }
        let started = now()
        do throws(RoostError) {
            guard model.canPredict, let parts = ComparisonBody.parts(body) else { throw .bodiesOnly }
            let (limit, jsonBytes) = (header.bodyLimit, header.jsonBytes)
            let fits = try compression.plain(body.extracting(parts.request), header.contentCoding, limit: limit) {
                (request) throws(RoostError) in
                try decoder.decode(request, as: header.format, into: batch, &info, jsonBytes: jsonBytes)
            }
            guard fits == .appended else { throw .bodiesOnly }
            try model.predict(batch, deadline: header.deadline, parameters: info.parameters)
            if let failed = model.failedRows.values.first { throw RoostError(.pluginFailed, failed) }
            let reply = body.extracting(parts.reply)
            let served = try compression.plain(reply, parts.replyCoding, limit: Self.replyBytesMax) {
                (reply) throws(RoostError) in
                try decoder.answer(reply, as: header.format, batch, jsonBytes: parts.replyJSONBytes)
            }
            let comparison = try Comparison(of: batch, to: served)
            var head = ReplyHeader(id: header.id, status: 200, contentType: .octets, outcome: .ok)
            head.rows = UInt32(batch.rows)
            head.infer = now() - started
            publish(head, RawSpan(), comparison.bytes.bytes)
        } catch { refuse(header, error, now() - started) }
    }

    // MARK: scoring

    /// Scores a chunk of a file, which is a batch of its own.
    private func score(_ header: RequestHeader, _ body: RawSpan) {
        finishBatch()
        // Who waits for an answer of that batch need not wait for the chunk.
        channel.ring()
        let started = now()
        reply.removeAll()
        do throws(RoostError) {
            let rows = try scorer.score(body, into: reply, deadline: header.deadline)
            var head = ReplyHeader(id: header.id, status: 200, contentType: .octets, outcome: .ok)
            head.rows = UInt32(clamping: rows)
            head.infer = now() - started
            send(head)
            reply.removeAll()
        } catch { refuse(header, error, now() - started) }
    }

    // MARK: refusing

    private func refuse(
        _ request: RequestHeader, _ error: RoostError, _ took: Instant.Span = .zero, status: UInt16? = nil
    ) {
        reply.removeAll()
        reply.append("{\"error\":")
        reply.append(JSONText.quoted(error.message))
        reply.append("}")
        let (usual, outcome): (UInt16, Outcome) =
            switch error.code {
            case .invalidArgument, .tooLarge, .unsupported: (400, .clientError)
            case .deadline: (504, .timeout)
            default: (500, .modelError)
            }
        var header = ReplyHeader(id: request.id, status: status ?? usual, contentType: .json, outcome: outcome)
        header.infer = took
        send(header)
    }

    private func send(_ header: ReplyHeader) {
        reply.withBytes { bytes in publish(header, RawSpan(), bytes) }
    }

    /// - Parameter coding: how the caller would have the body.
    private func publish(
        _ header: ReplyHeader, _ contentType: RawSpan, _ body: RawSpan, as coding: ContentCoding,
        _ summary: RawSpan = RawSpan()
    ) {
        guard coding != .identity, body.byteCount >= ContentCoding.worthwhileBytes else {
            return publish(header, contentType, body, summary)
        }
        let isSmaller = compression.compressed(body, coding) { smaller in
            var header = header
            header.contentCoding = coding
            publish(header, contentType, smaller, summary)
        }
        if !isSmaller { publish(header, contentType, body, summary) }
    }

    private func publish(
        _ header: ReplyHeader, _ contentType: RawSpan, _ body: RawSpan, _ summary: RawSpan = RawSpan()
    ) {
        do throws(ChannelError) {
            try channel.send(header, contentTypeText: contentType, body: body, summary: summary)
        } catch { broken = error }
    }

    private func now() -> Instant { Instant(nanoseconds: roost_now_ns()) }
}

extension RoostError {
    fileprivate static let tooLate = RoostError(.deadline, "the request's time ran out before it was its turn")
    fileprivate static let bodiesOnly = RoostError(
        .invalidArgument, "this model takes whole bodies, no tensors: POST …/predict")
}

extension RequestHeader {
    fileprivate var format: RequestFormat {
        switch operation {
        case .infer, .compareTensors: .tensors
        case .predict, .compareRows: contentType == .csv ? .csv : .rows
        case .score: preconditionFailure("a chunk has its format in its plan")
        }
    }

    fileprivate var replyType: MediaType { operation == .predict && accept == .csv ? .csv : .json }
}

extension MediaType {
    /// As plugins see it; nil for the types without a number.
    fileprivate var text: String? {
        switch self {
        case .other: nil
        case .json: "application/json"
        case .csv: "text/csv"
        case .octets: "application/octet-stream"
        case .text: "text/plain"
        }
    }
}
