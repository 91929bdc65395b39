internal import RoostBasics
internal import RoostDelivery
internal import RoostLoop
internal import RoostStore

/// Items on their way to the disk and back: one transaction at a time, each for all that has gathered while the one
/// before ran, in the order in which it came.
///
/// Belongs to the loop, which never waits for it; one thread does the work. A transaction that fails, since the disk is
/// full, is repeated until it succeeds, and nothing overtakes it; only submissions are refused then, for whoever submits
/// can do so again.
final class DeliveryStore {
    typealias Findings = [DeliveryFinding]

    private let database: DeliveryDatabase
    private var worker: Worker<News>?
    private let retry: Timer
    private var gathered: [Call] = []
    /// Those of the transaction that runs.
    private var running: [Call] = []
    private var questions: [Int: (Result<[StoredDelivery], RoostError>) -> Void] = [:]
    private var nextQuestion = 0
    /// Why what was decided last is not on the disk. It is tried again by itself.
    private(set) var problem: RoostError?
    private var isClosed = false
    /// A line for the host's log.
    var onLine: (String) -> Void = { _ in }

    private struct Call {
        let acts: [DeliveryAct]
        /// May be refused when the disk does.
        let isRefusable: Bool
        let then: (Result<Findings, RoostError>) -> Void
    }

    private enum News: Sendable {
        case performed(Result<[Findings], RoostError>)
        case answer(Int, Result<[StoredDelivery], RoostError>)
    }

    private static let retryPeriod = Instant.Span.seconds(1)

    init(path: String, on loop: Loop) throws {
        database = try DeliveryDatabase(path: path)
        retry = try Timer(on: loop)
        worker = try Worker(on: loop) { [unowned self] in heard($0) }
    }

    /// Carries out these acts, all in one transaction.
    /// - Parameters:
    ///   - isRefusable: it fails when the disk does, rather than wait for the disk.
    ///   - then: on the loop, when they are on the disk, in the order of the calls.
    func perform(
        _ acts: [DeliveryAct], isRefusable: Bool = false, then: @escaping (Result<Findings, RoostError>) -> Void
    ) {
        gathered.append(Call(acts: acts, isRefusable: isRefusable, then: then))
        // While the disk refuses, what may be refused is not kept waiting for the timer.
        if running.isEmpty, problem == nil || isRefusable { submit() }
    }

    /// Reads, behind everything that was decided before. Throws inside of `read` are told as `system`.
    func query(
        _ read: @escaping @Sendable (DeliveryDatabase) throws(DatabaseError) -> [StoredDelivery],
        then: @escaping (Result<[StoredDelivery], RoostError>) -> Void
    ) {
        nextQuestion += 1
        let number = nextQuestion
        questions[number] = then
        worker?.submit { [database] in
            do throws(DatabaseError) { return .answer(number, .success(try read(database))) } catch {
                return .answer(number, .failure(RoostError(.system, "\(error)")))
            }
        }
    }

    /// What has gathered is still written; nobody is told.
    func close() {
        isClosed = true
        retry.close()
        submit()
        worker?.close()
    }

    private func submit() {
        guard !gathered.isEmpty else { return }
        let calls = gathered.map(\.acts)
        running += gathered
        gathered = []
        worker?.submit { [database] in
            do throws(DatabaseError) { return .performed(.success(try database.perform(calls))) } catch {
                return .performed(.failure(RoostError(.system, "what triggers did is not on the disk: \(error)")))
            }
        }
    }

    private func heard(_ news: News) {
        guard !isClosed else { return }
        switch news {
        case .answer(let number, let answer): questions.removeValue(forKey: number)?(answer)
        case .performed(.success(let findings)):
            if problem != nil { onLine("what triggers did is on the disk again") }
            problem = nil
            let calls = running
            // They have to look running until all are told, so that what follows from them is one transaction.
            for (call, found) in zip(calls, findings) { call.then(.success(found)) }
            running = []
            submit()
        case .performed(.failure(let error)): failed(error)
        }
    }

    /// What may not be refused goes before what came since, and is written again in a second.
    private func failed(_ error: RoostError) {
        if problem == nil { onLine(error.message) }
        problem = error
        let calls = running
        running = []
        gathered = calls.filter { !$0.isRefusable } + gathered
        for call in calls where call.isRefusable { call.then(.failure(error)) }
        // A timer that cannot start is a closed one: the host is ending.
        try? retry.start(after: Self.retryPeriod) { [unowned self] in if running.isEmpty { submit() } }
    }
}
