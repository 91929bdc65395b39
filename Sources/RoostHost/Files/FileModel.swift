public import RoostBasics
internal import RoostFiles
public import RoostFunctions
internal import RoostLoop
public import RoostTensors

/// A model in a file, loaded in its sandbox without a host, and asked as often as one likes.
///
/// Belongs to the thread that made it; every question waits for its answer.
public final class FileModel {
    public let signature: Signature
    /// What the file says of itself; nil for a bare model file.
    public let card: Card?
    /// Of the file.
    public let byteCount: Int
    private let bench: Workbench
    private let instance: LoneInstance
    private let limit: Instant.Span

    /// - Throws: why the file cannot be loaded.
    public init(_ file: String, options: ServeOptions) throws(RoostError) {
        let bench = try Workbench(options)
        do {
            byteCount = try FileDescriptor(reading: file).status().size
            let proof = try bench.prove(file, examples: nil)
            (signature, card) = (proof.verification.signature, proof.artifact.card)
            bench.processes.kill(proof.template)
            instance = try LoneInstance(
                loading: proof.artifact, label: bench.label(of: file), LoadSettings(), on: bench.loop, bench.processes)
        } catch {
            bench.close()
            throw error
        }
        self.bench = bench
        limit = .seconds(30)
    }

    /// Asks, through the same sandbox and codecs as a host. Any status is an answer.
    /// - Throws: when there is none.
    public func ask(
        _ body: [UInt8], contentType: String, accept: String?
    ) throws(RoostError) -> (status: Int, body: [UInt8]) {
        var outcome: Result<(status: Int, body: [UInt8]), RoostError>?
        var isRunning = false
        instance.ask(body, contentType: contentType, accept: accept, within: limit) { [bench] result in
            outcome = result.map { ($0.status, $0.body) }
            // To stop a loop that does not run would stop its next run.
            if isRunning { bench.loop.stop() }
        }
        isRunning = true
        if outcome == nil { bench.loop.run() }
        guard let outcome else { throw RoostError(.system, "there was no answer") }
        return try outcome.get()
    }

    /// Ends the processes of the file.
    public func close() {
        instance.close()
        bench.close()
    }
}
