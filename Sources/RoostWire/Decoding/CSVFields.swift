import RoostTensors

/// One field of a CSV record: where its text stands, without its quotes.
struct CSVField {
    let start: Int
    let end: Int
    let isQuoted: Bool
    /// Holds `""`, which stands for one quote.
    let hasDoubled: Bool
}

/// CSV (RFC 4180) over the same bytes that JSON is read from. Lines end with LF, CRLF or CR.
extension JSONCursor {
    @inline(__always) var isAtFieldEnd: Bool { isAtFieldEnd(.comma) }

    @inline(__always) func isAtFieldEnd(_ delimiter: UInt8) -> Bool {
        let byte = current
        return byte == delimiter || byte == 0x0A || byte == 0x0D || at >= end
    }

    /// Reads the field that begins here; the cursor then stands at what ends it. Counts lines within quotes.
    mutating func field(_ line: inout Int, _ delimiter: UInt8 = .comma) throws(Fault) -> CSVField {
        let start = at
        guard take(.quote) else {
            while !isAtFieldEnd(delimiter) { at += 1 }
            return CSVField(start: start, end: at, isQuoted: false, hasDoubled: false)
        }
        var hasDoubled = false
        while true {
            guard at < end else { throw Fault(.syntax("a closing quote"), at: at) }
            if current == 0x0A { line += 1 }
            guard take(.quote) else {
                at += 1
                continue
            }
            if !take(.quote) { break }
            hasDoubled = true
        }
        guard isAtFieldEnd(delimiter) else {
            throw Fault(.syntax("',' or the end of the line behind a closing quote"), at: at)
        }
        return CSVField(start: start + 1, end: at - 1, isQuoted: true, hasDoubled: hasDoubled)
    }

    /// Takes a comma and says true, or takes the end of the line and says false.
    @inline(__always) mutating func takeComma(_ line: inout Int) -> Bool {
        if take(.comma) { return true }
        line += 1
        if take(0x0D) { _ = take(0x0A) } else { _ = take(0x0A) }
        return false
    }

    /// Takes empty lines.
    mutating func skipEmptyLines(_ line: inout Int) {
        while at < end, current == 0x0A || current == 0x0D { _ = takeComma(&line) }
    }

    /// The field without the spaces around it, unless it was quoted.
    func trimmed(_ field: CSVField) -> CSVField {
        guard !field.isQuoted else { return field }
        var (start, stop) = (field.start, field.end)
        while start < stop, byte(start) == 0x20 || byte(start) == 0x09 { start += 1 }
        while stop > start, byte(stop - 1) == 0x20 || byte(stop - 1) == 0x09 { stop -= 1 }
        return CSVField(start: start, end: stop, isQuoted: false, hasDoubled: false)
    }

    /// The text of a field: in the body, or with single quotes in the arena.
    func bytes(_ field: CSVField) throws(Fault) -> BytesElement {
        let isValid = slice(field.start, field.end).isUTF8
        guard isValid else { throw Fault(.text, at: field.start) }
        guard field.hasDoubled else { return slice(field.start, field.end) }
        return copy(field)
    }

    /// The text of a field, copied into the arena.
    func copy(_ field: CSVField) -> BytesElement {
        let room = unsafe text.reserve(field.end - field.start)
        var (index, written) = (field.start, 0)
        while index < field.end {
            unsafe room[written] = byte(index)
            written += 1
            index += field.hasDoubled && byte(index) == .quote ? 2 : 1
        }
        return text.keep(written)
    }

    /// Whether the field reads as `word`, in small or capital letters.
    func reads(_ field: CSVField, _ word: StaticString) -> Bool {
        guard field.end - field.start == word.utf8CodeUnitCount else { return false }
        for index in 0..<word.utf8CodeUnitCount {
            guard unsafe byte(field.start + index) | 0x20 == word.utf8Start[index] | 0x20 else { return false }
        }
        return true
    }

    /// NaN or infinity, if the field names one.
    func special(_ field: CSVField) -> Double? {
        if reads(field, "nan") { return .nan }
        if reads(field, "inf") || reads(field, "infinity") { return .infinity }
        if reads(field, "-inf") || reads(field, "-infinity") { return -.infinity }
        return nil
    }

    /// Whether the field is a number, empty, NaN or infinite.
    func isNumeric(_ field: CSVField) -> Bool {
        if field.start == field.end || special(field) != nil { return true }
        var probe = moved(to: field.start)
        guard probe.isAtNumber, (try? probe.number()) != nil else { return false }
        return probe.at == field.end
    }
}

extension BytesElement {
    var isUTF8: Bool {
        guard let data = unsafe data else { return true }
        return unsafe RoostWire.isUTF8(UnsafeBufferPointer(start: data, count: size))
    }
}
