public import RoostBasics
public import RoostTensors

extension RequestBodies {
    /// Rows from CSV (RFC 4180), with or without a header: the first record is one by the rules by which the host
    /// reads it, and then stands at the top of every request. The rows are taken as they stand, and the host judges
    /// them.
    ///
    /// - Parameter signature: the function's, which knows its columns' names and words.
    /// - Throws: when a quote is not closed, or there are no rows.
    public init(csv text: [UInt8], for signature: Signature, rowsPerRequest: Int = 1) throws(RoostError) {
        var records: [Range<Int>] = []
        var at = text.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        while let record = try text.csvRecord(from: &at) { records.append(record) }
        var opening: [UInt8] = []
        if let first = records.first, isHeader(text.csvFields(in: first), signature) {
            opening = text[first] + [0x0A]
            records.removeFirst()
        }
        guard !records.isEmpty else { throw RoostError(.invalidArgument, "there are no rows") }
        self.init(
            .csv, text, records, opening: opening, separator: "\n", closing: "\n", piecesPerBody: rowsPerRequest)
    }
}

/// Whether a first record names columns: it is made of known names alone, or it holds no number and names some
/// column, or no word that its column knows.
private func isHeader(_ fields: [String], _ signature: Signature) -> Bool {
    let names = signature.columns.isEmpty ? signature.inputs.map(\.name) : signature.columns.map(\.name)
    let areNamed = fields.map { names.contains($0) }
    let areNamedOrID = zip(fields, areNamed).allSatisfy { $1 || $0.lowercased() == "id" }
    if areNamedOrID && areNamed.contains(true) { return true }
    if fields.contains(where: isNumeric) { return false }
    if areNamed.contains(true) { return true }
    guard signature.columns.isEmpty else {
        return !zip(fields, signature.columns).contains { $1.categories.contains($0) }
    }
    return !signature.inputs.contains { $0.dtype == .bytes || $0.dtype == .bool }
}

/// Whether the host reads the field as a number, present or missing.
private func isNumeric(_ field: String) -> Bool {
    let word = field.lowercased()
    if ["", "nan", "inf", "-inf", "infinity", "-infinity"].contains(word) { return true }
    let digits = Array(field.utf8)
    guard let first = digits.first, first.isDigit || first == UInt8(ascii: "-") else { return false }
    return Double(field) != nil && !word.contains("x") && !word.contains("p")
}

extension [UInt8] {
    /// The next record that is not empty, without the end of its line; nil at the end of the text.
    fileprivate func csvRecord(from at: inout Int) throws(RoostError) -> Range<Int>? {
        while at < count, self[at] == 0x0A || self[at] == 0x0D { at += 1 }
        guard at < count else { return nil }
        let start = at
        var isQuoted = false
        while at < count {
            let byte = self[at]
            // A doubled quote leaves the field and enters it again: what is between is nothing.
            if byte == UInt8(ascii: "\"") { isQuoted.toggle() }
            if !isQuoted && (byte == 0x0A || byte == 0x0D) { break }
            at += 1
        }
        guard !isQuoted else {
            let line = self[..<start].count { $0 == 0x0A } + 1
            throw RoostError(.invalidArgument, "line \(line): a quote is not closed")
        }
        return start..<at
    }

    /// A record's fields as texts, without quotes, and without spaces around those that had none.
    fileprivate func csvFields(in record: Range<Int>) -> [String] {
        var fields: [String] = []
        var field: [UInt8] = []
        var (isQuoted, wasQuoted) = (false, false)
        func end() {
            let text = String(decoding: field, as: UTF8.self)
            fields.append(wasQuoted ? text : text.trimmed)
            (field, wasQuoted) = ([], false)
        }
        for byte in self[record] {
            if byte == UInt8(ascii: "\"") {
                if !isQuoted && wasQuoted { field.append(byte) }
                isQuoted.toggle()
                wasQuoted = true
            } else if byte == UInt8(ascii: ","), !isQuoted {
                end()
            } else {
                field.append(byte)
            }
        }
        end()
        return fields
    }
}

extension String {
    fileprivate var trimmed: String {
        var text = self[...]
        while text.first == " " || text.first == "\t" { text.removeFirst() }
        while text.last == " " || text.last == "\t" { text.removeLast() }
        return String(text)
    }
}
