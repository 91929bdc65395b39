/// The `X-Request-Id` of every request under way, by slot: the client's when it is sane, else one of ours.
///
/// Ours are a prefix drawn at start and a count, so no two of a host are equal, and two hosts hardly.
///
/// Safe: `memory` has `slots * stride` bytes; an entry is a length byte and at most `idBytesMax` of text.
@safe public struct RequestIDTable: ~Copyable {
    private var memory: UnsafeMutablePointer<UInt8>
    private var slots: Int
    /// The next of ours, as text: counting in text needs no formatting.
    private var next: InlineArray<24, UInt8>

    public static let idBytesMax = 128
    private static let stride = 136
    private static let ownBytes = 24
    private static let prefixBytes = 12

    public init(using generator: inout some RandomNumberGenerator) {
        slots = 64
        unsafe memory = .allocate(capacity: slots * Self.stride)
        next = InlineArray(repeating: UInt8(ascii: "0"))
        for index in 0..<Self.prefixBytes {
            next[index] = Self.digit(Int.random(in: 0..<36, using: &generator))
        }
    }

    deinit { unsafe memory.deallocate() }

    private static func digit(_ value: Int) -> UInt8 {
        UInt8(truncatingIfNeeded: value < 10 ? 0x30 + value : 0x61 + value - 10)
    }

    /// Gives the slot one of ours.
    public mutating func assign(to slot: Int) {
        grow(to: slot)
        let entry = unsafe memory + slot * Self.stride
        unsafe entry[0] = UInt8(Self.ownBytes)
        unsafe UnsafeMutableRawPointer(entry + 1).storeBytes(of: next, as: InlineArray<24, UInt8>.self)
        var place = Self.ownBytes - 1
        while place >= Self.prefixBytes {
            switch next[place] {
            case UInt8(ascii: "9"): next[place] = UInt8(ascii: "a")
            case UInt8(ascii: "z"):
                next[place] = UInt8(ascii: "0")
                place -= 1
                continue
            default: next[place] += 1
            }
            return
        }
    }

    /// Gives the slot the client's id if that is at most 128 visible ASCII characters, else one of ours.
    public mutating func assign(to slot: Int, from head: borrowing RequestHead) {
        let sent = head.value(.requestID)
        guard !sent.isEmpty, sent.byteCount <= Self.idBytesMax else { return assign(to: slot) }
        grow(to: slot)
        let entry = unsafe memory + slot * Self.stride
        let isSane = unsafe sent.withUnsafeBytes { bytes in
            for index in 0..<bytes.count {
                let byte = unsafe bytes[index]
                guard byte > 0x20, byte < 0x7f else { return false }
                unsafe entry[1 + index] = byte
            }
            return true
        }
        guard isSane else { return assign(to: slot) }
        unsafe entry[0] = UInt8(sent.byteCount)
    }

    /// The id of a slot that was assigned one.
    public subscript(slot: Int) -> RawSpan {
        @_lifetime(borrow self)
        get {
            precondition(slot >= 0 && slot < slots)
            let entry = unsafe memory + slot * Self.stride
            let span = unsafe RawSpan(_unsafeStart: UnsafeRawPointer(entry + 1), byteCount: Int(entry[0]))
            return unsafe _overrideLifetime(span, borrowing: self)
        }
    }

    private mutating func grow(to slot: Int) {
        precondition(slot >= 0)
        guard slot >= slots else { return }
        let more = max(slots * 2, slot + 1)
        let grown = UnsafeMutablePointer<UInt8>.allocate(capacity: more * Self.stride)
        unsafe grown.update(from: memory, count: slots * Self.stride)
        unsafe memory.deallocate()
        unsafe memory = grown
        slots = more
    }
}
