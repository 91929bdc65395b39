/// Finds where a value stands in the text that it was parsed from.
///
/// jansson keeps no positions, and errors are rare: so the text is scanned again, only when one is reported.
/// It was parsed before, so only the outline counts here: strings, brackets, commas. A text that is not
/// JSON after all ends the scan at its end.
struct JSONLocator {
    let text: [UInt8]
    private var at = 0

    init(_ text: [UInt8]) { self.text = text }

    /// `places` are indices into nested arrays and objects, outermost first.
    /// For the last one, `key` asks for the key instead of the value.
    mutating func find(_ places: [Int], key: Bool) -> JSONPlace {
        at = 0
        skipSpace()
        for (level, index) in places.enumerated() {
            enter(member: index, stopAtKey: key && level == places.count - 1)
        }
        return place(of: at)
    }

    /// From an opening bracket to the value (or key) of member `index`.
    private mutating func enter(member index: Int, stopAtKey: Bool) {
        guard at < text.count else { return }
        let isObject = text[at] == UInt8(ascii: "{")
        at += 1
        skipSpace()
        for place in 0...index {
            if place == index && stopAtKey { return }
            if isObject {
                skipString()
                skipSpace()
                at += 1  // the colon
                skipSpace()
            }
            if place == index { return }
            skipValue()
            skipSpace()
            at += 1  // the comma
            skipSpace()
        }
    }

    private mutating func skipSpace() {
        while at < text.count, [0x20, 0x09, 0x0A, 0x0D].contains(text[at]) { at += 1 }
    }

    private mutating func skipString() {
        at += 1
        while at < text.count, text[at] != UInt8(ascii: "\"") {
            at += text[at] == UInt8(ascii: "\\") ? 2 : 1
        }
        at += 1
    }

    private mutating func skipValue() {
        var depth = 0
        while at < text.count {
            switch text[at] {
            case UInt8(ascii: "\""):
                skipString()
                if depth == 0 { return }
                continue
            case UInt8(ascii: "["), UInt8(ascii: "{"): depth += 1
            case UInt8(ascii: "]"), UInt8(ascii: "}"):
                if depth == 0 { return }  // ends a number or word at the end of its container
                depth -= 1
                if depth == 0 {
                    at += 1
                    return
                }
            case UInt8(ascii: ","), 0x20, 0x09, 0x0A, 0x0D: if depth == 0 { return }
            default: break
            }
            at += 1
        }
    }

    private func place(of offset: Int) -> JSONPlace {
        let before = text.prefix(offset)
        let lineStart = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        return JSONPlace(
            line: before.count { $0 == UInt8(ascii: "\n") } + 1,
            column: before[lineStart...].count { $0 & 0xC0 != 0x80 } + 1)
    }
}
