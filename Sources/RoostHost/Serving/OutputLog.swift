internal import RoostBasics

/// The last 64 KiB of what a version printed and of what became of its processes.
struct OutputLog {
    static let bytesMax = 64 * 1024
    private var bytes: [UInt8] = []
    /// The number of bytes ever dropped from the front.
    private(set) var dropped = 0

    /// The position behind the last byte, counted since the host started.
    var end: Int { dropped + bytes.count }

    mutating func append(_ text: RawSpan) {
        bytes.append(text)
        guard bytes.count > Self.bytesMax else { return }
        // Cut to half, so that a chatty plugin does not move memory with every line; at a line's start.
        let cut = bytes.count - Self.bytesMax / 2
        let start = bytes[cut...].firstIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? cut
        bytes.removeFirst(start)
        dropped += start
    }

    mutating func append(line: String) { append(Array("\(line)\n".utf8).bytes) }

    /// What came at or after `position`.
    func suffix(from position: Int) -> [UInt8] {
        Array(bytes[min(max(0, position - dropped), bytes.count)...])
    }
}
