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
    /// `classification`, `regression`, …: for people.
    public let task: String?
    public let columns: [CardColumn]
    /// Everything, as it was written.
    public let json: JSONValue

    /// - Throws: where a known key has a wrong type or value.
    public init(_ document: JSONDocument) throws(JSONError) {
        let root = document.root
        _ = try root.members()
        description = try root["description"]?.string()
        task = try root["task"]?.string()
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

    private static func range(_ cursor: JSONCursor) throws(JSONError) -> ClosedRange<Double> {
        let bounds = try cursor.elements()
        guard bounds.count == 2 else { throw cursor.error("\(cursor.path) must be [smallest, largest]") }
        let (low, high) = (try bounds[0].number(), try bounds[1].number())
        guard low <= high else { throw cursor.error("\(cursor.path) must be [smallest, largest]") }
        return low...high
    }
}
