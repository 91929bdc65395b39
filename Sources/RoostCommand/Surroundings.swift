public import RoostBasics
public import RoostDelivery
public import RoostEvaluation
public import RoostJSON
public import RoostShell
public import RoostTensors

/// What a command sees of the world besides hosts and files.
public protocol Surroundings: Sendable {
    func write(_ bytes: [UInt8], to stream: StandardStream) throws(RoostError)
    func readInput() throws(RoostError) -> [UInt8]
    func isTerminal(_ stream: StandardStream) -> Bool
    func variable(_ name: String) -> String?
}

/// Those of this process.
public struct ProcessSurroundings: Surroundings {
    public init() {}

    public func write(_ bytes: [UInt8], to stream: StandardStream) throws(RoostError) { try stream.write(bytes) }
    public func readInput() throws(RoostError) -> [UInt8] { try StandardStream.input.readAll() }
    public func isTerminal(_ stream: StandardStream) -> Bool { stream.isTerminal }
    public func variable(_ name: String) -> String? { environmentVariable(name) }
}

/// What the host's own code does within the command's process, without a running host.
public protocol HostWithin: Sendable {
    /// Serves until it is told to stop; the exit code.
    func serve(_ settings: ServeSettings) -> Int32
    /// Puts the file through probation: load it in the sandbox, check its golden examples.
    func verify(file: String, examples: String?, home: String?) throws(RoostError) -> FileReport
    /// Answers one request by the file itself.
    func predict(
        file: String, body: [UInt8], contentType: String, accept: String?, home: String?
    ) throws(RoostError) -> (status: Int, body: [UInt8])
    /// Loads the file, to be asked more than once.
    func open(file: String, home: String?) throws(RoostError) -> any OpenModel
    /// Scores a whole file of rows; how the job ended. `onProgress` hears where it stands.
    func score(
        file: String, _ spec: JobSpec, home: String?, onProgress: @escaping (JSONValue) -> Void
    ) throws(RoostError) -> JSONValue
    /// The path of the installed runtime `name`; without a name, of the one that loads `model`.
    func runtime(_ name: String?, for model: String, home: String?) throws(RoostError) -> String
}

/// A model file that is loaded, for the thread that opened it.
public protocol OpenModel: AnyObject {
    var signature: Signature { get }
    /// What its card says it is for; nil: nothing.
    var task: TaskDescription? { get }
    /// Of the file.
    var byteCount: Int { get }
    /// Answers rows; any status is an answer.
    func ask(
        _ body: [UInt8], contentType: String, accept: String?
    ) throws(RoostError) -> (status: Int, body: [UInt8])
    /// Ends its processes.
    func close()
}
