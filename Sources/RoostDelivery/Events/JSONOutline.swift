internal import RoostBasics

/// Where the parts of a JSON text stand, without taking them apart: what is to be passed on has to stay as it was
/// written, down to the digits of its numbers.
///
/// It reads all of RFC 8259 and nothing else; that the text is UTF-8 is the caller's to check. It does not recurse, so
/// depth costs nothing but a byte each.
struct JSONOutline {
    private let text: [UInt8]
    private var at: Int

    private init(_ text: [UInt8], at: Int) { (self.text, self.at) = (text, at) }

    struct Member {
        /// The key as it stands, with its quotes.
        let key: Range<Int>
        let value: Range<Int>
    }

    /// Whether it is one JSON value and nothing else.
    static func isValue(_ text: [UInt8]) -> Bool {
        var outline = JSONOutline(text, at: 0)
        return outline.value() != nil && outline.isAtEnd
    }

    /// The members of the object that `range` is; nil when it is no object, or no JSON.
    static func members(_ text: [UInt8], in range: Range<Int>) -> [Member]? {
        var outline = JSONOutline(text, at: range.lowerBound), members: [Member] = []
        guard outline.take(UInt8(ascii: "{")) else { return nil }
        guard !outline.take(UInt8(ascii: "}")) else { return outline.isDone(range) ? [] : nil }
        repeat {
            outline.skipSpace()
            let start = outline.at
            guard outline.string() else { return nil }
            let key = start..<outline.at
            guard outline.take(UInt8(ascii: ":")), let value = outline.value() else { return nil }
            members.append(Member(key: key, value: value))
        } while outline.take(UInt8(ascii: ","))
        return outline.take(UInt8(ascii: "}")) && outline.isDone(range) ? members : nil
    }

    /// The elements of the array that the text is; nil when it is none, or no JSON.
    static func elements(_ text: [UInt8]) -> [Range<Int>]? {
        var outline = JSONOutline(text, at: 0), elements: [Range<Int>] = []
        guard outline.take(UInt8(ascii: "[")) else { return nil }
        guard !outline.take(UInt8(ascii: "]")) else { return outline.isAtEnd ? [] : nil }
        repeat {
            guard let value = outline.value() else { return nil }
            elements.append(value)
        } while outline.take(UInt8(ascii: ","))
        return outline.take(UInt8(ascii: "]")) && outline.isAtEnd ? elements : nil
    }

    private var isAtEnd: Bool { mutating get { isDone(0..<text.count) } }

    private mutating func isDone(_ range: Range<Int>) -> Bool {
        skipSpace()
        return at >= range.upperBound
    }

    private mutating func skipSpace() {
        while at < text.count, text[at] == 0x20 || text[at] == 0x0A || text[at] == 0x0D || text[at] == 0x09 { at += 1 }
    }

    /// After any space.
    private mutating func take(_ byte: UInt8) -> Bool {
        skipSpace()
        guard at < text.count, text[at] == byte else { return false }
        at += 1
        return true
    }

    /// One value, brackets and all. `open` holds what closes each bracket that is open.
    private mutating func value() -> Range<Int>? {
        skipSpace()
        let start = at
        var open: [UInt8] = []
        while true {
            if take(UInt8(ascii: "{")) {
                if !take(UInt8(ascii: "}")) {
                    open.append(UInt8(ascii: "}"))
                    guard key() else { return nil }
                    continue
                }
            } else if take(UInt8(ascii: "[")) {
                if !take(UInt8(ascii: "]")) {
                    open.append(UInt8(ascii: "]"))
                    continue
                }
            } else if !scalar() {
                return nil
            }
            while let close = open.last, take(close) { open.removeLast() }
            guard let close = open.last else { return start..<at }
            guard take(UInt8(ascii: ",")), close == UInt8(ascii: "]") || key() else { return nil }
        }
    }

    private mutating func key() -> Bool {
        skipSpace()
        return string() && take(UInt8(ascii: ":"))
    }

    private mutating func scalar() -> Bool {
        guard at < text.count else { return false }
        switch text[at] {
        case UInt8(ascii: "\""): return string()
        case UInt8(ascii: "t"): return word("true")
        case UInt8(ascii: "f"): return word("false")
        case UInt8(ascii: "n"): return word("null")
        default: return number()
        }
    }

    private mutating func word(_ word: String) -> Bool {
        guard text[at...].starts(with: word.utf8) else { return false }
        at += word.utf8.count
        return true
    }

    private mutating func string() -> Bool {
        guard at < text.count, text[at] == UInt8(ascii: "\"") else { return false }
        at += 1
        while at < text.count, text[at] >= 0x20 {
            switch text[at] {
            case UInt8(ascii: "\""):
                at += 1
                return true
            case UInt8(ascii: "\\"):
                guard escape() else { return false }
            default: at += 1
            }
        }
        return false
    }

    private mutating func escape() -> Bool {
        guard at + 1 < text.count else { return false }
        if text[at + 1] == UInt8(ascii: "u") {
            guard at + 5 < text.count, text[at + 2...at + 5].allSatisfy({ $0.hexDigit != nil }) else { return false }
            at += 6
            return true
        }
        at += 2
        return "\"\\/bfnrt".utf8.contains(text[at - 1])
    }

    private mutating func number() -> Bool {
        if text[at] == UInt8(ascii: "-") { at += 1 }
        let first = at
        guard digits(), text[first] != UInt8(ascii: "0") || at == first + 1 else { return false }
        if at < text.count, text[at] == UInt8(ascii: ".") {
            at += 1
            guard digits() else { return false }
        }
        guard at < text.count, text[at] | 0x20 == UInt8(ascii: "e") else { return true }
        at += 1
        if at < text.count, text[at] == UInt8(ascii: "+") || text[at] == UInt8(ascii: "-") { at += 1 }
        return digits()
    }

    /// At least one.
    private mutating func digits() -> Bool {
        let start = at
        while at < text.count, text[at].isDigit { at += 1 }
        return at > start
    }
}
