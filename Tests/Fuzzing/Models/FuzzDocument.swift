import ModelFiles

/// The input is a model file. Whether it is read, passed over, or its arrays are taken as numbers: it is the same.
func fuzzDocument(_ input: [UInt8]) throws {
    guard let read = try outcome(of: input, skipping: false), let skipped = try outcome(of: input, skipping: true)
    else {
        return
    }
    try expect((read == "") == (skipped == ""), "read: \(read); passed over: \(skipped)")
}

/// What is wrong with it; empty when nothing is, nil when it is no document at all.
private func outcome(of input: [UInt8], skipping: Bool) throws -> String? {
    guard var reader = DocumentReader(input.span) else { return nil }
    do {
        if skipping { try reader.skip() } else { try outline(&reader) }
        try reader.end()
        return ""
    } catch let error as DocumentError { return "\(error)" }
}

private func outline(_ reader: inout DocumentReader) throws {
    var broken: Broken?
    switch try reader.peek() {
    case .object:
        try reader.object { _, reader throws(DocumentError) in try outline(&reader, &broken) }
    case .array:
        // As a copy: the same place is read twice.
        var copy = reader
        let numbers = try? copy.numbers()
        var (one, others): ([Double], Int) = ([], 0)
        try reader.array { _, reader throws(DocumentError) in
            if try reader.peek() == .number {
                one.append(try reader.number())
            } else {
                others += 1
                try outline(&reader, &broken)
            }
        }
        let isSame = numbers.map { $0.map(\.bitPattern) == one.map(\.bitPattern) && others == 0 } ?? (others > 0)
        try expect(
            isSame, "an array is \(one) and \(others) others one by one, as numbers: \(String(describing: numbers))")
    case .string: _ = try reader.string()
    case .number: _ = try reader.number()
    case .bool: _ = try reader.bool()
    case .null: try reader.null()
    }
    if let broken { throw broken }
}

/// As `outline`, where one type only may be thrown; what broke comes by another way.
private func outline(_ reader: inout DocumentReader, _ broken: inout Broken?) throws(DocumentError) {
    do { try outline(&reader) } catch let error as DocumentError { throw error } catch {
        broken = error as? Broken
        throw DocumentError("broken")
    }
}
