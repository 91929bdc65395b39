internal import RoostBasics
internal import RoostTensors

/// How the columns of one file meet those of one model: which field fills what, which ones go on to the output.
struct BulkColumns {
    /// What one field of a CSV record is for.
    struct Use {
        /// The column that it fills; -1 for none.
        var column = -1
        /// It holds a plain number, which goes into a FP32 matrix.
        var isPlain = false
        /// Its text goes on to the output.
        var isKept = false
    }

    /// CSV: by the place of the field.
    private(set) var uses: [Use] = []
    /// What goes on to the output: names there. JSON Lines: of the members, when not all do.
    private(set) var keptNames: [String] = []
    /// The whole record goes on as it stands.
    private(set) var keepsAll = false
    private let table: [String]

    /// - Throws: `.invalidArgument` naming the column that is unknown, absent, or there twice.
    init(_ plan: BulkPlan, _ layout: InputLayout) throws(RoostError) {
        table = layout.matrix?.names.names ?? layout.inputNames.names
        switch plan.input {
        case .csv: try matchFields(plan, layout)
        case .jsonLines: try chooseMembers(plan)
        }
    }

    private mutating func chooseMembers(_ plan: BulkPlan) throws(RoostError) {
        keptNames = plan.ids
        switch plan.passThrough {
        case .none: break
        case .named(let names): keptNames += names.filter { !plan.ids.contains($0) }
        case .all:
            keepsAll = true
            guard plan.output == .jsonLines else {
                throw RoostError(
                    .invalidArgument,
                    "CSV out of JSON Lines needs the names of the columns to pass through: the rows may have any")
            }
        }
    }

    private mutating func matchFields(_ plan: BulkPlan, _ layout: InputLayout) throws(RoostError) {
        if layout.matrix == nil {
            guard layout.signature.inputs.allSatisfy({ $0.shape.dropFirst().allSatisfy { $0 == 1 } }) else {
                throw RoostError(.invalidArgument, "this model's inputs are no table: give JSON Lines instead of CSV")
            }
        }
        let chosen: [String]
        if case .named(let names) = plan.passThrough { chosen = names } else { chosen = [] }
        for name in plan.ids + chosen where !plan.columns.contains(name) {
            throw RoostError(
                .invalidArgument, "line 1: unknown column \"\(name)\": the file has \(Complaint.list(plan.columns))")
        }
        let fields = try places(plan, layout, chosen)
        for (index, name) in plan.columns.enumerated() {
            var use = Use(column: fields[index] ?? -1)
            use.isPlain = use.column >= 0 && Self.isPlain(use.column, layout)
            use.isKept = plan.passThrough == .all || plan.ids.contains(name) || chosen.contains(name)
            uses.append(use)
            if use.isKept { keptNames.append(Self.shownName(plan, index, fields[index].map { table[$0] })) }
        }
        guard plan.output == .csv else { return try refuseTwins() }
        keepsAll = plan.passThrough == .all
    }

    /// Without a header, what fills a column of the model is called like that.
    private static func shownName(_ plan: BulkPlan, _ index: Int, _ column: String?) -> String {
        plan.hasHeader ? plan.columns[index] : column ?? "column_\(index + 1)"
    }

    private static func isPlain(_ column: Int, _ layout: InputLayout) -> Bool {
        guard let matrix = layout.matrix else { return false }
        return layout.signature.inputs[0].dtype == .float32 && matrix.categories[column] == nil
    }

    /// An object has each member once.
    private func refuseTwins() throws(RoostError) {
        var seen: Set<String> = []
        for name in keptNames where !seen.insert(name).inserted {
            throw RoostError(.invalidArgument, "line 1: column \"\(name)\" appears twice")
        }
    }

    // MARK: matching

    /// By field, the column that it fills: by name where there are names, else by position.
    private func places(_ plan: BulkPlan, _ layout: InputLayout, _ chosen: [String]) throws(RoostError) -> [Int?] {
        guard plan.hasHeader else { return try positions(plan, chosen) }
        var byName: [String: Int] = [:]
        for (place, name) in table.enumerated() where byName[name] == nil { byName[name] = place }
        let found = plan.columns.map { plan.ids.contains($0) ? nil : byName[$0] }
        if layout.matrix?.isUnnamed == true, found.allSatisfy({ $0 == nil }) { return try positions(plan, chosen) }
        var seen = Set<Int>()
        for place in found {
            guard let place else { continue }
            guard seen.insert(place).inserted else {
                throw RoostError(.invalidArgument, "line 1: column \"\(table[place])\" appears twice")
            }
        }
        guard let absent = table.indices.first(where: { !seen.contains($0) }) else { return found }
        if plan.ids.contains(table[absent]) {
            throw RoostError(.invalidArgument, "column \"\(table[absent])\" is an input of the model, and no id")
        }
        let unknown = plan.columns.indices.filter { found[$0] == nil }.map { plan.columns[$0] }
        let hint = unknown.isEmpty ? "" : "; unknown: \(Complaint.list(unknown))"
        throw RoostError(.invalidArgument, "line 1: column \"\(table[absent])\" is absent\(hint)")
    }

    private func positions(_ plan: BulkPlan, _ chosen: [String]) throws(RoostError) -> [Int?] {
        var next = 0
        let places = plan.columns.map { name -> Int? in
            let isOther = plan.ids.contains(name) || chosen.contains(name) || (plan.hasHeader && name.isID)
            defer { next += isOther ? 0 : 1 }
            return isOther ? nil : next
        }
        guard next == table.count else {
            throw RoostError(.invalidArgument, "line 1: expected \(table.count) columns, got \(next)")
        }
        return places
    }
}

extension String {
    /// Whether this is what ids are mostly called, in small or capital letters.
    fileprivate var isID: Bool { utf8.count == 2 && utf8.elementsEqual("id".utf8) { $0 | 0x20 == $1 } }
}
