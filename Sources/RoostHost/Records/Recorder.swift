internal import RoostBasics
internal import RoostChannel
internal import RoostFeedback
internal import RoostFiles
internal import RoostFunctions
internal import RoostLoop
internal import RoostStore

/// Keeps predictions for the labels that come later, and requests for the versions that do.
///
/// Belongs to the loop, which never waits: what instances tell is gathered here and written by a thread of its own,
/// at most half a second later and all at once. So a killed host may lose the last second. When the thread does not
/// keep up, records are dropped and counted.
final class Recorder {
    private let loop: Loop
    private var worker: Worker<RecordNews>?
    /// Nil when its database cannot be opened.
    let predictions: PredictionStore?
    let replays: ReplayStore
    /// Why predictions cannot be recorded or written, for people; nil when they are.
    private(set) var problem: String?
    /// Of replaced labels; called on the loop.
    var onAudit: (AuditNote) -> Void = { _ in }

    private(set) var functions: [FunctionName: FunctionRecording] = [:]
    private var waiting: [RecordedPrediction] = []
    private var waitingRequests: [String: [RecordedRequest]] = [:]
    private var waitingBytes = 0
    /// For whom each prediction counts once it is written.
    private var owners: [VersionService] = []
    private var isWriting = false
    private let flushing: Timer
    private var isFlushDue = false
    private let housekeeping: Timer
    private var policies: [String: Policy] = [:]
    private var calls: [Int: (RecordNews) -> Void] = [:]
    private var nextCall = 0
    /// As last worked out, for `status`.
    var latestQuality: [FunctionName: QualityReport] = [:]
    /// Functions that have or had labels.
    var labelled: Set<FunctionName> = []
    var qualityAsked: [FunctionName: Instant] = [:]

    /// How long predictions are kept, and in how much space.
    struct Policy: Hashable, Sendable {
        var keepSeconds: Int64
        var sizeMax: Int
    }

    static let flushDelay = Instant.Span.milliseconds(500)
    /// What may wait for the disk; beyond it records are dropped.
    static let waitingBytesMax = 16 << 20
    /// Calls that may wait for the thread, each with its body.
    static let callsMax = 16
    private static let housekeepingPeriod = Instant.Span.seconds(60)

    /// - Parameter state: the home's folder for what the host remembers.
    init(on loop: Loop, state: Folder) throws {
        self.loop = loop
        do throws(DatabaseError) { predictions = try PredictionStore(path: state.path("records.db")) } catch {
            predictions = nil
            problem = "predictions are not recorded: \(error)"
        }
        labelled = Set((predictions?.labelledAtStart ?? []).compactMap { FunctionName($0) })
        replays = ReplayStore(state.folder("replay"))
        flushing = try Timer(on: loop)
        housekeeping = try Timer(on: loop)
        worker = try Worker(on: loop) { [unowned self] in heard($0) }
        try housekeeping.start(after: .seconds(1), every: Self.housekeepingPeriod) { [unowned self] in trim() }
    }

    /// Lets the loop end; what waits is written first.
    func close() {
        flushing.close()
        housekeeping.close()
        write()
        worker?.close()
    }

    // MARK: policy

    /// A function's recording, with its manifest's policy.
    func recording(of function: FunctionName, _ manifest: Manifest) -> FunctionRecording {
        let recording = functions[function] ?? FunctionRecording(function)
        functions[function] = recording
        recording.apply(manifest, at: loop.now)
        return recording
    }

    /// Takes over all manifests: what they no longer ask to be kept goes.
    func apply(_ manifests: [FunctionName: Manifest]) {
        for (name, recording) in functions { recording.apply(manifests[name] ?? Manifest(), at: loop.now) }
        policies = [:]
        var settings: [String: ReplayStore.Settings] = [:]
        for (name, manifest) in manifests {
            policies[name.text] = Policy(manifest.feedback)
            settings[name.text] = manifest.replay.map {
                ReplayStore.Settings(sizeMax: $0.size.bytes, privateFields: manifest.privateFields)
            }
        }
        // What waits was recorded under the policy until now, and goes if the new one forbids it.
        write()
        worker?.submit { [replays, settings] in
            do throws(RoostError) { try replays.apply(settings) } catch { return .done("the replay record: \(error)") }
            return .done(nil)
        }
        trim()
    }

    private func trim() {
        guard let predictions else { return }
        let policies = policies
        let now = Loop.unixMicroseconds
        worker?.submit { [predictions] in
            do throws(DatabaseError) {
                for function in predictions.functions {
                    let policy = policies[function] ?? Policy(Manifest.Feedback())
                    let oldest = now - policy.keepSeconds * 1_000_000
                    // Far more than comes in a minute; the rest goes with the next call.
                    for _ in 0..<20 {
                        guard try predictions.trim(function, keepingSince: oldest, sizeMax: policy.sizeMax) else {
                            break
                        }
                    }
                }
            } catch { return .done("old predictions cannot be removed: \(error)") }
            return .done(nil)
        }
    }

    // MARK: recording

    /// Takes what an instance told of a request that was answered.
    func record(_ summary: ReplySummary, _ wish: SummaryWish, of service: VersionService, key: () -> String) {
        let at = Loop.unixMicroseconds
        let (function, version) = (service.id.function.text, service.numberText)
        if wish.contains(.outputs), predictions != nil {
            let key = summary.id.isEmpty ? key() : String(decoding: summary.id, as: UTF8.self)
            if let prediction = RecordedPrediction(
                summary, function: function, version: version, key: key, at: at)
            {
                if hasRoom(for: prediction.size) {
                    waiting.append(prediction)
                    owners.append(service)
                } else {
                    service.recorded.dropped += 1
                }
            }
        }
        if wish.contains(.record), !summary.record.isEmpty,
            let request = RecordedRequest(version: version, at: at, body: summary.record),
            hasRoom(for: request.body.count)
        {
            waitingRequests[function, default: []].append(request)
        }
        startFlush()
    }

    private func hasRoom(for bytes: Int) -> Bool {
        guard waitingBytes + bytes <= Self.waitingBytesMax else { return false }
        waitingBytes += bytes
        return true
    }

    private func startFlush() {
        guard !isFlushDue, !isWriting, waitingBytes > 0 else { return }
        isFlushDue = true
        // A timer that cannot start is a closed one: the host is ending.
        try? flushing.start(after: Self.flushDelay) { [unowned self] in
            isFlushDue = false
            if !isWriting { write() }
        }
    }

    /// Hands everything that waits to the thread; later jobs find it written.
    func write() {
        guard waitingBytes > 0 else { return }
        let (batch, requests) = (waiting, waitingRequests)
        let services = owners
        (waiting, waitingRequests, owners, waitingBytes) = ([], [:], [], 0)
        isWriting = true
        let ticket = expect { [unowned self] news in
            isWriting = false
            guard case .written(let error, _) = news else { return }
            for service in services {
                if error == nil { service.recorded.written += 1 } else { service.recorded.dropped += 1 }
            }
            problem = error
            startFlush()
        }
        worker?.submit { [predictions, replays, policies] in
            var failure: String?
            do throws(DatabaseError) {
                try predictions?.add(batch)
                for function in Set(batch.lazy.map(\.function)) {
                    let policy = policies[function] ?? Policy(Manifest.Feedback())
                    try predictions?.trimExcess(function, sizeMax: policy.sizeMax)
                }
            } catch {
                failure = "predictions cannot be written: \(error)"
            }
            for (function, requests) in requests {
                do throws(RoostError) { try replays.append(requests, of: function) } catch {
                    failure = failure ?? "the replay record cannot be written: \(error)"
                }
            }
            return .written(failure, ticket: ticket)
        }
    }

    // MARK: calls

    /// Runs `work` on the thread, behind what was recorded so far, and `onDone` with its news on the loop.
    /// - Throws: `overloaded` when too many wait already.
    func call(
        _ work: @escaping @Sendable (_ ticket: Int) -> RecordNews, then onDone: @escaping (RecordNews) -> Void
    ) throws(RoostError) {
        guard calls.count < Self.callsMax else {
            throw RoostError(.overloaded, "\(calls.count) calls wait for the records already: try again in a second")
        }
        write()
        let ticket = expect(onDone)
        worker?.submit { work(ticket) }
    }

    private func expect(_ onNews: @escaping (RecordNews) -> Void) -> Int {
        nextCall += 1
        calls[nextCall] = onNews
        return nextCall
    }

    private func heard(_ news: RecordNews) {
        switch news {
        case .done(let error): if let error { Console.warn("roost: warning: \(error)") }
        case .written(_, let ticket), .joined(_, let ticket), .quality(_, let ticket), .requests(_, let ticket):
            calls.removeValue(forKey: ticket)?(news)
        }
    }
}

extension Recorder.Policy {
    /// Nil keeps nothing.
    init(_ feedback: Manifest.Feedback?) {
        keepSeconds = feedback.map { Int64($0.keep.nanoseconds / 1_000_000_000) } ?? 0
        sizeMax = feedback?.maxSize.bytes ?? 0
    }
}

/// What the recorder's thread reports.
enum RecordNews: Sendable {
    case done(String?)
    /// An error in words, if there was one: then predictions are lost.
    case written(String?, ticket: Int)
    case joined(Result<FeedbackOutcome, RoostError>, ticket: Int)
    case quality(Result<[[VersionQuality]], RoostError>, ticket: Int)
    case requests(Result<[RecordedRequest], RoostError>, ticket: Int)
}
