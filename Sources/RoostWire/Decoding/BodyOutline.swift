import RoostBasics
import RoostTensors

/// A v2 request but for its numbers: what stands before and behind the flat array of its one tensor.
///
/// Clients write all their requests alike. A body that begins and ends with the very bytes of an earlier one means the
/// same by them, so only its numbers have to be read. Bodies with an `id`, `parameters` or `outputs` are not learned.
struct BodyOutline {
    /// Longer ones are not worth comparing.
    private static let bytesMax = 1024

    private var before: [UInt8] = []
    private var behind: [UInt8] = []
    private(set) var rows = 0
    /// Of one row.
    private(set) var trailing: [Int] = []
    private(set) var elements = 0

    /// Takes over a request that was read.
    /// - Parameter data: where its array stands, brackets included.
    mutating func learn(_ body: RawSpan, data: Range<Int>, rows: Int, of input: TensorBuffer) {
        guard data.lowerBound <= Self.bytesMax, body.byteCount - data.upperBound <= Self.bytesMax else { return }
        (self.rows, elements) = (rows, rows * input.rowElements)
        trailing = input.trailing
        before.assign(body.extracting(0..<data.lowerBound))
        behind.assign(body.extracting(data.upperBound..<body.byteCount))
    }

    /// Where the array of a body begins that is like the one that was learned; nil for others.
    func start(in body: RawSpan) -> Int? {
        guard !before.isEmpty, body.byteCount >= before.count + behind.count else { return nil }
        return before.bytes.hasSameBytes(as: body.extracting(first: before.count)) ? before.count : nil
    }

    /// Whether a body that begins like it ends like it, from `end` on.
    func ends(_ body: RawSpan, from end: Int) -> Bool {
        body.byteCount - end == behind.count
            && behind.bytes.hasSameBytes(as: body.extracting(end..<body.byteCount))
    }
}

extension RequestDecoder {
    /// Reads a request that is like the one before but for its numbers.
    /// - Returns: its rows, not yet committed; nil, with nothing appended, when it has to be read as a whole.
    func alike(_ body: RawSpan, _ cursor: JSONCursor, _ batch: TensorBatch) -> Int? {
        guard let start = outline.start(in: body), let input = batch.inputs.first,
            input.trailing == outline.trailing, outline.elements <= body.byteCount
        else { return nil }
        var cursor = cursor
        cursor.at = start
        guard cursor.take(.openBracket) else { return nil }
        let mark = batch.mark
        let first = input.grow(by: outline.elements)
        guard let count = try? cursor.run(into: input, at: first, limit: outline.elements), count == outline.elements,
            outline.ends(body, from: cursor.at)
        else {
            batch.rollback(to: mark)
            return nil
        }
        return outline.rows
    }

    /// Keeps what the next request is probably like.
    func learn(_ body: RawSpan, _ info: RequestInfo, rows: Int, _ batch: TensorBatch) {
        guard let data = flatData, batch.inputs.count == 1, !info.hasID, info.outputs.isEmpty,
            info.parameters.isEmpty
        else { return }
        outline.learn(body, data: data, rows: rows, of: batch.inputs[0])
    }
}
