internal import RoostBasics
internal import RoostEvaluation
internal import RoostFunctions
internal import RoostJSON
internal import RoostLoad
internal import RoostShell

/// A page of the command line: `roost diff`.
let diffCommand = Command(
    name: "diff", operands: "OLD NEW [ROWS]", summary: "compare two models on the same rows",
    details: [
        """
        Shows what callers of OLD would notice of NEW's signature, how often the two agree, the rows on which they differ \
        most, speed and size. OLD and NEW are versions (credit@2), functions, or files, for which no host is needed.
        """,
        """
        ROWS is CSV or JSON as `roost predict` takes them. Without it, rows are made from OLD's signature: they show \
        that two models differ, not how much that matters.
        """,
    ],
    options: Option.host + [
        diffLabelOption,
        Option("json", "print the report as JSON"),
    ],
    examples: [
        Example("roost diff credit@2 credit@3 rows.csv", "two versions"),
        Example("roost diff credit@2 ./credit.ubj rows.csv", "what serves, and what would be dropped"),
        Example("roost diff credit@2 credit@3 test.csv --label default --json", "rows that have labels"),
    ],
    run: { call in
        let operands = try call.operands(2...3)
        let old = try AskedModel(call, operands[0])
        defer { old.close() }
        let new = try AskedModel(call, operands[1])
        defer { new.close() }
        let rows = try ComparedRows(call, operands.count > 2 ? operands[2] : nil, for: old)
        let diff = try ModelDiff(old, new, on: rows)
        try call.surroundings.write(
            Array((call.has(.json) ? diff.json.pretty + "\n" : diff.text).utf8), to: .output)
        return 0
    })

/// Rows to compare models on, each as a request of its own.
struct ComparedRows {
    /// For people: where they come from.
    let source: String
    let contentType: String
    private(set) var bodies: [[UInt8]] = []
    /// Several rows in one request, and how many: for speed.
    let batch: (body: [UInt8], rows: Int)

    /// Rows that are compared at most.
    static let rowsMax = 10_000
    static let batchRows = 256

    /// - Parameter file: nil makes rows from the model's signature.
    init(_ call: Call, _ file: String?, for model: AskedModel) throws {
        if let file, let label = call.value(of: diffLabelOption) {
            let rows = try LabelledRows(
                csv: try readWhole(file, limit: EvaluateOption.dataMax), file: file, label: label)
            let count = min(rows.count, Self.rowsMax)
            (source, contentType) = ("\(count) rows of \(file)", "text/csv")
            bodies = (0..<count).map { rows.body($0..<$0 + 1) }
            let together = min(count, Self.batchRows)
            batch = (rows.body(0..<together), together)
            return
        }
        var single = try Self.requests(call, file, model, rowsPerRequest: 1)
        let count = min(single.count, Self.rowsMax)
        source = file.map { "\(count) rows of \($0)" } ?? "\(count) rows made from the signature"
        contentType = single.kind.contentType
        for _ in 0..<count { bodies.append(single.next()) }
        let together = min(count, Self.batchRows)
        var several = try Self.requests(call, file, model, rowsPerRequest: together)
        batch = (several.next(), together)
    }

    private static func requests(
        _ call: Call, _ file: String?, _ model: AskedModel, rowsPerRequest: Int
    ) throws -> RequestBodies {
        guard let file else {
            do throws(RoostError) {
                return try RequestBodies(madeFor: model.signature, asRows: true, rowsPerRequest: rowsPerRequest)
            } catch { throw Failure("\(model.name): \(error)") }
        }
        let (text, type) = try readRows(call, file)
        do throws(RoostError) {
            let bodies =
                switch type {
                case .csv: try RequestBodies(csv: text, for: model.signature, rowsPerRequest: rowsPerRequest)
                case .json: try RequestBodies(json: text, rowsPerRequest: rowsPerRequest)
                }
            guard bodies.kind != .tensors else {
                throw RoostError(.invalidArgument, "it is a whole v2 request: give rows")
            }
            return bodies
        } catch { throw Failure("\(file): \(error)") }
    }

    /// A row as people know it: the last line of CSV, or the JSON.
    func text(_ row: Int) -> String {
        let lines = String(decoding: bodies[row], as: UTF8.self).split(whereSeparator: \.isNewline)
        return lines.last.map(String.init) ?? ""
    }
}

extension RequestBodies {
    fileprivate mutating func next() -> [UInt8] {
        var body = ByteBuffer()
        appendNext(to: &body)
        var bytes: [UInt8] = []
        bytes.append(body.bytes)
        return bytes
    }
}

private let diffLabelOption = Option(
    "label", value: "COLUMN", "a column of ROWS to leave out, as `roost evaluate` has it")
