public import RoostEvaluation
public import RoostJSON
public import RoostTensors

/// What a version says of itself; it travels inside its file as JSON.
///
/// Keys that this build does not know are kept and shown, not refused: cards are written by training programs,
/// which may say more than a host needs, and an old host must still take a new card.
public struct Card: Hashable, Sendable {
    /// A column with what only cards say of it.
    public struct CardColumn: Hashable, Sendable {
        public let column: Column
        /// The smallest and largest value seen in training; values beyond are allowed.
        public let range: ClosedRange<Double>?
    }

    public let description: String?
    /// What the model is for, with its classes; nil: as its outputs show.
    public let task: TaskDescription?
    public let columns: [CardColumn]
    /// Everything, as it was written.
    public let json: JSONValue

    /// - Throws: where a known key has a wrong type or value.
    public init(_ document: JSONDocument) throws(JSONError) {
        let root = document.root
        _ = try root.members()
        description = try root["description"]?.string()
        task = try Self.task(root)
        var columns: [CardColumn] = []
        var names: Set<String> = []
        for element in try root["columns"]?.elements() ?? [] {
            let column = try Column(element)
            guard names.insert(column.name).inserted else {
                throw element.error("two columns are named \"\(column.name)\"")
            }
            columns.append(CardColumn(column: column, range: try element["range"].map(Self.range)))
        }
        self.columns = columns
        json = document.value
    }

    /// `"task": "binary" | "multiclass" | "regression" | "ranking"`, `"classes": […]`, `"positive": "…"`.
    private static func task(_ root: JSONCursor) throws(JSONError) -> TaskDescription? {
        var classes: [String] = []
        for element in try root["classes"]?.elements() ?? [] {
            let name = try element.className()
            guard !classes.contains(name) else { throw element.error("class \"\(name)\" is named twice") }
            classes.append(name)
        }
        let positive = try root["positive"]?.className()
        guard let cursor = root["task"] else {
            guard let without = root["classes"] ?? root["positive"] else { return nil }
            throw without.error("\(without.path) says nothing without \"task\"")
        }
        let words = ModelTask.allCases.map(\.rawValue).joined(separator: ", ")
        guard let task = ModelTask(rawValue: try cursor.string()) else {
            throw cursor.error("task must be one of \(words)")
        }
        if let list = root["classes"] { try check(classes.count, of: task, list) }
        if let place = root["positive"], let positive {
            guard task == .binary else { throw place.error("positive is for binary models") }
            guard classes.isEmpty || classes.contains(positive) else {
                throw place.error("positive is \"\(positive)\", which is none of classes")
            }
        }
        return TaskDescription(task, classes: classes, positive: positive)
    }

    private static func check(_ count: Int, of task: ModelTask, _ list: JSONCursor) throws(JSONError) {
        switch task {
        case .binary: if count != 2 { throw list.error("classes of a binary model are two, got \(count)") }
        case .multiclass:
            if count < 2 { throw list.error("classes of a multiclass model are two or more, got \(count)") }
        case .regression, .ranking: throw list.error("a \(task.rawValue) model has no classes")
        }
    }

    private static func range(_ cursor: JSONCursor) throws(JSONError) -> ClosedRange<Double> {
        let bounds = try cursor.elements()
        guard bounds.count == 2 else { throw cursor.error("\(cursor.path) must be [smallest, largest]") }
        let (low, high) = (try bounds[0].number(), try bounds[1].number())
        guard low <= high else { throw cursor.error("\(cursor.path) must be [smallest, largest]") }
        return low...high
    }
}

extension JSONCursor {
    /// A class by its name or number.
    fileprivate func className() throws(JSONError) -> String {
        if let number = value.intValue { return "\(number)" }
        return try string()
    }
}
