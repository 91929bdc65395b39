import RoostBasics
import RoostTensors

/// The `data` of a v2 tensor: flat, or nested as its shape.
extension RequestDecoder {
    func data(
        _ cursor: inout JSONCursor, _ text: TensorText, _ target: TensorText.Target, _ batch: TensorBatch
    ) throws(Refusal) {
        guard cursor.current == .openBracket else {
            throw invalid("\(label(target)): expected an array as \"data\", got \(cursor.described(cursor.at))")
        }
        switch target {
        case .input(let place): try inputData(&cursor, text, place, batch)
        case .column(let place): try columnData(&cursor, text, place, batch)
        }
    }

    private func inputData(
        _ cursor: inout JSONCursor, _ text: TensorText, _ place: Int, _ batch: TensorBatch
    ) throws(Refusal) {
        let elements = try self.elements(of: text, place)
        // An element takes a byte and more, so that no shape can ask for memory that the body does not pay for.
        guard elements <= cursor.end - cursor.at else { throw count(cursor, cursor.at, place, elements, text) }
        try agree(on: text.extents[0], .input(place))
        try settle(place, batch) { text.extents[$0 + 1] }
        let input = batch.inputs[place]
        let base = input.grow(by: elements)
        if cursor.isNested {
            var next = base
            try nested(&cursor, text, place, input, base, &next, level: 0)
        } else {
            let start = cursor.at
            try exactly(elements, &cursor, text, place, input, base, base)
            flatData = start..<cursor.at
        }
    }

    /// How many elements the input has by its shape, which must fit to the signature, as its datatype must.
    func elements(of text: TensorText, _ place: Int) throws(Refusal) -> Int {
        let spec = signature.inputs[place]
        guard text.dtype == spec.dtype else {
            let got = text.dtype?.name ?? ""
            throw invalid("input \"\(spec.name)\": expected datatype \(spec.dtype.name), got \(got)")
        }
        var fits = text.rank == spec.shape.count
        var elements = 1
        for dimension in 0..<text.rank where fits {
            let extent = text.extents[dimension]
            fits = dimension == 0 || spec.shape[dimension] == extent || (spec.shape[dimension] < 0 && extent > 0)
            let (product, overflow) = elements.multipliedReportingOverflow(by: extent)
            elements = overflow ? .max : product
        }
        guard fits else { throw .invalid(Complaint.shape(label(.input(place)), expected: spec.shape, got: text.shape)) }
        return elements
    }

    /// All tensors of a request have as many rows.
    func agree(on rows: Int, _ target: TensorText.Target) throws(Refusal) {
        guard tensorRows == nil || tensorRows == rows else {
            throw invalid("\(label(target)): expected \(tensorRows ?? 0) rows as the tensors before, got \(rows)")
        }
        tensorRows = rows
    }

    /// Reads arrays within arrays; `next` is the index of the element that comes.
    private func nested(
        _ cursor: inout JSONCursor, _ text: TensorText, _ place: Int, _ input: TensorBuffer, _ base: Int,
        _ next: inout Int, level: Int
    ) throws(Refusal) {
        let extent = text.extents[level]
        if level == text.rank - 1 {
            try exactly(extent, &cursor, text, place, input, base, next)
            next += extent
            return
        }
        let start = cursor.at
        guard cursor.take(.openBracket) else {
            throw invalid(
                "\(label(.input(place))): shape \(text.shape) needs an array at level \(level + 1) of \"data\","
                    + " got \(cursor.described(start))")
        }
        cursor.skipSpace()
        var (seen, hasMore) = (0, !cursor.take(.closeBracket))
        while hasMore {
            guard seen < extent else { throw count(cursor, start, place, extent, text) }
            try nested(&cursor, text, place, input, base, &next, level: level + 1)
            seen += 1
            hasMore = try cursor.syntax { (cursor) throws(Fault) in
                try cursor.separator(.closeBracket, "',' or ']'")
            }
        }
        guard seen == extent else { throw count(cursor, start, place, extent, text) }
    }

    /// Reads one array of elements, which must be `expected` many, into the places from `first` on.
    private func exactly(
        _ expected: Int, _ cursor: inout JSONCursor, _ text: TensorText, _ place: Int, _ input: TensorBuffer,
        _ base: Int, _ first: Int
    ) throws(Refusal) {
        let start = cursor.at
        guard cursor.take(.openBracket) else { throw count(cursor, start, place, expected, text) }
        let read: Int
        do { read = try cursor.run(into: input, at: first, limit: expected) } catch {
            if case .surplus = error.kind { throw count(cursor, start, place, expected, text) }
            let index = first + error.element - base
            var site = "\(label(.input(place))), data[\(index)]"
            if let matrix = layout.matrix {
                let name = matrix.names.names[index % input.rowElements]
                site = "\(label(.input(place))), row \(index / input.rowElements + 1), column \"\(name)\""
            }
            throw .invalid(
                Complaint.value(
                    error, at: site, expected: Complaint.expectation(input.dtype), input.dtype, cursor))
        }
        guard read == expected else { throw count(cursor, start, place, expected, text) }
    }

    /// The complaint about the array at `start`, which has not `expected` elements.
    private func count(
        _ cursor: JSONCursor, _ start: Int, _ place: Int, _ expected: Int, _ text: TensorText
    ) -> Refusal {
        var probe = cursor
        probe.at = start
        switch probe.elementCount() {
        case .success(let got):
            return invalid(
                "\(label(.input(place))): expected \(expected) elements in \"data\" for shape \(text.shape), got \(got)"
            )
        case .failure(let fault): return .invalid(Complaint.syntax(fault, probe))
        }
    }
}

/// One tensor per column.
extension RequestDecoder {
    private func columnData(
        _ cursor: inout JSONCursor, _ text: TensorText, _ place: Int, _ batch: TensorBatch
    ) throws(Refusal) {
        guard let matrix = layout.matrix, let dtype = text.dtype else { return }
        let rows = try columnRows(text, place, matrix)
        // Every column brings as many elements, each with a byte: what is more cannot be in the body.
        guard rows * matrix.columns.count <= cursor.total else { throw rowCount(place, rows, cursor) }
        let input = batch.inputs[0]
        let base = try beginColumn(rows, matrix, place, batch)
        let start = cursor.at
        let isNested = cursor.isNested
        cursor.at += 1
        cursor.skipSpace()
        var (row, hasMore) = (0, !cursor.take(.closeBracket))
        while hasMore {
            guard row < rows else { throw rowCount(place, rows, cursor.moved(to: start)) }
            if isNested {
                try cursor.syntax { (cursor) throws(Fault) in
                    try cursor.expect(.openBracket, "'['")
                    cursor.skipSpace()
                }
            }
            let index = base + row * input.rowElements + place
            try cell(&cursor, matrix, place, input, index, declared: dtype, row: row)
            if isNested {
                try cursor.syntax { (cursor) throws(Fault) in
                    cursor.skipSpace()
                    try cursor.expect(.closeBracket, "']'")
                }
            }
            row += 1
            hasMore = try cursor.syntax { (cursor) throws(Fault) in
                try cursor.separator(.closeBracket, "',' or ']'")
            }
        }
        guard row == rows else { throw rowCount(place, rows, cursor.moved(to: start)) }
    }

    /// How many rows the column has by its shape, which must be that of a column, as its datatype must.
    func columnRows(_ text: TensorText, _ place: Int, _ matrix: InputLayout.Matrix) throws(Refusal) -> Int {
        let isCategory = matrix.categories[place] != nil
        guard let dtype = text.dtype, isCategory ? dtype == .bytes : dtype != .bytes && dtype != .bool else {
            let expected = isCategory ? "BYTES" : "a number type such as FP32"
            throw invalid("\(label(.column(place))): expected datatype \(expected), got \(text.dtype?.name ?? "")")
        }
        let rows = text.extents[0]
        guard text.rank == 1 || (text.rank == 2 && text.extents[1] == 1) else {
            throw .invalid(Complaint.shape(label(.column(place)), expected: [-1], got: text.shape))
        }
        return rows
    }

    /// Makes room in the matrix, if this is the first column.
    /// - Returns: the index of the first of the request's elements.
    func beginColumn(
        _ rows: Int, _ matrix: InputLayout.Matrix, _ place: Int, _ batch: TensorBatch
    ) throws(Refusal) -> Int {
        try agree(on: rows, .column(place))
        let input = batch.inputs[0]
        try settle(0, batch) { _ in matrix.columns.count }
        let base = batch.rows * input.rowElements
        if input.count == base { input.grow(by: rows * input.rowElements) }
        return base
    }

    private func rowCount(_ place: Int, _ rows: Int, _ cursor: JSONCursor) -> Refusal {
        switch cursor.elementCount() {
        case .success(let got):
            invalid("\(label(.column(place))): expected \(rows) elements in \"data\" for its shape, got \(got)")
        case .failure(let fault): .invalid(Complaint.syntax(fault, cursor))
        }
    }

    /// Reads the value of one column of one row into place `index` of the matrix.
    func cell(
        _ cursor: inout JSONCursor, _ matrix: InputLayout.Matrix, _ column: Int, _ input: TensorBuffer, _ index: Int,
        declared: DType?, row: Int
    ) throws(Refusal) {
        if let words = matrix.categories[column] {
            return try category(&cursor, words, input, index) {
                "row \(row + 1), column \"\(matrix.columns[column].name)\""
            }
        }
        if declared == nil, input.dtype == .float32, let value = Float.quick(&cursor) {
            return input.set(value, at: index)
        }
        do {
            if let declared, !declared.isFloatingPoint {
                var probe = cursor
                try probe.takeInteger(declared)
            }
            try cursor.element(into: input, at: index)
        } catch {
            let dtype = declared ?? input.dtype
            let site = "row \(row + 1), column \"\(matrix.columns[column].name)\""
            throw .invalid(Complaint.value(error, at: site, expected: Complaint.expectation(dtype), dtype, cursor))
        }
    }

    /// Reads a word, or a number that is written as one of the words, and stores its place among them.
    private func category(
        _ cursor: inout JSONCursor, _ words: NameIndex, _ input: TensorBuffer, _ index: Int, site: () -> String
    ) throws(Refusal) {
        let start = cursor.at
        if input.dtype.isFloatingPoint, cursor.takeWord("null") || cursor.takeWord("NaN") {
            return input.set(number: .nan, at: index)
        }
        let found: Int?
        if cursor.current == .quote {
            let token = try cursor.syntax { (cursor) throws(Fault) in try cursor.string() }
            let bytes = try cursor.syntax { (cursor) throws(Fault) in try cursor.bytes(token) }
            found = words.place(of: bytes, hint: 0)
        } else if cursor.isAtNumber {
            let number = try cursor.syntax { (cursor) throws(Fault) in try cursor.number() }
            found = words.place(of: cursor.slice(number.start, number.end), hint: 0)
        } else {
            throw invalid("\(site()): expected a string, got \(cursor.described(start))")
        }
        guard let found else {
            throw invalid(
                "\(site()): unknown category \(cursor.described(start)), expected one of \(Complaint.list(words.names))"
            )
        }
        input.set(number: Double(found), at: index)
    }
}
