internal import RoostBasics

/// The head of one request: a view into the parser that read it, gone with the next message.
///
/// Safe: it borrows the parser, which owns `state` and the bytes behind it.
@safe public struct RequestHead: ~Copyable, ~Escapable {
    let state: UnsafePointer<HeadState>

    @_lifetime(borrow parser)
    init(of parser: borrowing RequestParser) { unsafe state = UnsafePointer(parser.state) }

    public var method: HTTPMethod { unsafe state.pointee.method }

    /// Percent-decoded once, begins with `/` (or is `*`, or empty for an absolute target without a path). Not
    /// normalised: what has `..` in it matches no endpoint.
    public var path: RawSpan {
        @_lifetime(borrow self)
        get { unsafe _overrideLifetime(bytes(state.pointee.path), borrowing: self) }
    }

    /// What follows `?`, not decoded; empty when there is none.
    public var query: RawSpan {
        @_lifetime(borrow self)
        get { unsafe _overrideLifetime(bytes(state.pointee.query), borrowing: self) }
    }

    /// HTTP/1.1, else 1.0.
    public var isHTTP11: Bool { unsafe state.pointee.isHTTP11 }
    /// Whether the client wants the connection kept.
    public var keepsAlive: Bool { unsafe state.pointee.keepsAlive }
    /// Whether the request came over the host's own socket file: the caller is a user of this machine with access
    /// to the home folder.
    public var isLocal: Bool { unsafe state.pointee.isLocal }

    public func has(_ header: KnownHeader) -> Bool { unsafe !state.pointee[header].isAbsent }
    /// Whether the header stood there more than once; its value is the first.
    public func isRepeated(_ header: KnownHeader) -> Bool { unsafe state.pointee.isRepeated(header) }

    /// The value without white space around it; empty when absent.
    @_lifetime(borrow self)
    public func value(_ header: KnownHeader) -> RawSpan {
        unsafe _overrideLifetime(bytes(state.pointee[header]), borrowing: self)
    }

    /// Whether the header's value is `text`, whatever the case of its letters.
    public func value(_ header: KnownHeader, is text: StaticString) -> Bool {
        unsafe !state.pointee[header].isAbsent && state.pointee.equals(state.pointee[header], text)
    }

    /// Value of any header by name (case ignored), the first if repeated; nil when absent. It walks the head: for
    /// what is configured and rare, such as the key of a sticky split.
    public func text(of name: String) -> String? {
        let wanted = name.utf8.map { $0 | 0x20 }
        let head = unsafe bytes(HeadRange(0, state.pointee.headCount))
        var lineStart = 0
        for position in 0..<head.byteCount where head[position] == UInt8(ascii: "\n") {
            let line = head.extracting(lineStart..<position)
            lineStart = position + 1
            guard line.byteCount > wanted.count, line[wanted.count] == UInt8(ascii: ":"),
                wanted.indices.allSatisfy({ line[$0] | 0x20 == wanted[$0] })
            else { continue }
            return line.extracting((wanted.count + 1)..<line.byteCount).trimmed.text
        }
        return nil
    }

    @_lifetime(immortal)
    private func bytes(_ range: HeadRange) -> RawSpan {
        guard let head = unsafe state.pointee.head else { return RawSpan() }
        let span = unsafe RawSpan(_unsafeStart: UnsafeRawPointer(head + Int(range.start)), byteCount: range.count)
        return unsafe _overrideLifetime(span, borrowing: ())
    }
}

extension RawSpan {
    /// Without spaces, tabs and carriage returns at its ends.
    fileprivate var trimmed: RawSpan {
        @_lifetime(copy self)
        get {
            var (start, end) = (0, byteCount)
            while start < end, self[start] <= 0x20 { start += 1 }
            while end > start, self[end - 1] <= 0x20 { end -= 1 }
            return extracting(start..<end)
        }
    }
}
