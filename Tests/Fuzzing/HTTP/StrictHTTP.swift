/// Reads requests to the letter of RFC 9112 (messages) and RFC 9110 (fields), and shares no line with `RoostHTTP`: what
/// that accepts, this must accept, and mean the same.
///
/// It is the stricter of the two but where that cannot shift where a message ends: any number of empty lines may stand
/// before a request, what a chunk's extensions say is not looked at, and trailers, which nobody reads, may be folded.
struct StrictHTTP {
    private(set) var messages: [HTTPMessage] = []
    /// Why it stopped: nil when the bytes ended between messages.
    private(set) var stop: Stop?

    enum Stop: Error, Equatable {
        /// The bytes end within a message.
        case incomplete
        case wrong(String)
    }

    private let bytes: [UInt8]
    private var at = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        do throws(Stop) {
            while try skipEmptyLines() { try message() }
        } catch { stop = error }
    }

    // MARK: lines

    /// Up to CR LF, which is passed. Neither of both may stand alone (RFC 9112, 2.2).
    private mutating func line() throws(Stop) -> [UInt8] {
        let start = at
        while at < bytes.count {
            if bytes[at] == 0x0A { throw .wrong("a bare LF") }
            if bytes[at] == 0x0D {
                guard at + 1 < bytes.count else { throw .incomplete }
                guard bytes[at + 1] == 0x0A else { throw .wrong("a bare CR") }
                at += 2
                return Array(bytes[start..<at - 2])
            }
            at += 1
        }
        throw .incomplete
    }

    /// Whether anything follows.
    private mutating func skipEmptyLines() throws(Stop) -> Bool {
        while at < bytes.count, bytes[at] == 0x0D || bytes[at] == 0x0A { _ = try emptyLine() }
        return at < bytes.count
    }

    private mutating func emptyLine() throws(Stop) {
        guard try line().isEmpty else { throw .wrong("a line that should be empty") }
    }

    // MARK: heads

    private mutating func message() throws(Stop) {
        var message = HTTPMessage()
        let parts = try line().split(separator: 0x20, omittingEmptySubsequences: false).map { Array($0) }
        guard parts.count == 3, !parts[0].isEmpty, parts[0].allSatisfy(\.isTokenCharacter) else {
            throw .wrong("the request line")
        }
        switch String(decoding: parts[2], as: UTF8.self) {
        case "HTTP/1.1": message.isHTTP11 = true
        case "HTTP/1.0": message.isHTTP11 = false
        default: throw .wrong("the version")
        }
        let method = String(decoding: parts[0], as: UTF8.self)
        let known = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"]
        message.method = known.contains(method) ? method.lowercased() : "other"
        message.fields = try fields(mayFold: false)
        let hosts = message.values(of: "host")
        guard hosts.count == 1 || (hosts.isEmpty && !message.isHTTP11) else { throw .wrong("the number of hosts") }
        message.host = hosts.first ?? ""
        try message.take(target: parts[1])
        messages.append(message)
        messages[messages.count - 1].body = try body(of: message)
        messages[messages.count - 1].isComplete = true
    }

    private mutating func fields(mayFold: Bool) throws(Stop) -> [HTTPMessage.Field] {
        var fields: [HTTPMessage.Field] = []
        while true {
            let line = try line()
            if line.isEmpty { return fields }
            if line[0].isSpace {
                guard mayFold, !fields.isEmpty, line.allSatisfy(\.isFieldCharacter) else {
                    throw .wrong("a folded line")
                }
                continue
            }
            guard let colon = line.firstIndex(of: 0x3A), colon > 0, line[..<colon].allSatisfy(\.isTokenCharacter),
                line[(colon + 1)...].allSatisfy(\.isFieldCharacter)
            else { throw .wrong("a field") }
            var value = line[(colon + 1)...]
            while let first = value.first, first.isSpace { value = value.dropFirst() }
            while let last = value.last, last.isSpace { value = value.dropLast() }
            fields.append(
                .init(
                    name: String(decoding: line[..<colon], as: UTF8.self), value: String(decoding: value, as: UTF8.self)
                ))
        }
    }

    // MARK: framing

    /// RFC 9112, 6.
    private mutating func body(of message: HTTPMessage) throws(Stop) -> [UInt8] {
        let (lengths, codings) = (message.values(of: "content-length"), message.values(of: "transfer-encoding"))
        if !codings.isEmpty {
            guard codings.count == 1, lengths.isEmpty, message.isHTTP11, codings[0].lowercased() == "chunked" else {
                throw .wrong("the transfer coding")
            }
            return try chunks()
        }
        guard !lengths.isEmpty else { return [] }
        guard lengths.count == 1, !lengths[0].isEmpty, lengths[0].utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let length = Int(lengths[0])
        else { throw .wrong("the length") }
        return try take(length)
    }

    private mutating func take(_ count: Int) throws(Stop) -> [UInt8] {
        guard bytes.count - at >= count else { throw .incomplete }
        defer { at += count }
        return Array(bytes[at..<at + count])
    }

    /// RFC 9112, 7.1.
    private mutating func chunks() throws(Stop) -> [UInt8] {
        var body: [UInt8] = []
        while true {
            let line = try line()
            let digits = line.prefix { Character(Unicode.Scalar($0)).isHexDigit && $0 < 0x80 }
            let rest = line[digits.count...]
            guard !digits.isEmpty, rest.isEmpty || (rest.first == 0x3B && rest.allSatisfy(\.isFieldCharacter)),
                let size = Int(String(decoding: digits, as: UTF8.self), radix: 16)
            else { throw .wrong("the size of a chunk") }
            if size == 0 {
                _ = try fields(mayFold: true)
                return body
            }
            body += try take(size)
            try emptyLine()
        }
    }
}

extension HTTPMessage {
    fileprivate func values(of name: String) -> [String] {
        fields.filter { $0.name.lowercased() == name }.map(\.value)
    }

    /// RFC 9112, 3.2; a path is percent-decoded once.
    fileprivate mutating func take(target: [UInt8]) throws(StrictHTTP.Stop) {
        guard !target.isEmpty, target.allSatisfy({ (0x21...0x7E).contains($0) }) else { throw .wrong("the target") }
        var rest = target[...]
        let text = String(decoding: target, as: UTF8.self).lowercased()
        for scheme in ["http://", "https://"] where text.hasPrefix(scheme) {
            rest = rest.dropFirst(scheme.utf8.count)
            let authority = rest.prefix { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") }
            guard !authority.isEmpty else { throw .wrong("the authority") }
            host = String(decoding: authority, as: UTF8.self)
            rest = rest.dropFirst(authority.count)
        }
        guard rest.count < target.count || rest.first == UInt8(ascii: "/") || target == [UInt8(ascii: "*")] else {
            throw .wrong("the form of the target")
        }
        let parts = rest.split(separator: UInt8(ascii: "?"), maxSplits: 1, omittingEmptySubsequences: false)
        query = parts.count > 1 ? Array(parts[1]) : []
        var encoded = (parts.first ?? [])[...]
        while let byte = encoded.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                path.append(byte)
                continue
            }
            guard encoded.count >= 2, let decoded = UInt8(String(decoding: encoded.prefix(2), as: UTF8.self), radix: 16)
            else { throw .wrong("a percent") }
            // An encoded slash separates nothing, and stays as it is.
            path += decoded == UInt8(ascii: "/") ? [byte] + encoded.prefix(2) : [decoded]
            encoded = encoded.dropFirst(2)
        }
    }
}

extension UInt8 {
    /// RFC 9110, 5.6.2.
    fileprivate var isTokenCharacter: Bool {
        switch self {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: "!#$%&'*+-.^_`|~".utf8.contains(self)
        }
    }

    /// RFC 9110, 5.5: visible, beyond ASCII, or white space.
    fileprivate var isFieldCharacter: Bool { self > 0x20 && self != 0x7F || isSpace }
    fileprivate var isSpace: Bool { self == 0x20 || self == 0x09 }
}
