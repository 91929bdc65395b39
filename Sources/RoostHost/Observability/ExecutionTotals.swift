internal import RoostBasics
internal import RoostChannel

/// What requests that were answered well have cost, phase by phase and by the size of the batch that they ran in: the
/// sums of the Open Inference Protocol's statistics extension.
///
/// Everything but the waiting is the word of an instance: sums may overflow, but nothing here breaks by it.
struct ExecutionTotals {
    /// Requests, and their rows.
    private(set) var requests: UInt64 = 0
    private(set) var rows: UInt64 = 0
    /// Waiting: in the queue, for a fork, for a load.
    private(set) var queueNanoseconds: UInt64 = 0
    /// Each request counts the whole of what it took part in.
    private(set) var decodeNanoseconds: UInt64 = 0
    private(set) var inferNanoseconds: UInt64 = 0
    private(set) var encodeNanoseconds: UInt64 = 0
    /// By size of batch, in the order in which they were seen first.
    private(set) var sizes: [BatchTotals] = []
    /// Of all sizes, also of those that have no place in `sizes`.
    private(set) var executions = 0.0
    /// Where the batch before this one was counted.
    private var last = 0

    /// So many sizes are told apart.
    static let sizesMax = 64

    /// Batches of one size. An execution is counted in parts, by the rows that it shares among its requests.
    struct BatchTotals {
        let rows: UInt32
        fileprivate(set) var executions = 0.0
        fileprivate(set) var decodeNanoseconds = 0.0
        fileprivate(set) var inferNanoseconds = 0.0
        fileprivate(set) var encodeNanoseconds = 0.0
    }

    mutating func add(_ waited: PhaseTiming, _ reply: ReplyHeader) {
        requests += 1
        rows += UInt64(reply.rows)
        queueNanoseconds &+= waited.queue.nanoseconds
        if let fork = waited.fork { queueNanoseconds &+= fork.nanoseconds }
        if let load = waited.load { queueNanoseconds &+= load.nanoseconds }
        decodeNanoseconds &+= reply.decode.nanoseconds
        inferNanoseconds &+= reply.infer.nanoseconds
        encodeNanoseconds &+= reply.encode.nanoseconds
        // An answer without a predict ran in no batch.
        guard reply.rows > 0, reply.batchRows >= reply.rows else { return }
        let part = Double(reply.rows) / Double(reply.batchRows)
        executions += part
        guard let place = place(of: reply.batchRows) else { return }
        sizes[place].executions += part
        sizes[place].decodeNanoseconds += part * Double(reply.decode.nanoseconds)
        sizes[place].inferNanoseconds += part * Double(reply.infer.nanoseconds)
        // Each request's own: their sum is what the batch took.
        sizes[place].encodeNanoseconds += Double(reply.encode.nanoseconds)
    }

    /// Most batches are as large as the one before.
    private mutating func place(of rows: UInt32) -> Int? {
        if last < sizes.count, sizes[last].rows == rows { return last }
        if let found = sizes.firstIndex(where: { $0.rows == rows }) {
            last = found
        } else if sizes.count < Self.sizesMax {
            last = sizes.count
            sizes.append(BatchTotals(rows: rows))
        } else {
            return nil
        }
        return last
    }
}
