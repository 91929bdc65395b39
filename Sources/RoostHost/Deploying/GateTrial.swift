internal import RoostBasics
internal import RoostEvaluation
internal import RoostFunctions
internal import RoostLoop
internal import RoostProcess

/// Holds a new version against its function's gate, in processes that serve nobody: the rows go through an instance in
/// batches, and what comes back is evaluated on a thread beside the loop.
final class GateTrial {
    /// A version that is measured.
    struct Candidate {
        let id: VersionID
        let artifact: Artifact
        let verification: Verification
    }

    private let policy: GatePolicy
    /// By which decisions will be made.
    private let threshold: Double?
    private let candidate: Candidate
    /// For `max_drop`; nil when nothing serves.
    private let serving: Candidate?
    private let settings: LoadSettings
    /// Of one batch's answer.
    private let patience: Instant.Span
    private let loop: Loop
    private let processes: Processes
    private var rows: GateRows?
    private var instance: LoneInstance?
    private var replies: [[UInt8]] = []
    private var evaluator: Worker<Result<Double, RoostError>>?
    private var onMeasured: (Result<Double, RoostError>) -> Void = { _ in }
    private var onVerdict: ((Result<String, RoostError>) -> Void)?

    /// - Parameter onVerdict: hears the value reached, in words, or why the version may not serve.
    init(
        _ policy: GatePolicy, threshold: Double?, _ candidate: Candidate, serving: Candidate?,
        _ settings: LoadSettings, patience: Instant.Span, on loop: Loop, _ processes: Processes,
        onVerdict: @escaping (Result<String, RoostError>) -> Void
    ) throws {
        (self.policy, self.threshold, self.candidate, self.serving) = (policy, threshold, candidate, serving)
        (self.settings, self.patience, self.loop, self.processes) = (settings, patience, loop, processes)
        self.onVerdict = onVerdict
        evaluator = try Worker(on: loop) { [weak self] in self?.onMeasured($0) }
    }

    /// The rows have been read, or not. The candidate's template is used up if it may not be forked.
    func begin(_ rows: Result<GateRows, RoostError>, _ template: TemplateID) {
        guard onVerdict != nil else { return }
        do throws(RoostError) {
            self.rows = try rows.get()
            measure(candidate, try LoneInstance(of: template, on: loop, processes)) { [unowned self] in
                candidateMeasured($0)
            }
        } catch { finish(.failure(error)) }
    }

    private func candidateMeasured(_ result: Result<Double, RoostError>) {
        guard case .success(let value) = result else { return finish(result.map { _ in "" }) }
        if let objection = policy.objection(to: value, serving: nil) { return refuse(objection) }
        guard policy.maxDrop != nil, let serving else { return pass(value, "") }
        do throws(RoostError) {
            let instance = try LoneInstance(
                loading: serving.artifact, label: serving.id.description, settings, on: loop, processes)
            measure(serving, instance) { [unowned self] in compare(value, with: serving, $0) }
        } catch { pass(value, "; \(serving.id) could not be measured: \(error)") }
    }

    private func compare(_ value: Double, with serving: Candidate, _ result: Result<Double, RoostError>) {
        switch result {
        case .success(let other):
            if let objection = policy.objection(to: value, serving: (serving.id.description, other)) {
                return refuse(objection)
            }
            pass(value, "; \(serving.id) has \(metricText(other))")
        // What serves must not keep its own successor away by failing.
        case .failure(let error): pass(value, "; \(serving.id) could not be measured: \(error)")
        }
    }

    private func pass(_ value: Double, _ more: String) {
        finish(.success("\(policy.metric.name) \(metricText(value, besides: policy.bound?.bound))\(more)"))
    }

    private func refuse(_ objection: String) { finish(.failure(RoostError(.conflict, objection))) }

    private func finish(_ verdict: Result<String, RoostError>) {
        guard let onVerdict else { return }
        cancel()
        onVerdict(verdict)
    }

    /// Nobody wants to know any more.
    func cancel() {
        onVerdict = nil
        instance?.close()
        instance = nil
        evaluator?.close()
        evaluator = nil
    }

    // MARK: measuring one version

    private func measure(
        _ candidate: Candidate, _ instance: LoneInstance, _ onMeasured: @escaping (Result<Double, RoostError>) -> Void
    ) {
        self.instance = instance
        self.onMeasured = { [unowned self] result in
            self.instance?.close()
            self.instance = nil
            onMeasured(result)
        }
        replies = []
        askNext(candidate, 0)
    }

    private func askNext(_ candidate: Candidate, _ batch: Int) {
        guard let rows, let instance else { return }
        guard batch < rows.bodies.count else { return evaluate(candidate, rows.labelled) }
        instance.ask(rows.bodies[batch], contentType: "text/csv", accept: nil, within: patience) {
            [unowned self] result in
            switch result {
            case .success(let answer) where answer.status == 200:
                replies.append(answer.body)
                askNext(candidate, batch + 1)
            case .success(let answer):
                let words = ModelAnswers.refusal(answer.body) ?? "status \(answer.status)"
                onMeasured(.failure(RoostError(.pluginFailed, rows.labelled.message(words, of: rows.range(batch)))))
            case .failure(let error):
                let lines = rows.range(batch).map { rows.labelled.lines[$0] }
                let place = "\(rows.labelled.file): lines \(lines.first ?? 0) to \(lines.last ?? 0)"
                onMeasured(.failure(RoostError(.pluginFailed, "\(place): \(error)")))
            }
        }
    }

    private func evaluate(_ candidate: Candidate, _ rows: LabelledRows) {
        let (replies, metric, threshold) = (replies, policy.metric, threshold)
        let (task, signature) = (candidate.artifact.card?.task, candidate.verification.signature)
        self.replies = []
        evaluator?.submit {
            do throws(RoostError) {
                let answers = try ModelAnswers(replies, of: rows)
                let task = if let task { task } else { try TaskDescription(of: signature) }
                return .success(try Observations(rows, answers, as: task, threshold: threshold).measured(metric))
            } catch { return .failure(error) }
        }
    }
}

/// The rows of a gate with the requests made of them, off the loop.
struct GateRows: Sendable {
    let labelled: LabelledRows
    let bodies: [[UInt8]]

    init(_ rows: LabelledRows) {
        labelled = rows
        bodies = stride(from: 0, to: rows.count, by: rows.batchRows).map { first in
            rows.body(first..<min(first + rows.batchRows, rows.count))
        }
    }

    /// The rows of one request.
    func range(_ batch: Int) -> Range<Int> {
        let first = batch * labelled.batchRows
        return first..<min(first + labelled.batchRows, labelled.count)
    }
}

extension Observations {
    /// The metric as the gate wants it: no value is a reason not to serve.
    fileprivate func measured(_ metric: QualityMetric) throws(RoostError) -> Double {
        do throws(UndefinedMetric) { return try value(of: metric) } catch {
            throw RoostError(.invalidArgument, "\(error)")
        }
    }
}
