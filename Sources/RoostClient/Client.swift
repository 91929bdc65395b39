public import RoostBasics

/// What a caller asks of a host.
public struct ClientRequest: Hashable, Sendable {
    public var method: String
    /// With the query, percent-encoded where needed.
    public var path: String
    public var headers: [HeaderField]
    public var body: [UInt8]

    public init(_ method: String, _ path: String, headers: [HeaderField] = [], body: [UInt8] = []) {
        self.method = method
        self.path = path
        self.headers = headers
        self.body = body
    }
}

/// A field of a head as it travelled.
public struct HeaderField: Hashable, Sendable {
    public let name: String
    public let value: String

    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// What the host answered.
public struct ClientReply: Hashable, Sendable {
    public let status: Int
    public let fields: [HeaderField]
    public let body: [UInt8]

    public init(status: Int, fields: [HeaderField], body: [UInt8]) {
        self.status = status
        self.fields = fields
        self.body = body
    }

    /// The first field of that name; capitals do not count.
    public func header(_ name: String) -> String? {
        fields.first { $0.name.lowercased() == name.lowercased() }?.value
    }

    /// 200 to 299.
    public var isSuccess: Bool { (200..<300).contains(status) }
    /// The body as text.
    public var text: String { String(decoding: body, as: UTF8.self) }
}

/// A blocking HTTP/1.1 client for the command line: one connection, one request, one reply at a time.
public struct Client: Sendable {
    public let address: HostAddress
    /// How long the host may stay silent; nil: as long as it likes.
    public let patience: Instant.Span?
    /// What it must not call; nil: it may call anything.
    public let rule: AddressRule?

    public init(_ address: HostAddress, patience: Instant.Span? = .seconds(30), rule: AddressRule? = nil) {
        self.address = address
        self.patience = patience
        self.rule = rule
    }

    /// Throws `unavailable` when nobody listens, `forbidden` when `rule` leaves no address to call, `deadline` when the host stayed silent for longer than `patience`,
    /// `system` when the connection broke or what came back is no HTTP. Every status is a reply, 500 too.
    public func send(_ request: ClientRequest) throws(RoostError) -> ClientReply {
        let connection = try Connection(to: address, patience: patience, rule: rule)
        do throws(RoostError) {
            try connection.write(head(of: request))
            try connection.write(request.body)
        } catch  where error.code == .unavailable {
            // A host that refuses a body answers before it has read it all, and hangs up: the answer may be here.
            do throws(RoostError) { return try read(from: connection) } catch _ { throw error }
        }
        return try read(from: connection)
    }

    /// The address that `send` reaches now, with numbers instead of a name: a name may stand for several, of which
    /// some are deaf. Throws as `send` does.
    public func numericAddress() throws(RoostError) -> HostAddress {
        let connection = try Connection(to: address, patience: patience, rule: rule)
        guard let peer = connection.peer else { throw RoostError(.unavailable, "the host at \(address) hung up") }
        return peer
    }

    private func head(of request: ClientRequest) -> [UInt8] {
        var head = "\(request.method) \(request.path) HTTP/1.1\r\nHost: \(address.authority)\r\nConnection: close\r\n"
        for field in request.headers { head += "\(field.name): \(field.value)\r\n" }
        if !request.body.isEmpty || request.method != "GET" { head += "Content-Length: \(request.body.count)\r\n" }
        return Array((head + "\r\n").utf8)
    }

    private func read(from connection: borrowing Connection) throws(RoostError) -> ClientReply {
        var parser = ReplyParser()
        while true {
            if let reply = try parser.reply() { return reply }
            let bytes = try connection.read()
            if bytes.isEmpty { return try parser.endOfStream(from: address) }
            parser.append(bytes)
        }
    }
}
