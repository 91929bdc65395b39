import RoostBasics
import RoostTensors

/// JSON rows: `[[…], …]`, `[{…}, …]`, one row `[…]`, or one object `{…}`.
extension RequestDecoder {
    /// Reads a whole body of rows.
    /// - Returns: the number of rows appended, not yet committed.
    func rows(_ cursor: inout JSONCursor, _ batch: TensorBatch) throws(Refusal) -> Int {
        cursor.skipSpace()
        let count = try rowsValue(&cursor, batch)
        try cursor.syntax { (cursor) throws(Fault) in try cursor.finish() }
        return count
    }

    /// Reads one value that holds rows; what follows is the caller's.
    func rowsValue(_ cursor: inout JSONCursor, _ batch: TensorBatch) throws(Refusal) -> Int {
        for index in seenInputs.indices { seenInputs[index] = -1 }
        for index in seenColumns.indices { seenColumns[index] = -1 }
        guard cursor.current == .openBracket else {
            guard cursor.current == .openBrace else {
                throw invalid("expected rows, an array or an object, got \(cursor.described(cursor.at))")
            }
            try row(&cursor, 0, batch)
            return 1
        }
        var probe = cursor
        probe.at += 1
        probe.skipSpace()
        guard probe.current == .openBracket || probe.current == .openBrace || probe.current == .closeBracket else {
            try row(&cursor, 0, batch)
            return 1
        }
        cursor = probe
        if cursor.take(.closeBracket) { return 0 }
        var count = 0
        repeat {
            try row(&cursor, count, batch)
            count += 1
        } while try cursor.syntax { (cursor) throws(Fault) in try cursor.separator(.closeBracket, "',' or ']'") }
        return count
    }

    private func row(_ cursor: inout JSONCursor, _ row: Int, _ batch: TensorBatch) throws(Refusal) {
        if cursor.current == .openBrace {
            if let matrix = layout.matrix { return try columnsObject(&cursor, row, matrix, batch) }
            if layout.isFreeMatrix { throw invalid("row \(row + 1): expected an array of numbers, got an object") }
            return try inputsObject(&cursor, row, batch)
        }
        if let matrix = layout.matrix {
            guard cursor.current == .openBracket else {
                throw invalid(
                    "row \(row + 1): expected an array of \(matrix.columns.count) values or an object, got "
                        + cursor.described(cursor.at))
            }
            try settle(0, batch) { _ in matrix.columns.count }
            try columnsArray(&cursor, row, matrix, batch)
        } else if layout.isFreeMatrix, cursor.current == .openBracket {
            let width = try cursor.syntax { (cursor) throws(Fault) in try cursor.elementCount().get() }
            guard width > 0 else { throw invalid("row \(row + 1) is empty") }
            if row > 0, batch.inputs[0].rowElements != width {
                throw invalid("row \(row + 1): expected \(batch.inputs[0].rowElements) values as row 1, got \(width)")
            }
            try settle(0, batch) { _ in width }
            try wholeRow(&cursor, row, batch.inputs[0]) { "value \($0 + 1)" }
        } else {
            let names = Complaint.list(layout.inputNames.names)
            throw invalid(
                "row \(row + 1): expected an object with \(names), got \(cursor.described(cursor.at))")
        }
    }

    /// A row by position.
    private func columnsArray(
        _ cursor: inout JSONCursor, _ row: Int, _ matrix: InputLayout.Matrix, _ batch: TensorBatch
    ) throws(Refusal) {
        let input = batch.inputs[0]
        guard matrix.hasCategories else {
            return try wholeRow(&cursor, row, input) { "column \"\(matrix.columns[$0].name)\"" }
        }
        let (start, first) = (cursor.at, input.grow(by: input.rowElements))
        cursor.at += 1
        cursor.skipSpace()
        var (column, hasMore) = (0, !cursor.take(.closeBracket))
        while hasMore {
            guard column < input.rowElements else { throw width(cursor.moved(to: start), row, input.rowElements) }
            try cell(&cursor, matrix, column, input, first + column, declared: nil, row: row)
            column += 1
            hasMore = try cursor.syntax { (cursor) throws(Fault) in
                try cursor.separator(.closeBracket, "',' or ']'")
            }
        }
        guard column == input.rowElements else { throw width(cursor.moved(to: start), row, input.rowElements) }
    }

    /// A row of plain numbers: the common case, read in one run.
    private func wholeRow(
        _ cursor: inout JSONCursor, _ row: Int, _ input: TensorBuffer, _ name: (Int) -> String
    ) throws(Refusal) {
        let start = cursor.at
        let first = input.grow(by: input.rowElements)
        cursor.at += 1
        let read: Int
        do { read = try cursor.run(into: input, at: first, limit: input.rowElements) } catch {
            if case .surplus = error.kind { throw width(cursor.moved(to: start), row, input.rowElements) }
            let site = "row \(row + 1), \(name(error.element))"
            throw .invalid(
                Complaint.value(error, at: site, expected: Complaint.expectation(input.dtype), input.dtype, cursor))
        }
        guard read == input.rowElements else { throw width(cursor.moved(to: start), row, input.rowElements) }
    }

    private func width(_ cursor: JSONCursor, _ row: Int, _ expected: Int) -> Refusal {
        switch cursor.elementCount() {
        case .success(let got): invalid("row \(row + 1): expected \(expected) values, got \(got)")
        case .failure(let fault): .invalid(Complaint.syntax(fault, cursor))
        }
    }

    /// A row by the names of its columns.
    private func columnsObject(
        _ cursor: inout JSONCursor, _ row: Int, _ matrix: InputLayout.Matrix, _ batch: TensorBatch
    ) throws(Refusal) {
        try settle(0, batch) { _ in matrix.columns.count }
        let input = batch.inputs[0]
        let first = input.grow(by: input.rowElements)
        var count = 0
        try cursor.object { (cursor, key) throws(Refusal) in
            let bytes = try cursor.syntax { (cursor) throws(Fault) in try cursor.bytes(key) }
            guard let column = matrix.names.place(of: bytes, hint: count) else {
                if passesUnknown { return try cursor.syntax { (cursor) throws(Fault) in try cursor.skipValue() } }
                throw invalid("row \(row + 1): unknown column \"\(cursor.string(key))\"")
            }
            guard seenColumns[column] != row else {
                throw invalid("row \(row + 1): column \"\(matrix.columns[column].name)\" appears twice")
            }
            seenColumns[column] = row
            count += 1
            try cell(&cursor, matrix, column, input, first + column, declared: nil, row: row)
        }
        if count < matrix.columns.count, let absent = seenColumns.firstIndex(where: { $0 != row }) {
            throw invalid("row \(row + 1): column \"\(matrix.columns[absent].name)\" is absent")
        }
    }

    /// A row by the names of the model's inputs.
    private func inputsObject(_ cursor: inout JSONCursor, _ row: Int, _ batch: TensorBatch) throws(Refusal) {
        var count = 0
        try cursor.object { (cursor, key) throws(Refusal) in
            let bytes = try cursor.syntax { (cursor) throws(Fault) in try cursor.bytes(key) }
            guard let place = layout.inputNames.place(of: bytes, hint: count) else {
                if passesUnknown { return try cursor.syntax { (cursor) throws(Fault) in try cursor.skipValue() } }
                throw invalid(
                    "row \(row + 1): unknown input \"\(cursor.string(key))\": expected \(Complaint.list(layout.inputNames.names))"
                )
            }
            guard seenInputs[place] != row else {
                throw invalid("row \(row + 1): input \"\(signature.inputs[place].name)\" appears twice")
            }
            seenInputs[place] = row
            count += 1
            try inputValue(&cursor, row, place, batch)
        }
        if count < signature.inputs.count, let absent = seenInputs.firstIndex(where: { $0 != row }) {
            throw invalid("row \(row + 1): input \"\(signature.inputs[absent].name)\" is absent")
        }
    }

    /// One row of one input: an element, or arrays within each other as the trailing dimensions say.
    private func inputValue(
        _ cursor: inout JSONCursor, _ row: Int, _ place: Int, _ batch: TensorBatch
    ) throws(Refusal) {
        let spec = signature.inputs[place]
        let input = batch.inputs[place]
        let site = "row \(row + 1), input \"\(spec.name)\""
        if spec.shape.dropFirst().contains(where: { $0 < 0 }) {
            let extents = extents(cursor, spec.shape.count - 1)
            let fits = extents.indices.allSatisfy { extents[$0] > 0 && [-1, extents[$0]].contains(spec.shape[$0 + 1]) }
            guard fits, row == 0 || extents == input.trailing else {
                let expected = row == 0 ? Array(spec.shape.dropFirst()) : input.trailing
                throw .invalid(Complaint.shape(site, expected: expected, got: extents))
            }
            // Each element takes a byte and more: what is not there was promised by the first arrays only.
            guard let elements = Self.product(extents), elements <= cursor.end - cursor.at else {
                throw invalid("\(site): its arrays are not all as long as the first ones, \(extents)")
            }
            try settle(place, batch) { extents[$0] }
        }
        var next = input.grow(by: input.rowElements)
        let isBare = input.rowElements == 1 && cursor.current != .openBracket
        try values(&cursor, input, &next, level: isBare ? input.trailing.count : 0, site)
    }

    private func values(
        _ cursor: inout JSONCursor, _ input: TensorBuffer, _ next: inout Int, level: Int, _ site: String
    ) throws(Refusal) {
        guard level < input.trailing.count else {
            do { try cursor.element(into: input, at: next) } catch {
                throw .invalid(
                    Complaint.value(error, at: site, expected: Complaint.expectation(input.dtype), input.dtype, cursor))
            }
            next += 1
            return
        }
        guard cursor.take(.openBracket) else {
            throw invalid("\(site): expected an array, got \(cursor.described(cursor.at))")
        }
        cursor.skipSpace()
        let extent = input.trailing[level]
        var (count, hasMore) = (0, !cursor.take(.closeBracket))
        while hasMore {
            guard count < extent else { throw invalid("\(site): expected \(extent) elements, got more") }
            try values(&cursor, input, &next, level: level + 1, site)
            count += 1
            hasMore = try cursor.syntax { (cursor) throws(Fault) in
                try cursor.separator(.closeBracket, "',' or ']'")
            }
        }
        guard count == extent else { throw invalid("\(site): expected \(extent) elements, got \(count)") }
    }

    /// The extents of the arrays that are next, by their first elements; 0 where there is none.
    private func extents(_ cursor: JSONCursor, _ rank: Int) -> [Int] {
        var (probe, extents): (JSONCursor, [Int]) = (cursor, [])
        for _ in 0..<rank {
            extents.append((try? probe.elementCount().get()) ?? 0)
            _ = probe.take(.openBracket)
            probe.skipSpace()
        }
        return extents
    }
}
