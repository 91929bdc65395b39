extension JSONCursor {
    /// Arrays and objects within each other, at most.
    static let depthMax = 64

    /// Reads an object; `member` gets each key's bytes with the cursor at the value, which it must take.
    @inline(__always) mutating func object(
        _ member: (inout JSONCursor, StringToken) throws(Refusal) -> Void
    ) throws(Refusal) {
        try syntax { (cursor) throws(Fault) in try cursor.expect(.openBrace, "'{'") }
        skipSpace()
        if take(.closeBrace) { return }
        while true {
            let key = try syntax { (cursor) throws(Fault) in try cursor.key() }
            try member(&self, key)
            let hasMore = try syntax { (cursor) throws(Fault) in
                try cursor.separator(.closeBrace, "',' or '}'")
            }
            if !hasMore { return }
        }
    }

    /// Reads `"key" :` and the space behind it.
    @inline(__always) mutating func key() throws(Fault) -> StringToken {
        guard current == .quote else { throw Fault(.syntax("a key in quotes"), at: at) }
        let token = try string()
        skipSpace()
        try expect(.colon, "':'")
        skipSpace()
        return token
    }

    /// Runs a scanner outside of any tensor: every fault is one of syntax.
    @inline(__always) mutating func syntax<Result>(
        _ scan: (inout JSONCursor) throws(Fault) -> Result
    ) throws(Refusal) -> Result {
        do { return try scan(&self) } catch { throw .invalid(Complaint.syntax(error, self)) }
    }

    /// Takes any value, checking its grammar.
    mutating func skipValue(depth: Int = 1) throws(Fault) {
        guard depth <= Self.depthMax else { throw Fault(.depth, at: at) }
        switch current {
        case .quote: _ = try string()
        case .openBracket:
            at += 1
            skipSpace()
            if take(.closeBracket) { return }
            repeat { try skipValue(depth: depth + 1) } while try separator(.closeBracket, "',' or ']'")
        case .openBrace:
            at += 1
            skipSpace()
            if take(.closeBrace) { return }
            repeat {
                _ = try key()
                try skipValue(depth: depth + 1)
            } while try separator(.closeBrace, "',' or '}'")
        case UInt8(ascii: "-"):
            if !takeWord("-Infinity") { _ = try number() }
        case 0x30...0x39: _ = try number()
        default:
            for word in ["true", "false", "null", "NaN", "Infinity"] as [StaticString] where takeWord(word) { return }
            throw Fault(.syntax("a value"), at: at)
        }
    }

    /// After the outermost value: nothing but space.
    mutating func finish() throws(Fault) {
        skipSpace()
        guard at == end else { throw Fault(.syntax("the end"), at: at) }
    }
}
