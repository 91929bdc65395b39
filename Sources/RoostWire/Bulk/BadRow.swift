internal import RoostBasics

/// Where a row stands in its chunk, without the end of its line, and in the file.
struct RowPlace {
    let start: Int
    var end: Int
    let line: Int
}

/// A row that has no score.
struct BadRow {
    /// Of its text, in bytes, that are shown.
    static let shownBytesMax = 64 << 10

    let place: RowPlace
    let reason: String
}

extension TextBuffer {
    /// Appends `{"line":17,"reason":"…","row":"…"}` and a line feed; what is not UTF-8 in the row is replaced.
    func append(_ row: BadRow, _ cursor: JSONCursor) {
        append(#"{"line":"#)
        append(decimal: UInt64(row.place.line))
        append(#","reason":"#)
        append(JSONText.quoted(row.reason))
        append(#","row":"#)
        var end = row.place.end
        if end - row.place.start > BadRow.shownBytesMax {
            end = row.place.start + BadRow.shownBytesMax
            // Not within a character.
            while end > row.place.start, end > row.place.start + BadRow.shownBytesMax - 4,
                cursor.byte(end) & 0xC0 == 0x80
            {
                end -= 1
            }
        }
        cursor.withBytes(row.place.start, end) { bytes in
            if !JSONText.append(quoted: bytes, to: self) { append(JSONText.quoted(String(bytes))) }
        }
        append("}\n")
    }
}
