internal import RoostBasics
internal import RoostFunctions
internal import RoostJSON
internal import RoostLoop

/// What was decided, on its way to the disk: one transaction at a time, each for all that has gathered while the one
/// before ran. Records and the decisions that led to them never come apart.
///
/// What a person is told must still be true when the host is killed a moment later, so whoever tells somebody of a
/// decision (a reply, a line of the log) waits with `whenDurable`. Belongs to the loop; the writing has a thread.
final class Journal {
    private let ledger: Ledger
    private var storage: Worker<News>?
    private let retry: Timer
    private let onLine: (String) -> Void
    private var gathered = Batch()
    /// The first is being written; more than one only when a question or the end could not wait.
    private var written: [Batch] = []
    /// Who waits for an answer of the storage thread.
    private var questions: [Int: (Result<JSONValue, RoostError>) -> Void] = [:]
    private var nextQuestion = 0
    /// Why what was decided last is not on the disk. It is tried again by itself.
    private(set) var problem: RoostError?

    private enum News: Sendable {
        case persisted(RoostError?)
        case answer(Int, Result<JSONValue, RoostError>)
    }

    /// What goes into one transaction, and who waits for it.
    private struct Batch {
        var entry = LedgerEntry()
        var waiting: [(RoostError?) -> Void] = []

        var isEmpty: Bool { entry.isEmpty }
    }

    /// - Parameter onLine: gets what people should know of the disk.
    init(on loop: Loop, _ ledger: Ledger, onLine: @escaping (String) -> Void) throws {
        self.ledger = ledger
        self.onLine = onLine
        retry = try Timer(on: loop)
        storage = try Worker(on: loop) { [unowned self] in heard($0) }
    }

    /// What was put here goes to the disk with the next `write`.
    func put(_ record: FunctionRecord) { gathered.entry.add(record) }
    func put(_ line: AuditLine) { gathered.entry.decisions.append(line) }
    /// The text of a manifest that is in force now; nil: there is none any more.
    func put(_ manifest: [UInt8]?, of name: FunctionName) { gathered.entry.manifests[name] = .some(manifest) }

    /// Begins to write what has gathered, or does so when the present transaction is done.
    func write() { if written.isEmpty { submit() } }

    /// Calls when everything that was put here is on the disk, which may be now; or with why it is not. In the order of
    /// the calls.
    func whenDurable(_ then: @escaping (RoostError?) -> Void) {
        if !gathered.isEmpty, !(written.isEmpty && problem != nil) {
            gathered.waiting.append(then)
        } else if let last = written.indices.last {
            written[last].waiting.append(then)
        } else {
            then(problem)
        }
    }

    /// Runs on the storage thread, behind everything that was decided before.
    func query(
        _ work: @escaping @Sendable () -> Result<JSONValue, RoostError>,
        _ onAnswer: @escaping (Result<JSONValue, RoostError>) -> Void
    ) {
        submit()
        nextQuestion += 1
        let number = nextQuestion
        questions[number] = onAnswer
        storage?.submit { .answer(number, work()) }
    }

    /// What has gathered is still written.
    func close() {
        retry.close()
        submit()
        storage?.close()
    }

    private func submit() {
        guard !gathered.isEmpty else { return }
        let entry = gathered.entry
        written.append(gathered)
        gathered = Batch()
        storage?.submit { [ledger] in .persisted(ledger.attempt(entry)) }
    }

    private func heard(_ news: News) {
        switch news {
        case .answer(let number, let answer): questions.removeValue(forKey: number)?(answer)
        case .persisted(let error):
            let batch = written.removeFirst()
            if let error { failed(batch, error) } else { succeeded() }
            for then in batch.waiting { then(error) }
            write()
        }
    }

    private func succeeded() {
        guard problem != nil else { return }
        problem = nil
        onLine("what was decided is on the disk again")
    }

    private static let retryPeriod = Instant.Span.seconds(1)

    /// Nothing that was decided is given up: it goes before what came since, and is written with the next decision or in
    /// a second.
    private func failed(_ batch: Batch, _ error: RoostError) {
        if problem == nil { onLine(error.message) }
        problem = error
        gathered.entry = batch.entry.followed(by: gathered.entry)
        // A timer that cannot start is a closed one: the host is ending.
        try? retry.start(after: Self.retryPeriod) { [unowned self] in write() }
    }
}

extension Ledger {
    /// Nil: it is on the disk.
    fileprivate func attempt(_ entry: LedgerEntry) -> RoostError? {
        do {
            try persist(entry)
            return nil
        } catch { return RoostError(.system, "what was decided is not on the disk: \(error)") }
    }
}
