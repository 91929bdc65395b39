internal import CRoost
internal import Glibc

/// Memory of one direction in which bodies lie that are too large for its ring. Making, filling and freeing a file for
/// each of them would cost a multiple of copying it.
///
/// Invariant: `start` is a mapping of `bytes` bytes that lives as long as this object; the file behind it is sealed
/// against shrinking, so that no peer can take pages away.
@safe final class BodyArea {
    static let bytes = Int(ROOST_AREA_BYTES)
    /// Of a body that may lie here: two of them always fit, so that one can be written while the other is read.
    static let bodyBytesMax = Int(ROOST_AREA_BODY_MAX)

    private let start: UnsafeMutableRawPointer
    /// Of the side that writes.
    var places = AreaPlaces(size: BodyArea.bytes)

    init(_ memory: Descriptor, writable: Bool) throws(ChannelError) {
        let protection = writable ? PROT_READ | PROT_WRITE : PROT_READ
        guard let start = unsafe mmap(nil, Self.bytes, protection, MAP_SHARED, memory.number, 0),
            unsafe start != MAP_FAILED
        else { throw .system("mmap of an area", errno) }
        unsafe self.start = start
    }

    deinit { unsafe munmap(start, Self.bytes) }

    /// Copies a body to a place that `places` gave.
    func put(_ body: RawSpan, at place: Int) {
        precondition(place >= 0 && place + body.byteCount <= Self.bytes)
        unsafe (start + place).put(body)
    }

    /// The body that a frame says lies here; nil when it goes beyond the end.
    func body(at place: UInt64, count: Int) -> UnsafeRawBufferPointer? {
        guard count >= 0, place <= UInt64(Self.bytes), count <= Self.bytes - Int(place) else { return nil }
        return unsafe UnsafeRawBufferPointer(start: start + Int(place), count: count)
    }
}

/// Which parts of an area are in use: a ring, in the order of the frames, each body in one piece.
struct AreaPlaces {
    private struct Place {
        let range: Range<Int>
        /// Where the frame ends in its ring; it gives the place back when the reader is done with it.
        let frameEnd: UInt64
    }

    let size: Int
    /// The oldest first. Their ranges follow each other, and begin again at 0 at most once.
    private var used: [Place] = []

    init(size: Int) { self.size = size }

    /// Where a body of so many bytes may lie; nil when there is no room now. Nothing is taken yet.
    func place(for count: Int) -> Int? {
        guard let first = used.first, let last = used.last else { return count <= size ? 0 : nil }
        let next = last.range.upperBound
        // Behind the newest, and if that has come round, up to the oldest.
        if last.range.lowerBound < first.range.lowerBound { return count <= first.range.lowerBound - next ? next : nil }
        if count <= size - next { return next }
        return count <= first.range.lowerBound ? 0 : nil
    }

    /// Takes what `place(for:)` gave for the frame that ends there.
    mutating func take(_ place: Int, count: Int, frameEnd: UInt64) {
        // The next one begins in a cache line of its own.
        let end = min(size, (place + count + 63) & ~63)
        used.append(Place(range: place..<end, frameEnd: frameEnd))
    }

    /// The reader is done with all frames up to `position`.
    mutating func release(upTo position: UInt64) {
        let done = used.prefix { $0.frameEnd <= position }.count
        if done > 0 { used.removeFirst(done) }
    }
}
