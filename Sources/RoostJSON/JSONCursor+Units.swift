public import RoostBasics

extension JSONCursor {
    /// A duration such as `"30s"`.
    /// - Throws: for anything else, and for what lies outside `range`.
    public func span(in range: ClosedRange<Instant.Span>) throws(JSONError) -> Instant.Span {
        let text = try string()
        guard let span = Instant.Span(text) else {
            throw error("\(path) must be a duration like \"250ms\", \"30s\" or \"10m\", got \"\(text)\"")
        }
        guard range.contains(span) else {
            throw error("\(path) must be \(range.lowerBound) to \(range.upperBound), got \"\(text)\"")
        }
        return span
    }

    /// The number of a version, such as `"2"` or `"1.10"`.
    public func versionNumber() throws(JSONError) -> VersionNumber {
        let text = try string()
        guard let number = VersionNumber(text) else { throw error("\(path): \"\(text)\" is no version number") }
        return number
    }

    /// A size such as `"512MiB"`.
    /// - Throws: for anything else, and for what lies outside `range`.
    public func byteCount(in range: ClosedRange<ByteCount>) throws(JSONError) -> ByteCount {
        let text = try string()
        guard let count = ByteCount(text) else {
            throw error("\(path) must be a size like \"512MiB\" or \"1GiB\", got \"\(text)\"")
        }
        guard range.contains(count) else {
            throw error("\(path) must be \(range.lowerBound) to \(range.upperBound), got \"\(text)\"")
        }
        return count
    }

    /// One of the words of an enumeration.
    public func word<Word: RawRepresentable<String> & CaseIterable>() throws(JSONError) -> Word {
        let text = try string()
        guard let word = Word(rawValue: text) else {
            let known = Word.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
            throw error("\(path) must be one of \(known), got \"\(text)\"")
        }
        return word
    }
}
