internal import Glibc

extension [UInt8] {
    /// The bytes, borrowed. (`span.bytes` counts as unsafe because of padding, which bytes do not have.)
    @inlinable public var bytes: RawSpan {
        @_lifetime(borrow self)
        get { unsafe span.bytes }
    }

    /// Appends a copy of `bytes`.
    @inlinable public mutating func append(_ bytes: RawSpan) {
        unsafe bytes.withUnsafeBytes { unsafe append(contentsOf: $0) }
    }

    /// Appends the text as UTF-8.
    @inlinable public mutating func append(_ text: StaticString) {
        unsafe append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    /// Replaces the whole content, keeping the memory.
    @inlinable public mutating func assign(_ bytes: RawSpan) {
        removeAll(keepingCapacity: true)
        append(bytes)
    }

    /// Writes a copy of `bytes` from index `start` on, where the array must have room for them.
    public mutating func overwrite(from start: Int, with bytes: RawSpan) {
        precondition(start >= 0 && start + bytes.byteCount <= count)
        guard !bytes.isEmpty else { return }
        unsafe withUnsafeMutableBytes { target in
            unsafe bytes.withUnsafeBytes { source in
                guard let to = target.baseAddress, let from = source.baseAddress else { return }
                unsafe memcpy(to + start, from, source.count)
            }
        }
    }
}

extension String {
    /// The text of `bytes`; what is not UTF-8 becomes U+FFFD.
    public init(_ bytes: RawSpan) {
        self = unsafe bytes.withUnsafeBytes { unsafe String(decoding: $0, as: UTF8.self) }
    }
}

extension RawSpan {
    /// Whether both hold the same bytes.
    public func hasSameBytes(as other: RawSpan) -> Bool {
        guard byteCount == other.byteCount else { return false }
        return unsafe withUnsafeBytes { left in
            unsafe other.withUnsafeBytes { right in
                guard let left = left.baseAddress, let right = right.baseAddress else { return true }
                return unsafe memcmp(left, right, byteCount) == 0
            }
        }
    }

    /// Whether these bytes begin with those of `text`.
    public func starts(with text: StaticString) -> Bool {
        byteCount >= text.utf8CodeUnitCount && extracting(first: text.utf8CodeUnitCount).equals(text)
    }

    /// Whether these bytes end with those of `text`.
    public func ends(with text: StaticString) -> Bool {
        byteCount >= text.utf8CodeUnitCount && extracting(last: text.utf8CodeUnitCount).equals(text)
    }
}
