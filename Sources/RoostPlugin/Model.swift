public import RoostTensors

/// A model behind the plugin ABI. A type that conforms, and one exported line, are a whole plugin:
///
/// ```swift
/// import RoostPlugin
///
/// struct Doubling: Model {
///     init(loading artifact: borrowing Artifact) throws {}
///
///     let signature = Signature(
///         inputs: [TensorSpec(name: "features", dtype: .float32, shape: [-1, 1])],
///         outputs: [TensorSpec(name: "predictions", dtype: .float32, shape: [-1])])
///
///     func predict(_ batch: borrowing Batch, _ outputs: inout Outputs) throws {
///         let features = try batch.values(0, of: Float.self)
///         var predictions = try outputs.values(0, of: Float.self)
///         for row in 0..<batch.rows { predictions[row] = 2 * features[row] }
///     }
/// }
///
/// @c(roost_plugin_entry) public func entry() -> UnsafeRawPointer { export(Doubling.self, name: "doubling") }
/// ```
///
/// All calls come from one thread, one at a time. A thrown `ModelError` says who is to blame; any other error is
/// the model's failure, with its description as the text. The process is forked after `init`: keep what is large in
/// `ModelMemory`, start no thread, and use neither `Task` nor Dispatch.
public protocol Model {
    /// The model files that this runtime reads, for people (`"XGBoost .json, .ubj"`); nil (the default) for a
    /// plugin that carries its own model.
    static var formats: String? { get }

    /// Loads the model, once, before the process is forked.
    /// Throws `ModelError.notMyFormat` when the file is of no kind that this runtime reads.
    init(loading artifact: borrowing Artifact) throws

    /// What the model takes and gives. Asked once after loading; the same for the life of the model.
    var signature: Signature { get }

    /// Answers every row of the batch: takes each output once from `outputs` and fills it completely.
    /// A row's answer must not depend, in any bit, on the rows that share its batch.
    func predict(_ batch: borrowing Batch, _ outputs: inout Outputs) throws

    /// Runs in every instance before its first `predict`: the place to reseed random generators.
    func afterFork() throws

    /// Runs once after loading, before any fork: pays first-use costs that all instances then share.
    func warmUp() throws
}

extension Model {
    public static var formats: String? { nil }
    public func afterFork() throws {}
    public func warmUp() throws {}
}

/// Why a call failed, and whose fault it is. The text goes to the caller or into `roost status`.
public enum ModelError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The model cannot do it (500).
    case failed(String)
    /// `predict` only: the caller's input is wrong (400).
    case invalidInput(String)
    /// `init(loading:)` only: no file that this runtime reads; another may try.
    case notMyFormat(String)

    public var description: String {
        switch self {
        case .failed(let text), .invalidInput(let text), .notMyFormat(let text): text
        }
    }
}

/// How much a line in `roost logs` matters.
public enum LogLevel: Int32, Hashable, Sendable {
    case debug = 0
    case info = 1
    case warning = 2
    case error = 3
}
