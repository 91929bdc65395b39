internal import RoostBasics
internal import RoostShell
internal import RoostEvaluation
internal import RoostTensors

/// What a model is worth on labelled rows.
struct ModelEvaluation {
    enum Quality {
        case value(Double, ClosedRange<Double>?)
        case undefined(String)

        var value: Double? { if case .value(let value, _) = self { value } else { nil } }
    }

    /// What a disturbance of the rows does.
    enum Disturbed {
        case values([QualityMetric: Double])
        /// The model does not take such rows.
        case refused(String)
    }

    let name: String
    let task: ModelTask
    let metrics: [(metric: QualityMetric, quality: Quality)]
    /// With the classes' names; nil for numbers and rankings.
    let confusion: (names: [String], matrix: ConfusionMatrix)?
    let disturbed: [(disturbance: Disturbance, result: Disturbed)]
    let speed: Speed
    let byteCount: Int?

    /// - Throws: what is wrong with the rows, or why the model does not answer them.
    init(of model: AskedModel, on rows: LabelledRows, as given: TaskDescription?, threshold: Double?) throws {
        let task = try given ?? model.task ?? Self.derived(model)
        if task.task == .ranking, rows.groups.isEmpty {
            throw Failure("\(model.name) ranks rows: say by --group COLUMN which rows belong together")
        }
        // So that no load and no fork is in the figures.
        _ = try Self.answers(of: model, rows, rows.body, within: 0..<1)
        let start = now()
        let answers = try Self.answers(of: model, rows, rows.body)
        let took = now() - start
        let observations = try Observations(rows, answers, as: task, threshold: threshold)
        let all = QualityMetric.all(for: task.task)
        let intervals = observations.intervals(of: all)
        (name, byteCount, self.task) = (model.name, model.byteCount, task.task)
        metrics = all.map { metric in
            do throws(UndefinedMetric) {
                return (metric, .value(try observations.value(of: metric), intervals[metric]))
            } catch { return (metric, .undefined(error.reason)) }
        }
        if case .classes(let classes) = observations {
            confusion = (classes.names, ConfusionMatrix(classes))
        } else {
            confusion = nil
        }
        let named = Set(model.signature.columns.filter { $0.kind != .number }.map(\.name))
        disturbed = try Disturbance.allCases.map { disturbance in
            let worse = DisturbedRows(rows, disturbance, excepted: named)
            do {
                let answers = try Self.answers(of: model, rows, worse.body)
                return (disturbance, .values(try Self.values(rows, answers, task, threshold, all)))
            } catch let refusal as Refusal {
                return (disturbance, .refused(refusal.description))
            }
        }
        speed = try Speed(
            of: model, bodies: (0..<min(rows.count, Speed.singlesMax)).map { rows.body($0..<$0 + 1) },
            contentType: "text/csv", batched: (rows.count, took))
    }

    /// The metric that says most in one number.
    var headline: QualityMetric {
        switch task {
        case .binary: quality(.auc)?.value == nil ? .accuracy : .auc
        case .multiclass: .accuracy
        case .regression: .rmse
        case .ranking: .ndcg
        }
    }

    func quality(_ metric: QualityMetric) -> Quality? { metrics.first { $0.metric == metric }?.quality }

    private static func derived(_ model: AskedModel) throws -> TaskDescription {
        do throws(RoostError) { return try TaskDescription(of: model.signature) } catch {
            throw Failure("\(model.name): \(error): say it by --task")
        }
    }

    private static func values(
        _ rows: LabelledRows, _ answers: ModelAnswers, _ task: TaskDescription, _ threshold: Double?,
        _ metrics: [QualityMetric]
    ) throws -> [QualityMetric: Double] {
        let observations = try Observations(rows, answers, as: task, threshold: threshold)
        var values: [QualityMetric: Double] = [:]
        for metric in metrics { values[metric] = try? observations.value(of: metric) }
        return values
    }

    /// Asks in batches.
    private static func answers(
        of model: AskedModel, _ rows: LabelledRows, _ body: (Range<Int>) -> [UInt8], within range: Range<Int>? = nil
    ) throws -> ModelAnswers {
        let range = range ?? 0..<rows.count
        var answers = ModelAnswers()
        for first in stride(from: range.lowerBound, to: range.upperBound, by: rows.batchRows) {
            let batch = first..<min(first + rows.batchRows, range.upperBound)
            do {
                try answers.append(reply: try model.predict(body(batch)), rows: batch.count)
            } catch let refusal as Refusal {
                throw Refusal("\(model.name): \(rows.message(refusal.description, of: batch))")
            } catch let error as RoostError {
                throw Failure("\(model.name): \(error)")
            }
        }
        return answers
    }
}
