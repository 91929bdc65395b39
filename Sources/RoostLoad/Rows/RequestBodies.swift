public import RoostBasics

/// The bodies of a run's requests: pieces of one text, used in turn, as often as needed.
public struct RequestBodies: Sendable {
    /// What kind of body the host is sent.
    public enum Kind: Hashable, Sendable {
        /// JSON rows, for the predict endpoint.
        case rows
        /// CSV, for the predict endpoint.
        case csv
        /// Tensors of the Open Inference Protocol v2.
        case tensors

        public var contentType: String {
            switch self {
            case .rows, .tensors: "application/json"
            case .csv: "text/csv"
            }
        }
    }

    public let kind: Kind
    private let text: [UInt8]
    private let pieces: [Range<Int>]
    private let opening: [UInt8]
    private let separator: [UInt8]
    private let closing: [UInt8]
    /// How many pieces make a body.
    public let piecesPerBody: Int
    private var place = 0

    /// How many pieces there are.
    public var count: Int { pieces.count }

    /// - Parameter pieces: where they stand in `text`; at least one.
    init(
        _ kind: Kind, _ text: [UInt8], _ pieces: [Range<Int>], opening: [UInt8] = [], separator: StaticString = "",
        closing: StaticString = "", piecesPerBody: Int = 1
    ) {
        precondition(!pieces.isEmpty && piecesPerBody > 0)
        (self.kind, self.text, self.pieces, self.piecesPerBody) = (kind, text, pieces, piecesPerBody)
        self.opening = opening
        var (between, end): ([UInt8], [UInt8]) = ([], [])
        between.append(separator)
        end.append(closing)
        (self.separator, self.closing) = (between, end)
    }

    /// Bytes of the next body.
    public var nextByteCount: Int {
        var bytes = opening.count + closing.count + (piecesPerBody - 1) * separator.count
        for step in 0..<piecesPerBody { bytes += pieces[(place + step) % pieces.count].count }
        return bytes
    }

    /// Appends the next body, and moves on.
    public mutating func appendNext(to body: inout ByteBuffer) {
        body.append(opening.bytes)
        for step in 0..<piecesPerBody {
            if step > 0 { body.append(separator.bytes) }
            body.append(text.bytes.extracting(pieces[place]))
            place = place + 1 == pieces.count ? 0 : place + 1
        }
        body.append(closing.bytes)
    }
}
