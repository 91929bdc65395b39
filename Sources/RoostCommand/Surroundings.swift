public import RoostBasics
public import RoostShell

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
    /// The path of the installed runtime `name`; without a name, of the one that loads `model`.
    func runtime(_ name: String?, for model: String, home: String?) throws(RoostError) -> String
}
