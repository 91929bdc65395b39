internal import RoostBasics
internal import RoostEvaluation
internal import RoostFiles
internal import RoostJSON
internal import RoostShell

/// A page of the command line: `roost evaluate`.
let evaluateCommand = Command(
    name: "evaluate", operands: "TARGET… DATA.csv", summary: "measure models on labelled rows, beside each other",
    details: [
        """
        DATA.csv has a header; one of its columns holds the labels, the others are put to each model. A TARGET is a \
        version (credit@3), a function (credit: the version with the highest share), or a file, for which no host is \
        needed.
        """,
        """
        Metrics are those of scikit-learn, by the model's task: from its card, else from its outputs (a score with a \
        label is binary, several with a label are classes, a number alone is regression). Intervals are 95 % by \
        bootstrap. Two lines show what becomes of the model when each number moves by 1 % of its column's standard \
        deviation, and when one cell in twenty is missing.
        """,
        "Exit code 0: every gate is met; 1: a gate is missed, or the data is wrong.",
    ],
    options: Option.host + EvaluateOption.all + [Option("json", "print the report as JSON")],
    examples: [
        Example("roost evaluate credit@2 credit@3 test.csv --label y", "two versions"),
        Example("roost evaluate credit.ubj test.csv --label y --gate 'auc>=0.95'", "before a drop"),
        Example("roost evaluate prices@4 test.csv --label price --json", "for programs"),
        Example("roost evaluate shop@1 test.csv --label y --task ranking --group query", "an order"),
    ],
    run: { call in
        let operands = try call.operands(2...64)
        let targets = operands.dropLast()
        guard let file = operands.last, let label = call.value(of: EvaluateOption.label) else {
            throw UsageError("--label COLUMN is missing: it says which column of the data holds the labels")
        }
        let gates = try EvaluateOption.gates(call)
        let task = try EvaluateOption.task(call)
        let threshold = try call.value(of: EvaluateOption.threshold, as: "a number") { Double($0) }
        let text = try readWhole(file, limit: EvaluateOption.dataMax)
        let rows: LabelledRows
        do throws(RoostError) {
            rows = try LabelledRows(csv: text, file: file, label: label, group: call.value(of: EvaluateOption.group))
        } catch { throw Failure("\(error)") }
        let evaluations = try targets.map { target in
            let model = try AskedModel(call, target)
            defer { model.close() }
            return try ModelEvaluation(of: model, on: rows, as: task, threshold: threshold)
        }
        let report = EvaluationReport(
            data: file, label: label, rows: rows.count, evaluations: evaluations, gates: gates)
        try call.surroundings.write(
            Array((call.has(.json) ? report.json.pretty + "\n" : report.text).utf8), to: .output)
        for miss in report.misses { try call.printError(miss) }
        return report.misses.isEmpty ? 0 : 1
    })

/// Options of `roost evaluate`.
enum EvaluateOption {
    static let label = Option("label", value: "COLUMN", "the column that holds the labels")
    static let gate = Option(
        "gate", value: "EXPR", "what must be reached, like 'auc>=0.95' or 'rmse<=3.2'; may be given again")
    static let taskName = Option(
        "task", value: "TASK", "binary, multiclass, regression or ranking, instead of what the model says")
    static let positive = Option("positive", value: "CLASS", "the positive one of two classes (default: the second)")
    static let group = Option("group", value: "COLUMN", "for rankings: the column that says which rows belong together")
    static let threshold = Option(
        "threshold", value: "NUMBER",
        "decide for the positive class from this score on, instead of by the model's label")

    static let all = [label, gate, taskName, positive, group, threshold]

    /// A file is read whole.
    static let dataMax = ByteCount(bytes: 1 << 30)

    static func gates(_ call: Call) throws -> [Gate] {
        try call.arguments.values(of: gate.name.long).map { text in
            do throws(GateError) { return try Gate(parsing: text) } catch { throw UsageError("--gate: \(error)") }
        }
    }

    static func task(_ call: Call) throws -> TaskDescription? {
        let words = ModelTask.allCases.map(\.rawValue).joined(separator: ", ")
        let task = try call.value(of: taskName, as: words) { ModelTask(rawValue: $0) }
        let positive = call.value(of: positive)
        guard task != nil || positive != nil else { return nil }
        guard positive == nil || task == nil || task == .binary else {
            throw UsageError("--positive is for binary models")
        }
        return TaskDescription(task ?? .binary, positive: positive)
    }
}

/// The whole file at `path`, refused above `limit`.
func readWhole(_ path: String, limit: ByteCount) throws -> [UInt8] {
    let file = try FileDescriptor(reading: path)
    let size = try file.status().size
    guard size <= limit.bytes else { throw Failure("\(path) has \(ByteCount(bytes: size)), the limit is \(limit)") }
    return try file.read(size, at: 0)
}
