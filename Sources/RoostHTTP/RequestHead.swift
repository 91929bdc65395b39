internal import Glibc
internal import RoostBasics

/// The head of one request: a view into the parser that read it, gone with the next message.
///
/// Safe: it borrows the parser, which owns `state` and the bytes behind it.
@safe public struct RequestHead: ~Copyable, ~Escapable {
    let state: UnsafePointer<HeadState>

    @_lifetime(borrow parser)
    init(of parser: borrowing RequestParser) { unsafe state = UnsafePointer(parser.state) }

    public var method: HTTPMethod { unsafe state.pointee.method }

    /// Percent-decoded once but for encoded slashes, begins with `/` (or is `*`). Not
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

    /// Value of any header by name (case ignored), the first if repeated; nil when absent. For rare ones.
    public func text(of name: String) -> String? {
        var text: String?
        findHeader(Array(name.utf8).bytes) { value in
            text = value.text
            return true
        }
        return text
    }

    /// Calls `accept` with the value of each header of this name (case ignored), without white space around it, until
    /// that is true. It walks the head: for what is configured, such as the key of a sticky split.
    public func findHeader(_ name: RawSpan, _ accept: (RawSpan) -> Bool) {
        // The request line is none, whatever was decoded in it.
        let head = unsafe bytes(HeadRange(Int(state.pointee.target.end), state.pointee.headCount))
        var at = head.offset(of: UInt8(ascii: "\n"), from: 0)
        while let start = at.map({ $0 + 1 }), start < head.byteCount {
            at = head.offset(of: UInt8(ascii: "\n"), from: start)
            let line = head.extracting(start..<(at ?? head.byteCount))
            guard line.byteCount > name.byteCount, line[name.byteCount] == UInt8(ascii: ":"),
                line.extracting(first: name.byteCount).isSame(as: name)
            else { continue }
            if accept(line.extracting((name.byteCount + 1)..<line.byteCount).trimmed) { return }
        }
    }

    /// All header fields in their order, values without white space around them. It walks the head: for rare calls.
    public var fields: [(name: String, value: String)] {
        let head = unsafe bytes(HeadRange(Int(state.pointee.target.end), state.pointee.headCount))
        var fields: [(name: String, value: String)] = []
        var at = head.offset(of: UInt8(ascii: "\n"), from: 0)
        while let start = at.map({ $0 + 1 }), start < head.byteCount {
            at = head.offset(of: UInt8(ascii: "\n"), from: start)
            let line = head.extracting(start..<(at ?? head.byteCount))
            guard let colon = line.offset(of: UInt8(ascii: ":"), from: 0) else { continue }
            fields.append(
                (line.extracting(first: colon).text, line.extracting((colon + 1)..<line.byteCount).trimmed.text))
        }
        return fields
    }

    @_lifetime(immortal)
    private func bytes(_ range: HeadRange) -> RawSpan {
        guard let head = unsafe state.pointee.head else { return RawSpan() }
        let span = unsafe RawSpan(_unsafeStart: UnsafeRawPointer(head + Int(range.start)), byteCount: range.count)
        return unsafe _overrideLifetime(span, borrowing: ())
    }
}

extension RawSpan {
    /// Where the next `byte` at or behind `start` is.
    fileprivate func offset(of byte: UInt8, from start: Int) -> Int? {
        unsafe withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress, start < bytes.count,
                let found = unsafe memchr(base + start, Int32(byte), bytes.count - start)
            else { return nil }
            return unsafe UnsafeRawPointer(found) - base
        }
    }

    /// Whether both are the same but for the case of letters; of the same length, names of headers.
    fileprivate func isSame(as name: RawSpan) -> Bool {
        for index in 0..<byteCount where self[index] | 0x20 != name[index] | 0x20 { return false }
        return true
    }

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
