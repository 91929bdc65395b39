internal import RoostBasics
internal import RoostDelivery
internal import RoostEvaluation
internal import RoostFiles
internal import RoostFunctions
internal import RoostLoop

/// The jobs of a host: those that wait, the ones that run, and those that are over and can be looked at.
///
/// Belongs to the loop. A job is remembered before anybody hears of it, and goes on after a restart where it was.
final class Jobs {
    /// What a job is scored with: a version as it was when the job began.
    struct Model {
        let artifact: Artifact
        let settings: LoadSettings
        let timeout: Instant.Span
        let threshold: Double
        /// Percent of what all jobs may have that one of this function takes.
        let share: Int
    }

    private let loop: Loop
    private let processes: Processes
    private let store: JobStore
    let places: JobPlaces
    /// Instances that all jobs have together, and jobs that run at once.
    private let instancesMax: Int
    private let runningMax: Int
    private var records: [String: JobRecord] = [:]
    private var models: [String: Model] = [:]
    private(set) var runs: [String: JobRun] = [:]
    /// In the order in which they came.
    private var queue: [String] = []
    private var watchers: [String: [(JobRecord) -> Void]] = [:]
    /// They have been stopped, and go on as soon as their threads have let go of the files.
    private var resuming: Set<String> = []
    private var isEnding = false
    /// Finds what a job was scored with before a restart.
    var model: (JobRecord) throws(RoostError) -> Model = { record throws(RoostError) in
        throw RoostError(.unavailable, "\(record.versionID) is not known")
    }
    /// A place for an instance; nil while callers have or want them all.
    var borrow: () -> PlaceLoan? = { nil }
    /// A line for the host's log.
    var onLine: (String) -> Void = { _ in }

    /// Jobs that are over are forgotten after so long, or when there are more.
    private static let keptSeconds: Int = 7 * 86_400
    private static let keptMax = 1_000
    /// Jobs that wait.
    static let queueMax = 10_000

    init(
        on loop: Loop, processes: Processes, store: JobStore, places: JobPlaces, instancesMax: Int, runningMax: Int = 1
    ) throws {
        (self.loop, self.processes, self.store, self.places) = (loop, processes, store, places)
        (self.instancesMax, self.runningMax) = (max(1, instancesMax), runningMax)
        let (known, complaints) = try store.records()
        for complaint in complaints { Console.warn("roost: warning: \(complaint)") }
        for record in known.sorted(by: { ($0.created, $0.id) < ($1.created, $1.id) }) {
            records[record.id] = record
            if !record.state.isOver { queue.append(record.id) }
        }
    }

    /// Goes on with what an earlier host has left.
    func start() {
        forgetOld()
        startNext()
    }

    /// What runs is written down and goes on with the next host.
    func close() {
        isEnding = true
        for run in runs.values { run.suspend() }
        store.close()
    }

    /// Newest first.
    var all: [JobRecord] {
        records.values.map(current).sorted { ($0.created, $0.id) > ($1.created, $1.id) }
    }

    /// - Throws: `notFound`.
    func job(_ id: String) throws(RoostError) -> JobRecord {
        guard let record = records[id] else {
            throw RoostError(.notFound, "there is no job \(id): `roost jobs list` shows those that there are")
        }
        return current(record)
    }

    private func current(_ record: JobRecord) -> JobRecord {
        var current = runs[record.id]?.record ?? record
        if resuming.contains(record.id) { current.awaitTurn() }
        return current
    }

    /// The job that an origin has submitted under this key, if it is remembered.
    func job(of function: FunctionName, origin: String, key: String) -> JobRecord? {
        let found = records.values.first { $0.key == key && $0.origin == origin && $0.function == function }
        return found.map { current($0) }
    }

    /// Where jobs write that are not over, or may be resumed by who asked for them.
    var outputsInUse: Set<JobPlaces.Place> {
        let open = records.values.lazy.filter { !$0.state.isOver || $0.state == .stopped }
        return Set(open.compactMap { [places] in try? places.place($0.spec.outputPath) })
    }

    /// Digests of stored files that jobs still need.
    var artifactsInUse: Set<String> {
        Set(
            records.values.filter { $0.state != .done }.compactMap {
                $0.artifact.split(separator: ":").last.map(String.init)
            })
    }

    // MARK: asking for jobs

    /// Takes a job. `then` hears of it when it is on the disk.
    /// - Parameter key: what the origin calls it; whoever may have submitted it before asks for `job(of:origin:key:)`.
    /// - Throws: `invalidArgument` for paths that leave the data folders; `notFound` for an input that is not there;
    ///   `conflict` for an output that is there, or that another job writes.
    func submit(
        _ spec: JobSpec, _ id: VersionID, _ model: Model, origin: String, key: String? = nil,
        then: @escaping (Result<JobRecord, RoostError>) -> Void
    ) throws(RoostError) {
        guard queue.count < Self.queueMax else {
            throw RoostError(.overloaded, "\(queue.count) jobs wait already: try again when some are done")
        }
        let (input, output) = (try places.place(spec.input), try places.place(spec.outputPath))
        _ = try FileDescriptor(reading: input.path, below: input.root)
        guard input != output else { throw RoostError(.conflict, "input and output are one file: \(spec.input)") }
        if let other = records.values.first(where: {
            !current($0).state.isOver && (try? places.place($0.spec.outputPath)) == output
        }) {
            throw RoostError(.conflict, "job \(other.id) writes \(spec.outputPath): choose another output")
        }
        // What is wrong with the folder, the job will say.
        let isTaken = try? output.holdFolder().act { (folder) throws(RoostError) in
            try folder.status(of: output.name) != nil
        }
        if !spec.force, isTaken == true {
            throw RoostError(
                .conflict, "\(spec.outputPath) is there already: choose another output, or say that it may be replaced")
        }
        let record = JobRecord(
            id: Self.newID(), function: id.function, version: id.number,
            artifact: "\(model.artifact.runtime):\(model.artifact.digest)", spec: spec, origin: origin, key: key,
            created: Loop.unixSeconds)
        records[record.id] = record
        models[record.id] = model
        store.save(record) { [self] error in
            if let error {
                records[record.id] = nil
                models[record.id] = nil
                return then(.failure(error))
            }
            // Unless somebody has found it in the list and cancelled it.
            if records[record.id]?.state == .queued { queue.append(record.id) }
            then(.success(records[record.id] ?? record))
            startNext()
        }
    }

    /// `t6xk9f-1z141z3`: when, so that names sort by time, and something to tell those of one second apart.
    private static func newID() -> String {
        var random = SystemRandomNumberGenerator()
        let digits = String(UInt32.random(in: 1 << 30...UInt32.max, using: &random), radix: 36)
        return "\(String(Loop.unixSeconds, radix: 36))-\(digits)"
    }

    /// Stops a job; what is written stays for `resume`.
    func cancel(_ id: String, by who: String) throws(RoostError) {
        let record = try job(id)
        guard !record.state.isOver else { throw RoostError(.conflict, "job \(id) is \(record.state.rawValue) already") }
        if resuming.remove(id) != nil { return }
        if let run = runs[id] { return run.cancel(Self.word(for: who)) }
        queue.removeAll { $0 == id }
        var over = record
        over.state = .cancelled
        over.reason = Self.word(for: who)
        over.ended = Loop.unixSeconds
        keep(over)
    }

    /// What the record of a cancelled job says of who did it.
    static func word(for who: String) -> String { "by \(who)" }

    /// Lets a job go on that was stopped, cancelled or has failed.
    func resume(_ id: String) throws(RoostError) {
        var record = try job(id)
        guard record.state.mayResume else {
            throw RoostError(.conflict, "job \(id) is \(record.state.rawValue): there is nothing to resume")
        }
        guard runs[id] == nil else {
            resuming.insert(id)
            return
        }
        record.awaitTurn()
        records[id] = record
        store.save(record) { _ in }
        queue.append(id)
        startNext()
    }

    /// Calls when the job is over; at once if it is.
    func whenOver(_ id: String, _ then: @escaping (JobRecord) -> Void) throws(RoostError) {
        let record = try job(id)
        // A run that is ending still holds its files.
        if record.state.isOver, runs[id] == nil { then(record) } else { watchers[id, default: []].append(then) }
    }

    // MARK: running

    private func startNext() {
        guard !isEnding else { return }
        while runs.count < runningMax, !queue.isEmpty { run(queue.removeFirst()) }
    }

    private func run(_ id: String) {
        guard var record = records[id] else { return }
        do throws(RoostError) {
            let model = try scoredWith(record)
            let (input, output) = (try places.place(record.spec.input), try places.place(record.spec.outputPath))
            let files = JobFiles(
                id: id, record.spec, input: .place(input), output: output, threshold: model.threshold,
                card: model.artifact.card)
            let crew = JobCrew(
                model.artifact, label: record.versionID.description, model.settings,
                limit: max(1, instancesMax * model.share / 100), on: loop, processes, borrowing: borrow)
            let run = try JobRun(record, files, crew, store, timeout: model.timeout, on: loop) { [unowned self] in
                ended($0)
            }
            runs[id] = run
            run.begin()
        } catch {
            record.state = .stopped
            record.reason = error.message
            record.ended = Loop.unixSeconds
            keep(record)
        }
    }

    /// A version wants a place that jobs have.
    func giveUpOne() { runs.values.max { $0.crew.count < $1.crew.count }?.giveUpOne() }

    /// There are places that nobody wants.
    func takePlaces() { for run in runs.values { run.takePlaces() } }

    private func scoredWith(_ record: JobRecord) throws(RoostError) -> Model {
        if let known = models[record.id] { return known }
        let found = try model(record)
        models[record.id] = found
        return found
    }

    private func ended(_ record: JobRecord) {
        runs[record.id] = nil
        guard !isEnding else { return }
        records[record.id] = record
        let rows = "\(record.checkpoint.rows) rows, \(record.checkpoint.badRows) bad"
        onLine("job \(record.id) \(record.state.rawValue): \(record.reason ?? rows)")
        if resuming.remove(record.id) == nil {
            tell(record)
        } else {
            // Whoever waits for its end goes on waiting.
            try? resume(record.id)
        }
        forgetOld()
        startNext()
    }

    private func keep(_ record: JobRecord) {
        records[record.id] = record
        models[record.id] = nil
        // Only those who wait now: until it is on the disk somebody may have resumed it, and wait for another end.
        let waiting = watchers.removeValue(forKey: record.id) ?? []
        store.save(record) { _ in for then in waiting { then(record) } }
    }

    private func tell(_ record: JobRecord) {
        models[record.id] = nil
        for then in watchers.removeValue(forKey: record.id) ?? [] { then(record) }
    }

    private func forgetOld() {
        let over = records.values.filter(\.state.isOver).sorted { ($0.ended ?? 0, $0.id) > ($1.ended ?? 0, $1.id) }
        let limit = Loop.unixSeconds - Self.keptSeconds
        for (index, record) in over.enumerated() where index >= Self.keptMax || (record.ended ?? 0) < limit {
            records[record.id] = nil
            store.remove(record.id, record.state == .done ? nil : try? places.place(record.spec.outputPath))
        }
    }
}

extension JobRecord {
    /// It goes on where it was.
    fileprivate mutating func awaitTurn() {
        state = .queued
        reason = nil
        ended = nil
    }
}
