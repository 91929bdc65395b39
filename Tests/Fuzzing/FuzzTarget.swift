/// One way by which bytes from outside come in, with what must hold whatever they are.
///
/// `scripts/fuzz` lets libFuzzer think up the bytes; the tests replay those that it found worth keeping (`corpora/`).
public struct FuzzTarget: Sendable, CustomStringConvertible {
    public let name: String
    /// What is read, for the list.
    public let about: String
    /// Throws `Broken` when something does not hold. What traps, or touches memory that is not its own, ends the process.
    public let run: @Sendable ([UInt8]) throws -> Void

    init(_ name: String, _ about: String, _ run: @escaping @Sendable ([UInt8]) throws -> Void) {
        (self.name, self.about, self.run) = (name, about, run)
    }

    public var description: String { name }

    public static func named(_ name: String) -> FuzzTarget? { all.first { $0.name == name } }

    public static let all: [FuzzTarget] = [
        FuzzTarget("http", "requests as they come from clients; held against a reader made from RFC 9112", fuzzHTTP),
        FuzzTarget("tensors", "bodies: v2 infer requests") { try fuzzBody($0, .tensors) },
        FuzzTarget("rows", "bodies: JSON rows") { try fuzzBody($0, .rows) },
        FuzzTarget("csv", "bodies: CSV") { try fuzzBody($0, .csv) },
        FuzzTarget("numbers", "one number, in every place that takes numbers; held against strtod", fuzzNumber),
        FuzzTarget("examples", "golden examples, replies to compare with, labelled rows", fuzzExamples),
        FuzzTarget("bulk", "files of jobs: scored whole and in chunks", fuzzBulk),
        FuzzTarget("splitter", "files of jobs: where records end; held against a reader byte by byte", fuzzSplitter),
        FuzzTarget("feedback", "late labels: JSON, JSON Lines, CSV", fuzzFeedback),
        FuzzTarget("elf", "plugin files: outline, records, packing", fuzzELF),
        FuzzTarget("document", "model files: the reader of JSON and UBJSON", fuzzDocument),
        FuzzTarget("trees", "model files: XGBoost's; what loads must predict", fuzzTrees),
        FuzzTarget("linear", "model files: linear ones; what loads must predict", fuzzLinear),
        FuzzTarget("channel", "every word and frame that an instance can write", fuzzChannel),
        FuzzTarget("frames", "what instances write beside answers: summaries, comparisons, reports, plans", fuzzFrames),
        FuzzTarget("control", "messages that a template can send", fuzzControl),
        FuzzTarget("manifest", "manifests, and the paths in them", fuzzManifest),
        FuzzTarget("card", "cards and signatures", fuzzCard),
        FuzzTarget("events", "CloudEvents: structured, batch, binary", fuzzEvents),
        FuzzTarget("cron", "cron expressions; held against counting minutes", fuzzCron),
        FuzzTarget("tzif", "time zone data", fuzzTimeZone),
        FuzzTarget("gzip", "compressed files", fuzzGzip),
    ]
}

/// Something that should hold for every input and does not for this one.
public struct Broken: Error, CustomStringConvertible {
    public let description: String
}

/// - Parameter what: what the case is when it does not hold.
func expect(_ holds: Bool, _ what: @autoclosure () -> String) throws {
    if !holds { throw Broken(description: what()) }
}
