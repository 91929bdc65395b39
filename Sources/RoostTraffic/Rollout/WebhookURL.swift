public import RoostBasics

/// Where a gate is asked: `http://HOST[:PORT][/PATH]`. There is no TLS in the host, so `https` is refused.
public struct WebhookURL: Hashable, Sendable, CustomStringConvertible {
    /// As it was written.
    public let text: String
    /// A name, an IPv4 address, or an IPv6 address without its brackets.
    public let host: String
    /// 80 unless written.
    public let port: UInt16
    /// With the query, as the request line has it; at least `/`.
    public let path: String

    /// - Throws: `.invalidArgument`, saying what of it cannot be read.
    public init(_ text: String) throws(RoostError) {
        let scheme = "http://"
        guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw Self.refusal(text, "it has spaces or characters that must be percent-encoded")
        }
        guard text.hasPrefix(scheme) else {
            let remedy = text.hasPrefix("https://") ? "; the host speaks no TLS, put a proxy in between" : ""
            throw Self.refusal(text, "it must begin with http://\(remedy)")
        }
        let rest = text.dropFirst(scheme.count)
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        let path = rest.dropFirst(authority.count)
        guard !path.contains("#") else { throw Self.refusal(text, "a fragment (#) is not sent to anybody") }
        guard !authority.contains("@") else { throw Self.refusal(text, "user and password are not supported") }
        (host, port) = try Self.address(authority, of: text)
        self.text = text
        self.path = path.hasPrefix("/") ? String(path) : "/\(path)"
    }

    public var description: String { text }

    /// `name`, `name:8080`, `[::1]:8080`.
    private static func address(
        _ authority: Substring, of text: String
    ) throws(RoostError) -> (host: String, port: UInt16) {
        let isBracketed = authority.hasPrefix("[")
        let host = isBracketed ? authority.dropFirst().prefix { $0 != "]" } : authority.prefix { $0 != ":" }
        var rest = authority.dropFirst(host.count + (isBracketed ? 1 : 0))
        if isBracketed {
            guard rest.hasPrefix("]") else { throw refusal(text, "\"[\" has no \"]\"") }
            rest = rest.dropFirst()
        }
        let allowed: (UInt8) -> Bool = { byte in
            byte.isAlphanumeric || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
        }
        guard !host.isEmpty,
            host.utf8.allSatisfy({ isBracketed ? $0 == UInt8(ascii: ":") || allowed($0) : allowed($0) })
        else { throw refusal(text, host.isEmpty ? "it names no host" : "\"\(host)\" is no host") }
        guard !rest.isEmpty else { return (String(host), 80) }
        guard rest.hasPrefix(":"), rest.dropFirst().utf8.allSatisfy(\.isDigit), let port = UInt16(rest.dropFirst()),
            port > 0
        else { throw refusal(text, "\"\(rest)\" is no port: it must be :1 to :65535") }
        return (String(host), port)
    }

    private static func refusal(_ text: String, _ reason: String) -> RoostError {
        RoostError(.invalidArgument, "\"\(text)\" is no URL like \"http://127.0.0.1:9000/gate\": \(reason)")
    }
}
