internal import RoostBasics

extension HeadState {
    /// Splits the target into path and query, decodes the path once, and for an absolute target puts its authority
    /// in the place of `Host`.
    mutating func readTarget() -> HTTPFault? {
        guard !target.isAbsent, target.count > 0 else { return HTTPFault(400, "request target missing") }
        var start = Int(target.start)
        let end = Int(target.end)
        // llhttp lets several spaces pass, and other protocols than HTTP.
        guard byte(start - 1) == UInt8(ascii: " "), byte(start - 2) != UInt8(ascii: " "),
            byte(end) == UInt8(ascii: " "), byte(end + 1) == UInt8(ascii: "H")
        else { return HTTPFault(400, "malformed request line") }
        if byte(start) == UInt8(ascii: "*"), end - start == 1 {
            guard method == .options else { return HTTPFault(400, "target * is only for OPTIONS") }
            path = HeadRange(start, end)
            return nil
        }
        if byte(start) != UInt8(ascii: "/") {
            let schemeEnd = schemeLength(start, end)
            guard schemeEnd > 0 else { return HTTPFault(400, "request target must be a path or an http URL") }
            let authority = start + schemeEnd
            start = authority
            while start < end, byte(start) != UInt8(ascii: "/"), byte(start) != UInt8(ascii: "?") { start += 1 }
            guard start > authority else { return HTTPFault(400, "request target lacks a host") }
            let host = HeadRange(authority, start)
            guard isHost(host) else { return HTTPFault(400, "malformed host in the request target") }
            known[Int(KnownHeader.host.rawValue)] = host
            let fault = splitPath(start, end)
            // None is the root's (RFC 9110, section 4.2.3): the second slash of `//` stands in for it.
            if path.count == 0 { path = HeadRange(authority - 1, authority) }
            return fault
        }
        return splitPath(start, end)
    }

    /// Length of `http://` or `https://`, 0 when the target begins otherwise.
    private func schemeLength(_ start: Int, _ end: Int) -> Int {
        if end - start > 7, equals(HeadRange(start, start + 7), "http://") { return 7 }
        if end - start > 8, equals(HeadRange(start, start + 8), "https://") { return 8 }
        return 0
    }

    private mutating func splitPath(_ start: Int, _ end: Int) -> HTTPFault? {
        guard let head = unsafe head else { return nil }
        var pathEnd = -1
        var isEncoded = false
        for position in start..<end {
            switch unsafe head[position] {
            case UInt8(ascii: "#"): return HTTPFault(400, "a request target has no fragment")
            case UInt8(ascii: "?"): if pathEnd < 0 { pathEnd = position }
            case UInt8(ascii: "%"): if pathEnd < 0 { isEncoded = true }
            default: break
            }
        }
        path = HeadRange(start, pathEnd < 0 ? end : pathEnd)
        if pathEnd >= 0 { query = HeadRange(pathEnd + 1, end) }
        return isEncoded ? decodePath() : nil
    }

    /// In place: decoding only shortens.
    private mutating func decodePath() -> HTTPFault? {
        guard let head = unsafe head else { return nil }
        isDecoded = true
        var (from, to) = (Int(path.start), Int(path.start))
        while from < path.end {
            var byte = unsafe head[from]
            if byte == UInt8(ascii: "%") {
                guard from + 2 < path.end, let high = unsafe head[from + 1].hexDigit,
                    let low = unsafe head[from + 2].hexDigit
                else { return HTTPFault(400, "malformed percent-encoding in the path") }
                byte = high << 4 | low
                guard byte != 0 else { return HTTPFault(400, "a path holds no NUL") }
                if byte == UInt8(ascii: "/") {
                    // It separates nothing, or whoever stands in front would see another path: it stays encoded.
                    for offset in 0..<3 { unsafe head[to + offset] = head[from + offset] }
                    (from, to) = (from + 3, to + 3)
                    continue
                }
                from += 2
            }
            unsafe head[to] = byte
            from += 1
            to += 1
        }
        path.end = UInt16(truncatingIfNeeded: to)
        return nil
    }
}

extension UInt8 {
    fileprivate var hexDigit: UInt8? {
        if self &- 0x30 < 10 { return self &- 0x30 }
        let letter = (self | 0x20) &- 0x61
        return letter < 6 ? letter + 10 : nil
    }
}
