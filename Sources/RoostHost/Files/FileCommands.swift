public import RoostBasics

internal import RoostFunctions
internal import RoostProcess
public import RoostJSON
internal import RoostTensors

/// What probation found out about a file that passed it.
public struct FileProof: Sendable {
    /// For people, one fact a line.
    public let lines: [String]
    /// The same for programs.
    public let json: JSONValue

    init(_ result: Probation.Result) {
        let verification = result.verification
        let milliseconds = Double(result.report.loadNanoseconds) / 1e6
        let examples =
            verification.exampleCount == 0
            ? "0 examples: answers not checked" : "\(verification.exampleCount) golden examples: as expected"
        lines = [
            "runtime   \(result.artifact.runtime)",
            "loaded in \((milliseconds * 10).rounded() / 10) ms, \(result.report.privateBytes >> 10) KiB private, "
                + "\(result.report.modelMemoryBytes >> 10) KiB shared model memory"
                + (result.report.isForkable ? "" : ", never forked"),
            "inputs    \(verification.signature.inputs.map(Self.words).joined(separator: ", "))",
            "outputs   \(verification.signature.outputs.map(Self.words).joined(separator: ", "))",
            examples,
        ]
        json = [
            "runtime": .string(result.artifact.runtime), "load_ms": .real(milliseconds),
            "examples": .integer(verification.exampleCount), "single": .bool(!result.report.isForkable),
            "signature": verification.signature.json,
        ]
    }

    private static func words(_ spec: TensorSpec) -> String { "\(spec.name) \(spec.dtype.name) \(spec.shape)" }
}

/// Puts a file through probation without a host: loads it in the sandbox, reads its signature, runs its golden examples.
/// - Throws: why it would not be deployed.
public func verify(file: String, examples: String?, options: ServeOptions) throws(RoostError) -> FileProof {
    let bench = try Workbench(options)
    defer { bench.close() }
    return FileProof(try bench.prove(file, examples: examples))
}

/// Answers one request by the file itself, through the same sandbox and codecs as a host's.
/// - Throws: when the file cannot be loaded; what the model answers, also an error, is returned.
public func predict(
    file: String, body: [UInt8], contentType: String, accept: String?, options: ServeOptions
) throws(RoostError) -> (status: Int, body: [UInt8]) {
    let model = try FileModel(file, options: options)
    defer { model.close() }
    return try model.ask(body, contentType: contentType, accept: accept)
}

/// The path of the installed runtime of that name; without a name, of the one that loads the model file.
public func runtime(named name: String?, for model: String, options: ServeOptions) throws(RoostError) -> String {
    let bench = try Workbench(options)
    defer { bench.close() }
    guard let name else { return try bench.prove(model, examples: nil).artifact.plugin }
    guard let found = bench.catalog.runtime(named: name) else {
        let names = bench.catalog.runtimes.map(\.name).joined(separator: ", ")
        throw RoostError(.notFound, "no runtime \"\(name)\" is installed (there is \(names.isEmpty ? "none" : names))")
    }
    return found.path
}
