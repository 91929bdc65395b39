import RoostBasics
import RoostTensors

/// The binary tensor extension: data of tensors behind the JSON, in the order of the tensors, each as long as its
/// parameter `binary_data_size` says. How long the JSON is stands in a header of the request.
extension RequestDecoder {
    /// Ends the JSON after its first `jsonBytes` bytes.
    func split(_ cursor: inout JSONCursor, at jsonBytes: Int, _ format: RequestFormat) throws(Refusal) {
        guard format == .tensors else {
            throw invalid("Inference-Header-Content-Length belongs to tensors: POST /v2/models/…/infer")
        }
        guard (0...cursor.total).contains(jsonBytes) else {
            throw invalid(
                "Inference-Header-Content-Length: \(jsonBytes) bytes of JSON, but the body has \(cursor.total)")
        }
        cursor = cursor.limited(to: jsonBytes)
        binaryAt = jsonBytes
    }

    /// Takes the value of the parameter `binary_data_size`.
    func binarySize(_ cursor: inout JSONCursor, _ text: inout TensorText, _ position: Int) throws(Refusal) {
        guard text.binarySize == nil else {
            throw invalid("\(label(text, position)): \"binary_data_size\" appears twice")
        }
        let start = cursor.at
        do throws(Fault) { text.binarySize = Int(clamping: try UInt64.read(&cursor)) } catch {
            throw invalid(
                "\(label(text, position)): expected a whole number as \"binary_data_size\","
                    + " got \(cursor.described(start))")
        }
    }

    /// Takes the next `size` bytes behind the JSON as the tensor's data.
    func binary(
        _ cursor: JSONCursor, _ text: TensorText, _ target: TensorText.Target, _ size: Int, _ batch: TensorBatch
    ) throws(Refusal) {
        guard let start = binaryAt else {
            throw invalid(
                "\(label(target)): \"binary_data_size\" needs the header Inference-Header-Content-Length,"
                    + " which says how long the JSON is")
        }
        guard size <= cursor.total - start else {
            throw invalid(
                "\(label(target)): \"binary_data_size\" is \(size), but the body has \(cursor.total - start) bytes left"
            )
        }
        binaryAt = start + size
        try cursor.withBytesBehind(start, start + size) { (bytes) throws(Refusal) in
            switch target {
            case .input(let place): try binaryInput(bytes, text, place, batch)
            case .column(let place): try binaryColumn(bytes, text, place, batch, bodyBytes: cursor.total)
            }
        }
    }

    /// What is wrong with bytes that no tensor took.
    func unclaimed(_ count: Int, of cursor: JSONCursor) -> Refusal {
        count == cursor.total - cursor.end
            ? invalid("\(count) bytes follow the JSON, but no input has a \"binary_data_size\"")
            : invalid("\(count) bytes are left behind those that \"binary_data_size\" of the inputs add up to")
    }

    private func binaryInput(
        _ bytes: RawSpan, _ text: TensorText, _ place: Int, _ batch: TensorBatch
    ) throws(Refusal) {
        let elements = try self.elements(of: text, place)
        let input = batch.inputs[place]
        let isText = input.dtype == .bytes
        // Before any memory is asked for: no shape gets more than the body has paid for.
        if isText {
            guard elements <= bytes.byteCount / 4 else {
                throw invalid(
                    "\(label(.input(place))): shape \(text.shape) of BYTES takes at least four bytes an element,"
                        + " \"binary_data_size\" is \(bytes.byteCount)")
            }
        } else {
            try agree(on: bytes.byteCount, elements, input.dtype, text, .input(place))
        }
        try agree(on: text.extents[0], .input(place))
        try settle(place, batch) { text.extents[$0 + 1] }
        let base = input.grow(by: elements)
        if isText { return try texts(bytes, into: input, at: base, elements, batch.text, .input(place)) }
        input.assign(binary: bytes, at: base)
        if input.dtype == .bool { try checkTruths(input, base..<base + elements, place) }
    }

    /// Elements of fixed size take just the bytes that are there.
    private func agree(
        on size: Int, _ elements: Int, _ dtype: DType, _ text: TensorText, _ target: TensorText.Target
    ) throws(Refusal) {
        let (wanted, overflow) = elements.multipliedReportingOverflow(by: dtype.byteSize)
        guard !overflow, wanted == size else {
            let needs = overflow ? "more than any body has" : "\(wanted) bytes"
            throw invalid(
                "\(label(target)): shape \(text.shape) of \(dtype.name) takes \(needs), \"binary_data_size\" is \(size)"
            )
        }
    }

    private func texts(
        _ bytes: RawSpan, into buffer: TensorBuffer, at first: Int, _ elements: Int, _ arena: ByteArena,
        _ target: TensorText.Target
    ) throws(Refusal) {
        do throws(BinaryTextFault) {
            try buffer.assign(binaryTexts: bytes, at: first, count: elements, in: arena)
        } catch {
            switch error {
            case .cutOff(let element):
                throw invalid("\(label(target)), data[\(element)]: goes beyond the tensor's \(bytes.byteCount) bytes")
            case .surplus(let count):
                throw invalid("\(label(target)): \(count) bytes are left behind the last of its \(elements) elements")
            }
        }
    }

    /// Models may rely on it that a BOOL is 0 or 1.
    private func checkTruths(_ input: TensorBuffer, _ elements: Range<Int>, _ place: Int) throws(Refusal) {
        let wrong = input.withElements(UInt8.self) { all in elements.first { all[$0] > 1 } }
        guard let wrong else { return }
        let got = input.withElements(UInt8.self) { $0[wrong] }
        throw invalid("\(label(.input(place))), data[\(wrong - elements.lowerBound)]: expected 0 or 1, got \(got)")
    }
}

/// One tensor per column.
extension RequestDecoder {
    private func binaryColumn(
        _ bytes: RawSpan, _ text: TensorText, _ place: Int, _ batch: TensorBatch, bodyBytes: Int
    ) throws(Refusal) {
        guard let matrix = layout.matrix, let dtype = text.dtype else { return }
        let rows = try columnRows(text, place, matrix)
        let words = matrix.categories[place]
        if words == nil { try agree(on: bytes.byteCount, rows, dtype, text, .column(place)) }
        // Every column brings as many elements, each with a byte: what is more cannot be in the body.
        guard rows * matrix.columns.count <= bodyBytes else {
            throw invalid(
                "\(label(.column(place))): the body is too short for \(rows) rows of \(matrix.columns.count) columns")
        }
        let base = try beginColumn(rows, matrix, place, batch)
        let input = batch.inputs[0]
        if let words { return try categories(bytes, words, rows, matrix, place, base, batch) }
        for row in 0..<rows {
            guard let number = dtype.number(in: bytes, at: row) else { return }
            if !input.set(number, at: base + row * input.rowElements + place) {
                throw invalid(
                    "row \(row + 1), column \"\(matrix.columns[place].name)\": \(number.text) does not fit"
                        + " \(input.dtype.name)")
            }
        }
    }

    private func categories(
        _ bytes: RawSpan, _ words: NameIndex, _ rows: Int, _ matrix: InputLayout.Matrix, _ place: Int, _ base: Int,
        _ batch: TensorBatch
    ) throws(Refusal) {
        guard rows <= bytes.byteCount / 4 else {
            throw invalid(
                "\(label(.column(place))): BYTES take at least four bytes an element,"
                    + " \"binary_data_size\" is \(bytes.byteCount)")
        }
        let found = TensorBuffer(dtype: .bytes, trailing: [])
        found.grow(by: rows)
        try texts(bytes, into: found, at: 0, rows, batch.text, .column(place))
        let input = batch.inputs[0]
        for row in 0..<rows {
            let word = found.withElements(BytesElement.self) { $0[row] }
            guard let category = words.place(of: word, hint: 0) else {
                throw invalid(
                    "row \(row + 1), column \"\(matrix.columns[place].name)\": unknown category \"\(word.string)\","
                        + " expected one of \(Complaint.list(words.names))")
            }
            input.set(number: Double(category), at: base + row * input.rowElements + place)
        }
    }
}

extension TensorBuffer {
    /// Stores a number as an element of whatever numeric type the buffer has. False when it does not fit: an infinity
    /// that was none, or no whole number where one is needed.
    fileprivate func set(_ number: BinaryNumber, at index: Int) -> Bool {
        switch dtype {
        case .float16: setNearest(Float16(number.double), of: number, at: index)
        case .float32: setNearest(Float(number.double), of: number, at: index)
        case .float64: setNearest(number.double, of: number, at: index)
        case .uint8: setExactly(number.integer.flatMap { UInt8(exactly: $0) }, at: index)
        case .uint16: setExactly(number.integer.flatMap { UInt16(exactly: $0) }, at: index)
        case .uint32: setExactly(number.integer.flatMap { UInt32(exactly: $0) }, at: index)
        case .uint64: setExactly(number.integer.flatMap { UInt64(exactly: $0) }, at: index)
        case .int8: setExactly(number.integer.flatMap { Int8(exactly: $0) }, at: index)
        case .int16: setExactly(number.integer.flatMap { Int16(exactly: $0) }, at: index)
        case .int32: setExactly(number.integer.flatMap { Int32(exactly: $0) }, at: index)
        case .int64: setExactly(number.integer.flatMap { Int64(exactly: $0) }, at: index)
        case .bool, .bytes: false
        }
    }

    private func setNearest<Value: TensorElement & BinaryFloatingPoint>(
        _ value: Value, of number: BinaryNumber, at index: Int
    ) -> Bool {
        set(value, at: index)
        return !value.isInfinite || number.double.isInfinite
    }

    private func setExactly<Value: TensorElement>(_ value: Value?, at index: Int) -> Bool {
        guard let value else { return false }
        set(value, at: index)
        return true
    }
}

extension BinaryNumber {
    fileprivate var text: String {
        switch self {
        case .whole(let number): number.description
        case .floating(let number): number.description
        }
    }
}
