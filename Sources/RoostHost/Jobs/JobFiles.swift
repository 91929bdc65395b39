internal import RoostBasics
internal import RoostDelivery
internal import RoostELF
internal import RoostEvaluation
internal import RoostFiles
internal import RoostFunctions
internal import RoostJSON
internal import RoostLoop
internal import RoostTensors
internal import RoostWire

/// The files of one job, for its two threads.
///
/// Unchecked: `reader` belongs to the reading thread, `writer` and `report` to the writing one; the loop looks at them
/// only after a message of that thread has said that they stand still.
final class JobFiles: @unchecked Sendable {
    /// Where the rows come from.
    enum Input: Sendable {
        case place(JobPlaces.Place)
        /// A pipe or terminal: it can be read once.
        case stream(FileDescriptor, name: String)
    }

    /// What a model predicts at once.
    static let predictRows = BulkCodec.blockRowsMax

    private let id: String
    private let spec: JobSpec
    private let threshold: Double
    private let classes: [String]
    /// What the model's card says of its columns' numbers.
    let ranges: [BulkPlan.ColumnRange]
    private let input: Input
    private let output: JobPlaces.Place
    private var reader: JobReader?
    private var writer: JobWriter?
    private(set) var report = DataReport()

    /// - Parameters:
    ///   - threshold: from which score on the label of two classes is the positive one; NaN: as the model decides.
    ///   - card: of the model: names its classes, and the ranges of its columns.
    init(id: String, _ spec: JobSpec, input: Input, output: JobPlaces.Place, threshold: Double, card: Card?) {
        (self.id, self.spec, self.input, self.output) = (id, spec, input, output)
        self.threshold = threshold
        classes = card?.task?.classes ?? []
        ranges = (card?.columns ?? []).compactMap { entry in
            entry.range.map { BulkPlan.ColumnRange(entry.column.name, $0) }
        }
    }

    // MARK: for the loop

    var inputSize: Int? { reader?.fileSize }
    var inputState: String { reader?.inputState ?? "" }
    var outputBytes: Int { writer?.position.outputBytes ?? 0 }
    /// To be brought to the disk.
    var written: [FileDescriptor] { writer.map { [$0.output, $0.errors] } ?? [] }
    /// Where bad rows are before the job is done.
    var partialErrors: String { output.folder.path(JobWriter.errorsName(output, id)) }

    /// What an instance said instead of scores.
    static func refusal(_ answer: LoneInstance.Answer) -> String {
        let document = try? JSONValue(parsing: answer.body)
        return document?["error"]?.stringValue ?? "the model answered with status \(answer.status)"
    }

    // MARK: on the reading thread

    func open(resuming checkpoint: JobCheckpoint) -> Result<BulkPlan, RoostError> {
        ThisProcess.yieldToOthers()
        do throws(RoostError) {
            var plan = BulkPlan(input: spec.inputFormat.bulk, output: spec.writtenFormat.bulk)
            plan.delimiter = spec.delimiter
            plan.threshold = threshold
            plan.classes = classes
            plan.ranges = ranges
            plan.ids = spec.ids
            plan.wantsProbabilities = spec.probabilities
            plan.passThrough =
                switch spec.columns {
                case nil, .all?: .all
                case JobSpec.Columns.none?: .none
                case .named(let names)?: .named(names)
                }
            let (file, name) = try openInput()
            let reader = try JobReader(file, name: name, isCompressed: spec.isInputCompressed, plan)
            let rule: BulkPlan.HeaderRule = spec.header.map { $0 ? .present : .absent } ?? .automatic
            try reader.open(&plan, rule, resuming: checkpoint)
            self.reader = reader
            return .success(plan)
        } catch { return .failure(error) }
    }

    private func openInput() throws(RoostError) -> (FileDescriptor, String) {
        switch input {
        case .stream(let file, let name): (file, name)
        case .place(let place): (try FileDescriptor(reading: place.path, below: place.root), place.path)
        }
    }

    func readChunk() -> JobRun.News {
        let began = Loop.clock
        let result: Result<JobRun.Reading, RoostError>
        do throws(RoostError) {
            if let chunk = try reader?.next() {
                result = .success(.chunk(chunk))
            } else {
                result = .success(.end(try reader?.end() ?? InputPosition()))
            }
        } catch { result = .failure(error) }
        return .read(result, progress: reader?.fileBytesRead ?? 0, took: Loop.clock - began)
    }

    // MARK: on the writing thread

    /// Opens the output where an earlier run left it.
    /// - Parameter digest: of an output that was complete: if that is in its place, the job is done, and this is true.
    func prepareOutput(resuming checkpoint: JobCheckpoint, committedAs digest: String?) -> Result<Bool, RoostError> {
        ThisProcess.yieldToOthers()
        do throws(RoostError) {
            if let digest, try committedDigest() == digest { return .success(true) }
            writer = try JobWriter(
                output, id: id, isCompressed: spec.isOutputCompressed, replaces: spec.force, resuming: checkpoint)
            report = checkpoint.report.isEmpty ? DataReport() : try DataReport(decoding: checkpoint.report.bytes)
            return .success(false)
        } catch { return .failure(error) }
    }

    /// Of the file that has the output's name; nil when there is none.
    private func committedDigest() throws(RoostError) -> String? {
        let held: HeldFolder
        do throws(RoostError) { held = try output.holdFolder() } catch {
            guard error.code == .notFound else { throw error }
            return nil
        }
        return try held.act { folder throws(RoostError) in
            try folder.status(of: output.name) == nil ? nil : try Self.digest(folder.path(output.name))
        }
    }

    private static func digest(_ path: String) throws(RoostError) -> String {
        let file = try FileDescriptor(reading: path)
        defer { withExtendedLifetime(file) {} }
        do throws(ELFError) { return try ByteSource(descriptor: file.number).digest().description } catch {
            throw error.asRoostError
        }
    }

    func append(_ chunk: Int?, _ pieces: [ScoredPiece]) -> JobRun.News {
        let began = Loop.clock
        guard let writer else { return .wrote(chunk: chunk, .failure(.closed), took: .zero) }
        do throws(RoostError) {
            try writer.append(pieces)
            var output = JobOutput(position: writer.position)
            for piece in pieces {
                output.rows += piece.rows
                output.badRows += piece.badRows
                try report.merge(try piece.report())
            }
            if chunk != nil { output.report = report.encode() }
            return .wrote(chunk: chunk, .success(output), took: Loop.clock - began)
        } catch { return .wrote(chunk: chunk, .failure(error), took: Loop.clock - began) }
    }

    func finish() -> Result<String, RoostError> {
        guard let writer else { return .failure(.closed) }
        do throws(RoostError) { return .success(try writer.finish()) } catch { return .failure(error) }
    }

    /// The last act: nothing is written any more.
    /// - Parameter isKept: whether what was written stays, for a run that goes on with it.
    func close(keeping isKept: Bool) -> JobRun.News {
        if !isKept { JobWriter.discard(output, id) }
        return .closed
    }

    /// Nil when everything has its name.
    func commit(_ meta: [UInt8]) -> RoostError? {
        do throws(RoostError) {
            try writer?.commit(meta: meta)
            return nil
        } catch { return error }
    }
}

/// What is written of a job after a chunk.
struct JobOutput: Sendable {
    let position: OutputPosition
    var rows = 0
    var badRows = 0
    /// An encoded `DataReport` of all rows so far.
    var report: [UInt8]?
}

/// What an instance made of a piece: an encoded `BulkReply`.
struct ScoredPiece: Sendable {
    let reply: [UInt8]
    let rows: Int
    let badRows: Int

    /// - Throws: when these bytes are no reply.
    init(_ reply: [UInt8]) throws(RoostError) {
        let parsed = try BulkReply(reply.bytes)
        (self.reply, rows, badRows) = (reply, parsed.rows, parsed.badRows)
    }

    /// A row that no instance survives.
    init(bad chunk: RawChunk, _ reason: String) throws(RoostError) {
        try self.init(BulkReply.bad(row: chunk.bytes.bytes, line: chunk.firstLine, reason: reason))
    }

    func report() throws(RoostError) -> DataReport {
        try DataReport(decoding: try BulkReply(reply.bytes).report)
    }
}

extension RawChunk {
    /// Two parts of it, cut after half of its records; nil when it has one only.
    func halves(_ splitter: RecordSplitter) -> (RawChunk, RawChunk)? {
        let splitter = RecordSplitter(splitter.format, delimiter: splitter.delimiter, line: firstLine)
        guard let middle = try? splitter.half(of: bytes.bytes), middle.end > 0, middle.end < bytes.count else {
            return nil
        }
        let second = RawChunk(
            bytes: Array(bytes[middle.end...]), firstLine: firstLine + UInt64(middle.lines),
            records: records - middle.records, end: end)
        return (
            RawChunk(bytes: Array(bytes[..<middle.end]), firstLine: firstLine, records: middle.records, end: end),
            second
        )
    }
}

extension JobSpec.Format {
    fileprivate var bulk: BulkPlan.Format { self == .csv ? .csv : .jsonLines }
}

extension RoostError {
    fileprivate static let closed = RoostError(.system, "the job's files are closed")
}
