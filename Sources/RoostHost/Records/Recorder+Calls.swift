internal import RoostBasics
internal import RoostFeedback
internal import RoostFunctions
internal import RoostLoop
internal import RoostStore

/// What is asked of the records. All of it runs on their thread; answers come on the loop.
extension Recorder {
    /// Joins the labels of a body to recorded predictions. What they say then is in `latestQuality`.
    /// - Throws: `overloaded`, `unavailable`; what is wrong with the body comes as the result.
    func join(
        _ body: [UInt8], as format: FeedbackBody.Format, to function: FunctionName,
        then onDone: @escaping (Result<FeedbackOutcome, RoostError>) -> Void
    ) throws(RoostError) {
        let store = try available()
        let now = Loop.unixMicroseconds
        try call { ticket in
            do throws(RoostError) {
                let labels = try FeedbackBody(body, as: format)
                do throws(DatabaseError) {
                    return .joined(.success(try store.join(labels, to: function.text, at: now)), ticket: ticket)
                } catch { throw RoostError(.unavailable, "labels cannot be kept now: \(error)") }
            } catch { return .joined(.failure(error), ticket: ticket) }
        } then: { [unowned self] news in
            guard case .joined(let result, _) = news else { return }
            if case .success(let outcome) = result {
                if outcome.joined > 0 { labelled.insert(function) }
                account(for: outcome, function, now)
            }
            onDone(result)
        }
    }

    private func account(for outcome: FeedbackOutcome, _ function: FunctionName, _ now: Int64) {
        let recording = functions[function]
        recording?.labels.joined += outcome.joined
        recording?.labels.replaced += outcome.replaced.count
        recording?.labels.unknown += outcome.unknown
        recording?.labels.refused += outcome.refused
        for label in outcome.replaced {
            onAudit(
                AuditNote(
                    function: function, version: label.version, at: now,
                    act: .labelReplaced(key: label.key, row: label.row, before: label.before, after: label.after)))
        }
    }

    /// How good each version's predictions of several periods have turned out to be, as `PredictionStore.quality`.
    func quality(
        of function: FunctionName, since starts: [Int64],
        then onDone: @escaping (Result<[[VersionQuality]], RoostError>) -> Void
    ) throws(RoostError) {
        let store = try available()
        try call { ticket in
            do throws(DatabaseError) {
                return .quality(.success(try store.quality(of: function.text, since: starts)), ticket: ticket)
            } catch {
                return .quality(
                    .failure(RoostError(.unavailable, "quality cannot be worked out: \(error)")), ticket: ticket)
            }
        } then: { news in
            if case .quality(let result, _) = news { onDone(result) }
        }
    }

    /// For a rollout: of each of these versions what was recorded and labelled since a moment (microseconds since
    /// 1970; counting begins with the next whole minute), and the sums of its predictions' losses.
    ///
    /// A version without records is not among them.
    func outcomes(
        of function: FunctionName, _ versions: [VersionNumber], since start: Int64,
        then onDone: @escaping (Result<[VersionQuality], RoostError>) -> Void
    ) throws(RoostError) {
        try quality(of: function, since: [start]) { result in
            onDone(result.map { periods in periods[0].filter { versions.contains($0.version) } })
        }
    }

    /// The newest recorded requests of a function, the newest first; none when it records none.
    func requests(
        of function: FunctionName, atMost count: Int, bytesMax: Int = 64 << 20,
        then onDone: @escaping (Result<[RecordedRequest], RoostError>) -> Void
    ) throws(RoostError) {
        try call { [replays] ticket in
            do throws(RoostError) {
                let found = try replays.newest(count, of: function.text, bytesMax: bytesMax)
                return .requests(.success(found), ticket: ticket)
            } catch { return .requests(.failure(error), ticket: ticket) }
        } then: { news in
            if case .requests(let result, _) = news { onDone(result) }
        }
    }

    private func available() throws(RoostError) -> PredictionStore {
        guard let predictions else { throw RoostError(.unavailable, problem ?? "predictions are not recorded") }
        return predictions
    }
}

/// What `status` shows: worked out now and then, because status is asked more often than it changes.
extension Recorder {
    /// How old it may be before somebody who asks has it worked out anew.
    private static let qualityAgeMax = Instant.Span.seconds(10)

    /// What labels have said of a function, as last worked out; nil before the first time, and when there are none.
    func knownQuality(of function: FunctionName, at now: Instant) -> QualityReport? {
        guard labelled.contains(function) else { return nil }
        if qualityAsked[function].map({ now - $0 > Self.qualityAgeMax }) ?? true {
            qualityAsked[function] = now
            try? workOutQuality(of: function) {}
        }
        return latestQuality[function]
    }

    /// Brings it up to date, then calls `onDone`; what cannot be worked out now stays as it was.
    func refreshQuality(of function: FunctionName, then onDone: @escaping () -> Void) {
        do throws(RoostError) { try workOutQuality(of: function, then: onDone) } catch { onDone() }
    }

    private func workOutQuality(of function: FunctionName, then onDone: @escaping () -> Void) throws(RoostError) {
        let now = Loop.unixMicroseconds
        let windows = QualityReport.Window.usual
        try quality(of: function, since: windows.map { $0.start(at: now) }) { [unowned self] result in
            if case .success(let versions) = result, versions.contains(where: { !$0.isEmpty }) {
                latestQuality[function] = QualityReport(windows: Array(zip(windows, versions)), at: now)
            }
            onDone()
        }
    }
}
