public import RoostBasics

/// How two versions' answers to one request differ, as the instance that compared them tells the host: the body of a
/// reply to `compareTensors` or `compareRows`. Fixed words, so that the host need not parse anything.
public struct Comparison: Hashable, Sendable {
    /// How the numbers of one tensor differ, element by element. Where both are missing, they agree.
    public struct Numbers: Hashable, Sendable {
        public var elements: UInt64 = 0
        /// Of |shadow − served|.
        public var sum = 0.0
        public var largest = 0.0
        /// Of |shadow − served| ÷ max(|shadow|, |served|), between 0 and 2.
        public var relativeSum = 0.0

        public init() {}
    }

    /// Tensors that are told of one by one; the numbers of further ones are left out.
    public static let tensorsMax = 8

    public var rows: UInt64 = 0
    /// Rows of which both versions say a class, and of these the ones where it is another.
    public var decisions: UInt64 = 0
    public var flips: UInt64 = 0
    /// By the place of the tensor in the shadow's signature.
    public var tensors = InlineArray<8, Numbers>(repeating: Numbers())

    public init() {}

    public static func == (left: Self, right: Self) -> Bool {
        left.rows == right.rows && left.decisions == right.decisions && left.flips == right.flips
            && left.tensors.indices.allSatisfy { left.tensors[$0] == right.tensors[$0] }
    }

    public func hash(into hasher: inout Hasher) {
        for word in words { hasher.combine(word) }
    }

    private static let wordCount = 3 + 4 * tensorsMax

    /// As it travels: 64-bit words, lowest byte first.
    public var bytes: [UInt8] {
        words.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(8 * $0)) } }
    }

    private var words: [UInt64] {
        var words = [rows, decisions, flips]
        for index in tensors.indices {
            let numbers = tensors[index]
            words += [
                numbers.elements, numbers.sum.bitPattern, numbers.largest.bitPattern, numbers.relativeSum.bitPattern,
            ]
        }
        return words
    }

    /// What an instance wrote; nil when no honest one would write it.
    public init?(_ bytes: RawSpan) {
        guard bytes.byteCount == Self.wordCount * 8 else { return nil }
        var words = [UInt64](repeating: 0, count: Self.wordCount)
        for index in 0..<bytes.byteCount { words[index / 8] |= UInt64(bytes[index]) << UInt64(8 * (index % 8)) }
        (rows, decisions, flips) = (words[0], words[1], words[2])
        // So that sums over any number of them neither overflow nor lose their meaning.
        guard rows <= Self.countMax, decisions <= rows, flips <= decisions else { return nil }
        for index in tensors.indices {
            let first = 3 + 4 * index
            var numbers = Numbers()
            numbers.elements = words[first]
            numbers.sum = Double(bitPattern: words[first + 1])
            numbers.largest = Double(bitPattern: words[first + 2])
            numbers.relativeSum = Double(bitPattern: words[first + 3])
            guard numbers.elements <= Self.countMax, numbers.isSane else { return nil }
            tensors[index] = numbers
        }
    }

    private static let countMax: UInt64 = 1 << 40
}

extension Comparison.Numbers {
    fileprivate var isSane: Bool {
        [sum, largest, relativeSum].allSatisfy { $0 >= 0 && $0 <= Double.greatestFiniteMagnitude }
    }
}

/// What the body of a comparison's request holds: a request, and what was answered to it, both as they travelled.
///
/// Three numbers of 64 bits, lowest byte first: the length of the request, how much of the reply is JSON (all ones: it
/// has no binary tensors), and how the reply is compressed. Then the request and the served reply.
public enum ComparisonBody {
    public static let prefixBytes = 24

    /// The first bytes, for a request of that many and the reply with that head.
    public static func prefix(requestBytes: Int, reply: ReplyHeader) -> [UInt8] {
        let words = [
            UInt64(requestBytes), reply.jsonBytes.map { UInt64($0) } ?? .max, UInt64(reply.contentCoding.rawValue),
        ]
        return words.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(8 * $0)) } }
    }

    public struct Parts: Hashable, Sendable {
        /// Where they stand in the body.
        public let request: Range<Int>
        public let reply: Range<Int>
        /// As in the reply's head.
        public let replyJSONBytes: Int?
        public let replyCoding: ContentCoding
    }

    /// Nil when the body is none of these.
    public static func parts(_ body: RawSpan) -> Parts? {
        guard body.byteCount >= prefixBytes else { return nil }
        let words = (0..<3).map { index in
            (0..<8).reduce(UInt64(0)) { $0 | UInt64(body[8 * index + $1]) << UInt64(8 * $1) }
        }
        guard words[0] <= UInt64(body.byteCount - prefixBytes), words[2] <= UInt64(UInt16.max),
            let coding = ContentCoding(rawValue: UInt16(words[2]))
        else { return nil }
        let end = prefixBytes + Int(words[0])
        return Parts(
            request: prefixBytes..<end, reply: end..<body.byteCount,
            replyJSONBytes: words[1] == .max ? nil : Int(clamping: words[1]), replyCoding: coding)
    }
}
