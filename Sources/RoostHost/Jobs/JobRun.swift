internal import RoostBasics
internal import RoostChannel
internal import RoostDelivery
internal import RoostFiles
internal import RoostJSON
internal import RoostLoop
internal import RoostWire

/// One job while it runs: reads on one thread, scores in the crew's instances, writes on another thread, all at once.
///
/// Belongs to the loop. What happens next is decided by `ChunkLedger`; here it is done. A run ends exactly once, with
/// the record as it is on the disk.
final class JobRun {
    /// What its threads report.
    enum News: Sendable {
        case opened(Result<BulkPlan, RoostError>)
        case prepared(Result<Bool, RoostError>)
        case read(Result<Reading, RoostError>, progress: Int, took: Instant.Span)
        case wrote(chunk: Int?, Result<JobOutput, RoostError>, took: Instant.Span)
        case finished(Result<String, RoostError>)
        case committed(RoostError?)
        /// The writing thread has done its last act.
        case closed
    }

    enum Reading: Sendable {
        case chunk(RawChunk)
        /// There is no more.
        case end(InputPosition)
    }

    private(set) var record: JobRecord
    private let files: JobFiles
    let crew: JobCrew
    private let store: JobStore
    private let loop: Loop
    /// Of one predict of the model.
    private let timeout: Instant.Span
    private let onEnd: (JobRecord) -> Void
    private var reading: Worker<News>?
    private var writing: Worker<News>?
    private var ledger: ChunkLedger<RawChunk, ScoredPiece>
    /// Where the chunks that are in memory end.
    private var ends: [Int: InputPosition] = [:]
    /// Where the input ends, once that is known.
    private var inputEnd: InputPosition?
    /// The instance that was asked whether the columns fit.
    private var checker: Int?
    /// Instances that ended since one has answered; a hanging one counts for `hangWeight`.
    private var deaths = 0
    private var chunksRead = 0
    private var plan: [UInt8] = []
    private var splitter = RecordSplitter(.csv)
    private var phase = Phase.opening
    private var clock: JobClock
    private var isSaving = false
    private var savedAt: Instant

    private enum Phase { case opening, checking, scoring, committing, ended }

    /// How often what is written is brought to the disk.
    private static let savePeriod = Instant.Span.seconds(1)
    /// Instances that may end one after the other without having scored anything.
    private static let deathsMax = 1_000
    private static let hangWeight = 16

    init(
        _ record: JobRecord, _ files: JobFiles, _ crew: JobCrew, _ store: JobStore, timeout: Instant.Span,
        on loop: Loop, _ onEnd: @escaping (JobRecord) -> Void
    ) throws(RoostError) {
        (self.record, self.files, self.crew, self.store, self.loop) = (record, files, crew, store, loop)
        (self.timeout, self.onEnd) = (timeout, onEnd)
        clock = JobClock(at: loop.now, rows: record.checkpoint.rows)
        savedAt = loop.now
        ledger = ChunkLedger(window: 3 * crew.limit + 2, resumingAt: record.checkpoint.chunks)
        do throws(UVError) {
            reading = try Worker(on: loop) { [weak self] in self?.heard($0) }
            writing = try Worker(on: loop) { [weak self] in self?.heard($0) }
        } catch {
            reading?.close()
            throw RoostError(.system, "\(error)")
        }
    }

    func begin() {
        crew.onHired = { [unowned self] number, instance in hired(number, instance) }
        crew.onGone = { [unowned self] number, error in gone(number, error) }
        crew.onFailed = { [unowned self] in end(.stopped, $0.message) }
        record.state = .running
        record.reason = nil
        record.started = record.started ?? Loop.unixSeconds
        chunksRead = record.checkpoint.chunks
        let (files, checkpoint) = (files, record.checkpoint)
        reading?.submit { .opened(files.open(resuming: checkpoint)) }
    }

    /// Stops it where it is; what is written stays.
    func cancel(_ reason: String?) { end(.cancelled, reason) }

    /// The host ends: the run goes on with the next one.
    func suspend() { end(.running, nil) }

    // MARK: what it looks like

    /// The record, and how fast it is and how far.
    var status: JSONValue {
        guard case .object(var object) = record.json else { return record.json }
        object["rows_per_second"] = .real(clock.rate(rows: record.checkpoint.rows, at: loop.now))
        object["progress"] = progress.map { .real($0) }
        if crew.lacksPlace { object["waiting"] = "for a place among the host's instances (--max-instances)" }
        object["processes"] = .array(crew.pids.map { .integer(Int($0)) })
        return .object(object)
    }

    /// Between 0 and 1; nil when nobody knows how much there is.
    private var progress: Double? {
        guard phase != .opening else { return nil }
        return files.inputSize.map { $0 == 0 ? 1 : min(1, Double(clock.bytesRead) / Double($0)) }
    }

    // MARK: opening

    private func opened(_ result: Result<BulkPlan, RoostError>) {
        switch result {
        case .failure(let error): return end(error)
        case .success(let plan):
            self.plan = plan.encode()
            if record.checkpoint.chunks == 0 { record.checkpoint.inputState = files.inputState }
            splitter = RecordSplitter(plan.input, delimiter: plan.delimiter)
        }
        let (files, checkpoint) = (files, record.checkpoint)
        let digest = record.outputDigest
        writing?.submit { .prepared(files.prepareOutput(resuming: checkpoint, committedAs: digest)) }
    }

    private func prepared(_ result: Result<Bool, RoostError>) {
        switch result {
        case .success(let isCommitted):
            if isCommitted { return committed(nil) }
            phase = .checking
            crew.fill()
        case .failure(let error):
            let wasWritten = record.checkpoint.outputBytes > 0 || record.checkpoint.errorBytes > 0
            guard error.code == .notFound, wasWritten else { return end(error) }
            // What was written is gone, and the same comes out again.
            startAnew()
        }
    }

    private func startAnew() {
        record.checkpoint = JobCheckpoint()
        record.outputDigest = nil
        phase = .opening
        chunksRead = 0
        ledger = ChunkLedger(window: 3 * crew.limit + 2)
        clock = JobClock(at: loop.now, rows: 0)
        let files = files
        reading?.submit { .opened(files.open(resuming: JobCheckpoint())) }
    }

    private func hired(_ number: Int, _ instance: LoneInstance) {
        guard phase == .checking || phase == .scoring else { return }
        guard phase == .checking else {
            ledger.workerCame(number)
            return pump()
        }
        if checker == nil { check(number, instance) }
    }

    /// Holds the columns against the model, and begins the output with its header.
    private func check(_ number: Int, _ instance: LoneInstance) {
        checker = number
        let head = BulkRequest.head(plan: plan, firstLine: 1, wantsHeader: true)
        instance.ask(head, as: .score, contentType: "application/octet-stream", within: timeout) {
            [unowned self] result in
            switch result {
            // It has ended, and another one is asked: `gone` comes next.
            case .failure: return
            case .success(let answer):
                guard answer.status == 200, let header = try? ScoredPiece(answer.body) else {
                    return end(.failed, JobFiles.refusal(answer))
                }
                phase = .scoring
                for number in crew.numbers { ledger.workerCame(number) }
                if record.checkpoint.chunks == 0 { write(nil, [header]) } else { pump() }
            }
        }
    }

    private func gone(_ number: Int, _ error: RoostError) {
        guard phase == .checking || phase == .scoring else { return }
        ledger.workerGone(number, error.message)
        deaths += error.code == .deadline ? Self.hangWeight : 1
        guard deaths <= Self.deathsMax else {
            return end(.stopped, "its instances end without having scored anything: \(error.message)")
        }
        if checker == number { checker = nil }
        crew.fill()
        goOn()
    }

    /// With the instances that there are now.
    private func goOn() {
        if phase == .scoring { return pump() }
        guard phase == .checking, checker == nil, let other = crew.numbers.first, let instance = crew[other] else {
            return
        }
        check(other, instance)
    }

    /// A version wants a place. What the instance was scoring is scored by another one, or later.
    func giveUpOne() {
        guard phase == .checking || phase == .scoring, let number = crew.numbers.last else { return }
        crew.dismiss(number)
        ledger.workerGone(number, nil)
        if checker == number { checker = nil }
        goOn()
    }

    /// There are places again.
    func takePlaces() {
        if phase == .checking || phase == .scoring { crew.fill() }
    }

    // MARK: scoring

    private func pump() {
        while phase == .scoring, let action = ledger.next() {
            switch action {
            case .read:
                let files = files
                reading?.submit { files.readChunk() }
            case .score(let id, let chunk, let worker): score(id, chunk, worker)
            case .cut(let id, let chunk): cut(id, chunk)
            case .makeBad(let id, let chunk, let reason): makeBad(id, chunk, reason)
            case .write(let chunk, let pieces): write(chunk, pieces)
            case .finish: finish()
            }
        }
    }

    private func score(_ id: ChunkLedger<RawChunk, ScoredPiece>.PieceID, _ chunk: RawChunk, _ worker: Int) {
        let body = BulkRequest.head(plan: plan, firstLine: chunk.firstLine, wantsHeader: false) + chunk.bytes
        // Each predict of the rows may take its time.
        let predicts = UInt64(chunk.records / JobFiles.predictRows + 1)
        let limit = Instant.Span(nanoseconds: timeout.nanoseconds &* predicts)
        crew[worker]?.ask(body, as: .score, contentType: "application/octet-stream", within: limit) {
            [unowned self] result in
            guard phase == .scoring, case .success(let answer) = result else { return }
            deaths = 0
            clock.scored = clock.scored + answer.infer
            if answer.status == 200, let piece = try? ScoredPiece(answer.body) {
                // A row that instance and splitter see differently must be neither lost nor doubled.
                guard piece.rows + piece.badRows == chunk.records else {
                    ledger.refused(id, "its rows cannot be told apart")
                    return pump()
                }
                ledger.scored(id, piece)
            } else {
                ledger.refused(id, JobFiles.refusal(answer))
            }
            pump()
        }
    }

    private func cut(_ id: ChunkLedger<RawChunk, ScoredPiece>.PieceID, _ chunk: RawChunk) {
        guard let (first, second) = chunk.halves(splitter) else { return makeBad(id, chunk, "it cannot be scored") }
        ledger.cut(id, (first, first.records), (second, second.records))
    }

    private func makeBad(
        _ id: ChunkLedger<RawChunk, ScoredPiece>.PieceID, _ chunk: RawChunk, _ reason: String
    ) {
        do throws(RoostError) { ledger.madeBad(id, try ScoredPiece(bad: chunk, reason)) } catch { end(error) }
    }

    // MARK: writing

    private func write(_ chunk: Int?, _ pieces: [ScoredPiece]) {
        let files = files
        writing?.submit { files.append(chunk, pieces) }
    }

    private func wrote(_ chunk: Int?, _ output: JobOutput) {
        // The header alone is no beginning: it is written again.
        if let chunk {
            guard let end = ends.removeValue(forKey: chunk) else { return }
            record.checkpoint.outputBytes = output.position.outputBytes
            record.checkpoint.errorBytes = output.position.errorBytes
            record.checkpoint.chunks = chunk + 1
            record.checkpoint.inputOffset = end.offset
            record.checkpoint.line = end.line
            record.checkpoint.inputDigest = end.digest
            record.checkpoint.rows += output.rows + output.badRows
            record.checkpoint.badRows += output.badRows
            record.checkpoint.report = output.report ?? record.checkpoint.report
            clock.note(rows: record.checkpoint.rows, at: loop.now)
            ledger.written(chunk: chunk)
            let (bad, rows) = (record.checkpoint.badRows, record.checkpoint.rows)
            if record.spec.maxErrors?.isExceeded(bad: bad, of: rows) == true { return tooManyErrors() }
            if !isSaving, loop.now - savedAt > Self.savePeriod { save() }
        }
        pump()
    }

    private func tooManyErrors() {
        let (bad, rows) = (record.checkpoint.badRows, record.checkpoint.rows)
        end(.failed, "\(bad) of \(rows) rows are bad, more than max_errors allows: see \(files.partialErrors)")
    }

    private func save() {
        isSaving = true
        savedAt = loop.now
        store.save(record, syncing: files.written) { [weak self] error in
            guard let self else { return }
            isSaving = false
            if let error, phase == .scoring { end(error) }
        }
    }

    private func finish() {
        phase = .committing
        if let inputEnd {
            // Empty lines at the end are in no chunk.
            record.checkpoint.inputOffset = inputEnd.offset
            record.checkpoint.line = inputEnd.line
            record.checkpoint.inputDigest = inputEnd.digest
        }
        if record.spec.maxErrors?.isExceededAtEnd(bad: record.checkpoint.badRows, of: record.checkpoint.rows) == true {
            return tooManyErrors()
        }
        let files = files
        writing?.submit { .finished(files.finish()) }
    }

    private func finished(_ result: Result<String, RoostError>) {
        do throws(RoostError) { record.outputDigest = try result.get() } catch { return end(error) }
        record.checkpoint.outputBytes = files.outputBytes
        clock.end(at: loop.now)
        let meta = JobMeta(record, files.report, files.ranges, clock).json
        store.save(record, syncing: files.written) { [weak self] error in
            guard let self, phase == .committing else { return }
            if let error { return end(error) }
            let files = files
            writing?.submit { .committed(files.commit(meta)) }
        }
    }

    private func committed(_ error: RoostError?) {
        if let error { return end(error) }
        end(.done, nil)
    }

    // MARK: the end

    private func end(_ error: RoostError) {
        switch error.code {
        // Something in the way that people can move: what is written is kept.
        case .system, .notFound, .unavailable, .overloaded: end(.stopped, error.message)
        default: end(.failed, error.message)
        }
    }

    private func end(_ state: JobState, _ reason: String?) {
        guard phase != .ended else { return }
        phase = .ended
        crew.close()
        reading?.close()
        record.state = state
        record.reason = reason
        record.ended = state.isOver ? Loop.unixSeconds : nil
        // Whoever goes on with the files must find them at rest. When the host itself ends, the next one does.
        guard state.isOver else {
            writing?.close()
            return leave()
        }
        let (files, isKept) = (files, state == .done || record.checkpoint.chunks > 0)
        writing?.submit { files.close(keeping: isKept) }
        writing?.close()
    }

    private func leave() {
        store.save(record, syncing: files.written) { [self] error in
            if let error, record.reason == nil { record.reason = error.message }
            onEnd(record)
        }
    }

    private func heard(_ news: News) {
        if case .closed = news { return leave() }
        guard phase != .ended else { return }
        switch news {
        case .opened(let result): opened(result)
        case .prepared(let result): prepared(result)
        case .read(let result, let progress, let took):
            clock.read = clock.read + took
            clock.bytesRead = progress
            read(result)
        case .wrote(let chunk, let result, let took):
            clock.wrote = clock.wrote + took
            switch result {
            case .success(let output): wrote(chunk, output)
            case .failure(let error): end(error)
            }
        case .finished(let result): finished(result)
        case .committed(let error): committed(error)
        case .closed: break
        }
    }

    private func read(_ result: Result<Reading, RoostError>) {
        switch result {
        case .failure(let error): return end(error)
        case .success(.chunk(let chunk)):
            ends[chunksRead] = chunk.end
            chunksRead += 1
            ledger.read(chunk, records: chunk.records)
        case .success(.end(let position)):
            inputEnd = position
            ledger.read(nil)
        }
        pump()
    }
}
