public import RoostBasics

/// Where a request carries the key that binds it to a version: `header:X-User`, `cookie:session`, `query:user`.
public struct StickyKey: Hashable, Sendable, CustomStringConvertible {
    public enum Place: String, Hashable, Sendable, CaseIterable { case header, cookie, query }

    public let place: Place
    public let name: String

    /// - Throws: `.invalidArgument`, saying what is expected.
    public init(_ text: String) throws(RoostError) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, let place = Place(rawValue: String(parts[0])) else {
            throw RoostError(
                .invalidArgument, "expected \"header:NAME\", \"cookie:NAME\" or \"query:NAME\", got \"\(text)\"")
        }
        // Of headers and cookies: a token (RFC 9110, 5.6.2; RFC 6265, 4.1.1). A parameter may be called anything.
        let isName = place == .query ? !parts[1].isEmpty : !parts[1].isEmpty && parts[1].utf8.allSatisfy(\.isTokenPart)
        guard isName, parts[1].utf8.count <= 128 else {
            throw RoostError(.invalidArgument, "\"\(parts[1])\" is no name of a \(place.rawValue)")
        }
        self.place = place
        name = String(parts[1])
    }

    public var description: String { "\(place.rawValue):\(name)" }
}

/// Finds the slot of a request's key, among the bytes of its head, without making a String or allocating.
///
/// The hash is FNV-1a (Fowler, Noll, Vo), begun with the function's name, so that the users who meet one function's
/// new version first are not the same for all functions; a final mix spreads it. It is no secret and the same for
/// ever: a key keeps its slot.
public struct StickyReader: Sendable {
    public let key: StickyKey
    /// The key's name, as bytes.
    public let name: [UInt8]
    private let seed: UInt64

    public init(_ key: StickyKey, of function: FunctionName) {
        self.key = key
        name = Array(key.name.utf8)
        var hash = Hash(state: 0xCBF2_9CE4_8422_2325)
        for byte in function.text.utf8 { hash.add(byte) }
        hash.add(0)
        seed = hash.state
    }

    private struct Hash {
        var state: UInt64

        @inline(__always) mutating func add(_ byte: UInt8) { state = (state ^ UInt64(byte)) &* 0x100_0000_01B3 }

        /// 0 ..< StickySlots.count.
        var slot: Int {
            Int(SplitMix.mix(state).multipliedFullWidth(by: UInt64(StickySlots.count)).high)
        }
    }

    /// The slot of a key with this value, as it stands in a header; nil for an empty one, which is none.
    public func slot(of value: RawSpan) -> Int? {
        guard !value.isEmpty else { return nil }
        var hash = Hash(state: seed)
        for index in 0..<value.byteCount { hash.add(value[index]) }
        return hash.slot
    }

    /// The slot of the first cookie of that name in the value of a `Cookie` header: `a=1; b=2`. Cookies have no
    /// encoding of their own, so none is undone; quotes around a value are taken off. Names differ by case.
    public func slot(inCookies cookies: RawSpan) -> Int? {
        var start = 0
        while start < cookies.byteCount {
            var end = start
            while end < cookies.byteCount, cookies[end] != UInt8(ascii: ";") { end += 1 }
            if let value = value(ofCookie: cookies.extracting(start..<end)) { return slot(of: value) }
            start = end + 1
        }
        return nil
    }

    @_lifetime(copy cookie)
    private func value(ofCookie cookie: RawSpan) -> RawSpan? {
        let pair = cookie.withoutSpace
        guard pair.byteCount > name.count, pair[name.count] == UInt8(ascii: "="),
            pair.extracting(first: name.count).hasSameBytes(as: name.bytes)
        else { return nil }
        let value = pair.extracting((name.count + 1)..<pair.byteCount).withoutSpace
        let isQuoted =
            value.byteCount >= 2 && value[0] == UInt8(ascii: "\"")
            && value[value.byteCount - 1] == UInt8(ascii: "\"")
        return isQuoted ? value.extracting(1..<value.byteCount - 1) : value
    }

    /// The slot of the first parameter of that name in a query, `a=1&b=2`, decoded once as forms encode: `+` is a
    /// space, `%41` an `A`; a `%` without two digits stands for itself.
    public func slot(inQuery query: RawSpan) -> Int? {
        var start = 0
        while start < query.byteCount {
            var end = start
            while end < query.byteCount, query[end] != UInt8(ascii: "&") { end += 1 }
            if let value = value(ofParameter: query.extracting(start..<end)) {
                guard !value.isEmpty else { return nil }
                var hash = Hash(state: seed)
                var at = 0
                while at < value.byteCount { hash.add(value.formByte(&at)) }
                return hash.slot
            }
            start = end + 1
        }
        return nil
    }

    @_lifetime(copy parameter)
    private func value(ofParameter parameter: RawSpan) -> RawSpan? {
        var (at, matched) = (0, 0)
        while at < parameter.byteCount, parameter[at] != UInt8(ascii: "=") {
            let byte = parameter.formByte(&at)
            guard matched < name.count, byte == name[matched] else { return nil }
            matched += 1
        }
        guard matched == name.count, at < parameter.byteCount else { return nil }
        return parameter.extracting((at + 1)..<parameter.byteCount)
    }
}

extension RawSpan {
    /// Without spaces and tabs at its ends.
    fileprivate var withoutSpace: RawSpan {
        @_lifetime(copy self)
        get {
            var (start, end) = (0, byteCount)
            while start < end, self[start] == 0x20 || self[start] == 0x09 { start += 1 }
            while end > start, self[end - 1] == 0x20 || self[end - 1] == 0x09 { end -= 1 }
            return extracting(start..<end)
        }
    }

    /// The byte that stands at `at` in the encoding of forms; moves `at` behind it.
    fileprivate func formByte(_ at: inout Int) -> UInt8 {
        let byte = self[at]
        at += 1
        if byte == UInt8(ascii: "+") { return 0x20 }
        guard byte == UInt8(ascii: "%"), at + 1 < byteCount, let high = self[at].hexDigit,
            let low = self[at + 1].hexDigit
        else { return byte }
        at += 2
        return high << 4 | low
    }
}

extension UInt8 {
    fileprivate var hexDigit: UInt8? {
        if isDigit { return self &- 0x30 }
        let letter = (self | 0x20) &- 0x61
        return letter < 6 ? letter + 10 : nil
    }

    /// May stand in a token.
    fileprivate var isTokenPart: Bool {
        isAlphanumeric || "!#$%&'*+-.^_`|~".utf8.contains(self)
    }
}
