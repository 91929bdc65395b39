import RoostBasics

/// What a request says beside its tensors. Reuse one value per slot: its memory is kept.
public struct RequestInfo: Hashable, Sendable {
    /// Rows that the request appended to the batch.
    public internal(set) var rows = 0
    /// The v2 `id` as it stood in the body, still escaped, without its quotes; at most `idBytesMax` bytes.
    public internal(set) var id: [UInt8] = []
    /// Whether there was an `id`.
    public internal(set) var hasID = false
    /// Indices of the outputs that were asked for, in the order asked; empty for all.
    public internal(set) var outputs: [Int] = []
    /// For each of `outputs` whether it is wanted in binary; nil where the request leaves that to `prefersBinary`.
    public internal(set) var outputForms: [Bool?] = []
    /// The v2 parameter `binary_data_output`: outputs are wanted in binary unless they say otherwise.
    public internal(set) var prefersBinary = false
    /// The v2 `parameters` as they stood in the body: a JSON object, or empty for none that the model could know.
    public internal(set) var parameters: [UInt8] = []
    /// The v2 parameter `timeout`: how long the client waits, in microseconds.
    public internal(set) var timeoutMicroseconds: UInt64?

    /// The longest `id` that is taken.
    public static let idBytesMax = 1024

    public init() {}

    /// Whether the output at this place among those of the reply is wanted in binary.
    public func isBinary(at position: Int) -> Bool {
        outputForms.indices.contains(position) ? outputForms[position] ?? prefersBinary : prefersBinary
    }

    /// Whether both may share a predict call as far as this shows: equal parameters and requested outputs.
    public func fits(_ other: Self) -> Bool { parameters == other.parameters && outputs == other.outputs }

    mutating func clear() {
        rows = 0
        // Mostly they are empty, and emptying an empty array is not free.
        if !id.isEmpty { id.removeAll(keepingCapacity: true) }
        hasID = false
        if !outputs.isEmpty {
            outputs.removeAll(keepingCapacity: true)
            outputForms.removeAll(keepingCapacity: true)
        }
        prefersBinary = false
        if !parameters.isEmpty { parameters.removeAll(keepingCapacity: true) }
        timeoutMicroseconds = nil
    }
}

/// How a body is written.
public enum RequestFormat: Hashable, Sendable {
    /// An infer request of the Open Inference Protocol v2.
    case tensors
    /// JSON rows: arrays or objects, several or one.
    case rows
    /// `text/csv`, RFC 4180.
    case csv
}

/// What became of a request that is well-formed.
public enum Decoded: Hashable, Sendable {
    /// Its rows are in the batch.
    case appended
    /// Its trailing dimensions differ from those of the rows in the batch, which is as it was: decode it again
    /// into an empty batch.
    case separate
}

/// Why a request's rows are not in the batch.
enum Refusal: Error {
    case invalid(RoostError)
    case separate
}
