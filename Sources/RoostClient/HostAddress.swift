/// Where a host listens.
public enum HostAddress: Hashable, Sendable, CustomStringConvertible {
    /// A Unix socket: `state/roost.sock` of a home.
    case socket(path: String)
    /// `host` is a name or an IP address, without brackets.
    case tcp(host: String, port: UInt16)

    /// Reads `http://HOST[:PORT]`, also with a trailing slash; the port is 80 when none is given, as everywhere.
    /// Nil for anything else, other schemes and paths included.
    public init?(url: String) {
        guard url.lowercased().hasPrefix("http://") else { return nil }
        var authority = url.dropFirst("http://".count)
        if authority.last == "/" { authority.removeLast() }
        guard !authority.contains(where: { "/?#@ ".contains($0) }) else { return nil }
        var host = authority
        var port = ""[...]
        if authority.first == "[" {
            guard let end = authority.firstIndex(of: "]") else { return nil }
            host = authority[..<end].dropFirst()
            let rest = authority[end...].dropFirst()
            guard rest.isEmpty || rest.first == ":" else { return nil }
            port = rest.dropFirst()
        } else if let colon = authority.firstIndex(of: ":") {
            host = authority[..<colon]
            port = authority[colon...].dropFirst()
            guard !port.isEmpty else { return nil }
        }
        guard !host.isEmpty, let number = port.isEmpty ? 80 : UInt16(port), number > 0 else { return nil }
        self = .tcp(host: String(host), port: number)
    }

    public var description: String {
        switch self {
        case .socket(let path): path
        case .tcp(let host, let port): host.contains(":") ? "http://[\(host)]:\(port)" : "http://\(host):\(port)"
        }
    }

    /// For the Host header.
    public var authority: String {
        switch self {
        case .socket: "localhost"
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        }
    }
}
