import RoostTensors

/// A string as it stands in the body, between its quotes.
struct StringToken {
    let start: Int
    let end: Int
    let hasEscapes: Bool
}

extension JSONCursor {
    /// Reads a string; the cursor must stand at its opening quote. Checks the grammar and UTF-8.
    mutating func string() throws(Fault) -> StringToken {
        let start = at + 1
        at += 1
        var (hasEscapes, isASCII) = (false, true)
        while true {
            skipPlain()
            let byte = current
            if byte == .quote {
                break
            } else if byte == .backslash {
                hasEscapes = true
                try skipEscape()
            } else if byte >= 0x80 {
                isASCII = false
                at += 1
            } else if at >= end {
                throw Fault(.syntax("'\"'"), at: at)
            } else if byte < 0x20 {
                throw Fault(.syntax("an escape in place of a control character"), at: at)
            } else {
                at += 1
            }
        }
        let token = StringToken(start: start, end: at, hasEscapes: hasEscapes)
        at += 1
        if !isASCII {
            let isValid = unsafe isUTF8(UnsafeBufferPointer(start: base + token.start, count: token.end - token.start))
            guard isValid else { throw Fault(.text, at: token.start) }
        }
        return token
    }

    /// The unescaped bytes of `token`, copied into the arena.
    func copy(_ token: StringToken) throws(Fault) -> BytesElement {
        let size = token.end - token.start
        let room = unsafe text.reserve(size)
        guard token.hasEscapes else {
            unsafe room.update(from: base + token.start, count: size)
            return text.keep(size)
        }
        return text.keep(try unsafe unescape(token, into: room))
    }

    /// Writes the unescaped bytes of `token`, never more than it has itself.
    @unsafe func unescape(_ token: StringToken, into room: UnsafeMutablePointer<UInt8>) throws(Fault) -> Int {
        var (index, written) = (token.start, 0)
        while index < token.end {
            let byte = self.byte(index)
            index += 1
            guard byte == .backslash else {
                unsafe room[written] = byte
                written += 1
                continue
            }
            let escape = self.byte(index)
            index += 1
            guard escape == UInt8(ascii: "u") else {
                unsafe room[written] = Self.escaped(escape)
                written += 1
                continue
            }
            let scalar = try scalar(&index)
            for unit in UTF8.encode(scalar) ?? UTF8.encodedReplacementCharacter {
                unsafe room[written] = unit
                written += 1
            }
        }
        return written
    }

    /// The character of `\uXXXX` or of a pair of them; `index` stands behind the first `u`.
    private func scalar(_ index: inout Int) throws(Fault) -> Unicode.Scalar {
        let start = index - 2
        var code = hex(index)
        index += 4
        if code & 0xFC00 == 0xD800, byte(index) == .backslash, byte(index + 1) == UInt8(ascii: "u") {
            let low = hex(index + 2)
            if low & 0xFC00 == 0xDC00 {
                code = 0x10000 + (code & 0x3FF) << 10 + low & 0x3FF
                index += 6
            }
        }
        guard let scalar = Unicode.Scalar(code) else { throw Fault(.text, at: start) }
        return scalar
    }

    /// The value of four hexadecimal digits, checked before.
    private func hex(_ start: Int) -> UInt32 {
        var value: UInt32 = 0
        for index in start..<start + 4 {
            let byte = self.byte(index)
            value = value << 4 | UInt32(byte & 0xF) + (byte >= 0x40 ? 9 : 0)
        }
        return value
    }

    private static func escaped(_ byte: UInt8) -> UInt8 {
        switch byte {
        case UInt8(ascii: "n"): 0x0A
        case UInt8(ascii: "t"): 0x09
        case UInt8(ascii: "r"): 0x0D
        case UInt8(ascii: "b"): 0x08
        case UInt8(ascii: "f"): 0x0C
        default: byte  // `"`, `\` and `/` stand for themselves
        }
    }

    /// Skips bytes that need no attention, eight at a time.
    @inline(__always) private mutating func skipPlain() {
        let (ones, highs): (UInt64, UInt64) = (0x0101_0101_0101_0101, 0x8080_8080_8080_8080)
        while true {
            let word = self.word(at)
            let quotes = word ^ (ones &* UInt64(UInt8.quote))
            let slashes = word ^ (ones &* UInt64(UInt8.backslash))
            // High bits where a byte is a quote, a backslash, below 0x20, or not ASCII; exact up to the first one.
            let found =
                ((quotes &- ones) & ~quotes | (slashes &- ones) & ~slashes | (word &- ones &* 0x20) | word) & highs
            if found != 0 {
                at += found.trailingZeroBitCount >> 3
                return
            }
            at += 8
        }
    }

    private mutating func skipEscape() throws(Fault) {
        switch byte(at + 1) {
        case .quote, .backslash, UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"), UInt8(ascii: "n"),
            UInt8(ascii: "r"), UInt8(ascii: "t"):
            at += 2
        case UInt8(ascii: "u"):
            for index in at + 2..<at + 6 {
                let byte = self.byte(index)
                guard byte &- 0x30 < 10 || (byte | 0x20) &- 0x61 < 6 else {
                    throw Fault(.syntax("four hexadecimal digits"), at: index)
                }
            }
            at += 6
        default: throw Fault(.syntax("an escape"), at: at + 1)
        }
    }
}

/// Whether the bytes are UTF-8.
@unsafe func isUTF8(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    (try? unsafe UTF8Span(validating: bytes.span)) != nil
}
