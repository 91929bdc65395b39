import RoostBasics
import RoostTensors

/// CSV rows, with or without a header.
extension RequestDecoder {
    /// Reads a whole body.
    /// - Returns: the number of rows appended, not yet committed.
    func csv(_ cursor: inout JSONCursor, _ batch: TensorBatch) throws(Refusal) -> Int {
        if cursor.matches("\u{FEFF}", at: 0) { cursor.at = 3 }
        var line = 1
        let names = try columnNames()
        cursor.skipEmptyLines(&line)
        if let matrix = layout.matrix { try settle(0, batch) { _ in matrix.columns.count } }
        let first = cursor
        let firstLine = line
        let fields = try record(&cursor, &line, names)
        if try !header(fields, cursor, names, firstLine) {
            cursor = first
            line = firstLine
        }
        var rows = 0
        while true {
            cursor.skipEmptyLines(&line)
            guard cursor.at < cursor.end else { return rows }
            try row(&cursor, &line, rows, batch, names)
            rows += 1
        }
    }

    /// What the fields fill: columns of the matrix, or inputs of one element each.
    private func columnNames() throws(Refusal) -> NameIndex {
        if let matrix = layout.matrix { return matrix.names }
        guard signature.inputs.allSatisfy({ $0.shape.dropFirst().allSatisfy { $0 == 1 } }) else {
            throw invalid("this model's inputs are no table: send JSON instead of CSV")
        }
        return layout.inputNames
    }

    /// Of the first record, unless the model has as many columns: each is remembered in far more bytes than it takes.
    private static let headerFieldsMax = 65_536

    /// Reads the fields of the first record.
    private func record(
        _ cursor: inout JSONCursor, _ line: inout Int, _ names: NameIndex
    ) throws(Refusal) -> [CSVField] {
        var fields: [CSVField] = []
        let most = max(Self.headerFieldsMax, 2 * names.count)
        repeat {
            let site = line
            guard fields.count < most else { throw invalid("line \(line): more than \(most) columns") }
            do { fields.append(cursor.trimmed(try cursor.field(&line))) } catch {
                throw malformed(error, line: site)
            }
        } while cursor.takeComma(&line)
        return fields
    }

    private func malformed(_ fault: Fault, line: Int) -> Refusal {
        if case .syntax(let expected) = fault.kind { return invalid("line \(line): expected \(expected)") }
        return invalid("line \(line): the text is not UTF-8")
    }

    /// Works out which column each field fills, from the first record.
    /// - Returns: whether that record is a header.
    private func header(
        _ fields: [CSVField], _ cursor: JSONCursor, _ names: NameIndex, _ line: Int
    ) throws(Refusal) -> Bool {
        let texts = fields.map { (try? cursor.bytes($0)) ?? cursor.slice($0.start, $0.end) }
        let places = texts.map { names.place(of: $0, hint: 0) }
        let isID = texts.indices.map { places[$0] == nil && cursor.reads(fields[$0], "id") }
        let isNamed = texts.indices.allSatisfy { places[$0] != nil || isID[$0] } && places.contains { $0 != nil }
        fieldColumns.removeAll(keepingCapacity: true)
        guard isNamed || isHeader(fields, texts, places, cursor) else {
            guard fields.count == names.count else {
                throw invalid("line \(line): expected \(names.count) columns, got \(fields.count)")
            }
            fieldColumns.append(contentsOf: (0..<names.count).map { $0 })
            return false
        }
        let isUnnamed = layout.matrix?.isUnnamed == true && places.allSatisfy { $0 == nil }
        if isUnnamed {
            // The model knows no names, so that those of the file cannot be checked: by position.
            var next = 0
            for index in fields.indices {
                fieldColumns.append(isID[index] ? nil : next)
                next += isID[index] ? 0 : 1
            }
            guard next == names.count else {
                throw invalid("line \(line): expected \(names.count) columns, got \(next)")
            }
            return true
        }
        for (index, place) in places.enumerated() {
            guard place != nil || isID[index] else {
                throw invalid("line \(line): unknown column \"\(texts[index].string)\"")
            }
            if let place, fieldColumns.contains(place) {
                throw invalid("line \(line): column \"\(names.names[place])\" appears twice")
            }
            fieldColumns.append(place)
        }
        if let absent = (0..<names.count).first(where: { !fieldColumns.contains($0) }) {
            throw invalid("line \(line): column \"\(names.names[absent])\" is absent")
        }
        return true
    }

    /// Whether a record that is not made of known names alone is still a header: it names some columns, or holds
    /// neither a number nor a word that its column knows.
    private func isHeader(
        _ fields: [CSVField], _ texts: [BytesElement], _ places: [Int?], _ cursor: JSONCursor
    ) -> Bool {
        if fields.contains(where: { cursor.isNumeric($0) }) { return false }
        if places.contains(where: { $0 != nil }) { return true }
        guard let matrix = layout.matrix else {
            return !signature.inputs.contains { $0.dtype == .bytes || $0.dtype == .bool }
        }
        return !texts.indices.contains { index in
            guard index < matrix.columns.count, let words = matrix.categories[index] else { return false }
            return words.place(of: texts[index], hint: 0) != nil
        }
    }

    private func row(
        _ cursor: inout JSONCursor, _ line: inout Int, _ row: Int, _ batch: TensorBatch, _ names: NameIndex
    ) throws(Refusal) {
        let start = line
        let matrix = layout.matrix
        for input in batch.inputs { input.grow(by: input.rowElements) }
        let isFloat = matrix != nil && batch.inputs[0].dtype == .float32
        var count = 0
        var hasMore = true
        while hasMore {
            guard count < fieldColumns.count else {
                repeat {
                    do { _ = try cursor.field(&line) } catch { throw malformed(error, line: line) }
                    count += 1
                } while cursor.takeComma(&line)
                throw invalid("line \(start): expected \(fieldColumns.count) columns, got \(count)")
            }
            let column = fieldColumns[count]
            if let column {
                let input = batch.inputs[matrix == nil ? column : 0]
                let index = input.count - input.rowElements + (matrix == nil ? 0 : column)
                let isPlain = isFloat && matrix?.categories[column] == nil
                try csvCell(&cursor, &line, column, input, index, names, isPlain: isPlain)
            } else {
                do { _ = try cursor.field(&line) } catch { throw malformed(error, line: line) }
            }
            count += 1
            hasMore = cursor.takeComma(&line)
        }
        guard count == fieldColumns.count else {
            throw invalid("line \(start): expected \(fieldColumns.count) columns, got \(count)")
        }
    }

    @inline(__always) private func csvCell(
        _ cursor: inout JSONCursor, _ line: inout Int, _ column: Int, _ input: TensorBuffer, _ index: Int,
        _ names: NameIndex, isPlain: Bool
    ) throws(Refusal) {
        let start = cursor.at
        if isPlain {
            if let value = Float.quick(&cursor), cursor.isAtFieldEnd { return input.set(value, at: index) }
            cursor.at = start
            if cursor.isAtNumber, let value = try? Float.read(&cursor), cursor.isAtFieldEnd {
                return input.set(value, at: index)
            }
        }
        cursor.at = start
        let site = line
        let field: CSVField
        do { field = cursor.trimmed(try cursor.field(&line)) } catch { throw malformed(error, line: site) }
        try value(cursor, field, column, input, index) { "line \(site), column \"\(names.names[column])\"" }
    }

    /// Stores the value of a field that is no plain number.
    /// - Parameter place: for the error: `line 3, column "age"`.
    func value(
        _ cursor: JSONCursor, _ field: CSVField, _ column: Int, _ input: TensorBuffer, _ index: Int, place: () -> String
    ) throws(Refusal) {
        let isEmpty = field.start == field.end
        let words = layout.matrix?.categories[column]
        if input.dtype == .bytes {
            do { _ = try cursor.bytes(field) } catch { throw invalid("\(place()): the text is not UTF-8") }
            return input.set(cursor.copy(field), at: index)
        }
        if isEmpty || (words == nil && cursor.reads(field, "nan")) {
            let isRefused = layout.matrix.map { !$0.columns[column].missingAllowed } ?? false
            guard input.dtype.isFloatingPoint, !isRefused else {
                throw invalid("\(place()): is missing, and this column must not be")
            }
            return input.set(number: .nan, at: index)
        }
        if let words {
            let bytes = try? cursor.bytes(field)
            guard let found = bytes.flatMap({ words.place(of: $0, hint: 0) }) else {
                let known = Complaint.list(words.names)
                throw invalid(
                    "\(place()): unknown category \"\(cursor.shown(field.start, field.end))\", expected one of \(known)"
                )
            }
            return input.set(number: Double(found), at: index)
        }
        if input.dtype.isFloatingPoint, let special = cursor.special(field) {
            return input.set(number: special, at: index)
        }
        if input.dtype == .bool, let truth = truth(cursor, field) { return input.set(Truth(byte: truth), at: index) }
        var probe = cursor.moved(to: field.start)
        do throws(Fault) {
            guard probe.isAtNumber else { throw Fault(.type, at: field.start) }
            try probe.element(into: input, at: index)
            guard probe.at == field.end else { throw Fault(.type, at: field.start) }
        } catch {
            let shown = cursor.shown(field.start, field.end)
            if case .range = error.kind {
                throw invalid("\(place()): number out of range: \(shown) does not fit \(input.dtype.name)")
            }
            throw invalid("\(place()): expected \(Complaint.expectation(input.dtype)), got \"\(shown)\"")
        }
    }

    private func truth(_ cursor: JSONCursor, _ field: CSVField) -> UInt8? {
        if cursor.reads(field, "true") || cursor.reads(field, "1") { return 1 }
        if cursor.reads(field, "false") || cursor.reads(field, "0") { return 0 }
        return nil
    }
}
