internal import RoostBasics
internal import RoostDelivery
internal import RoostFiles
internal import RoostFunctions
internal import RoostJSON
internal import RoostLoop

/// One file trigger: watches its folder, hands complete files to the deliveries, runs them as jobs, and puts away what
/// has ended.
///
/// Belongs to the loop; whatever waits for a disk runs on a thread of its own. The order of acts: the item is done on
/// the disk, then the file is moved, then its key is given up. Who is killed in between finds the file again, is told by
/// the deliveries that it is done, and moves it: nothing is scored twice.
final class FileWatch {
    /// What can be in the way.
    private enum Stage: CaseIterable {
        case folder, file, version, putAway
    }

    private enum News: Sendable {
        case prepared(RoostError?)
        case listed(Result<[FileEntry], RoostError>)
        case looked(FileEntry, FileWatchFolder.Look)
        case chosen(Int, Result<String, RoostError>)
        case finished(FileWatchItem, DeliveryID, RoostError?)
    }

    private let owner: DeliveryOwner
    private let trigger: FileTrigger
    private let folder: FileWatchFolder
    private let loop: Loop
    private unowned let deliveries: Deliveries
    private let triggered: TriggeredJobs
    private var arrivals: FileArrivals
    private var watcher: FolderWatcher?
    private let clock: Timer
    private let rescan: Timer
    private var disk: Worker<News>?
    private var isListing = false
    private var isDirty = false
    /// The next listing is not earlier: where many files come and go, each of them is an event.
    private var quietUntil = Instant(nanoseconds: 0)
    /// Items whose end is waited for, to put their files away.
    private var underWay: Set<DeliveryID> = []
    /// Runs that wait for the name of their output.
    private var choosing: [Int: (running: RunningDelivery, item: FileWatchItem)] = [:]
    private var choices = 0
    private var isStopped = false
    /// What keeps it from working now.
    private var problems: [Stage: String] = [:]
    private var lastJob: String?
    private let onLine: (String) -> Void

    /// When a file that could not be taken, or put away, is tried again.
    private static let retryDelay = Instant.Span.seconds(5)
    private static let versionDelay = Instant.Span.seconds(1)
    private static let listingGap = Instant.Span.milliseconds(100)
    /// How long it is remembered what was done: of files that were moved away, for people to look at; of files that
    /// stay, so that they are not scored again.
    private static let (keepMoved, keepLeft) = (Instant.Span.seconds(7 * 86_400), Instant.Span.seconds(3_660 * 86_400))

    /// - Parameter rescan: lists the folder this often, for file systems that do not tell of changes.
    init(
        _ owner: DeliveryOwner, _ spec: TriggerSpec, _ trigger: FileTrigger, data: Folder, rescan every: Instant.Span?,
        on loop: Loop, _ deliveries: Deliveries, _ triggered: TriggeredJobs, onLine: @escaping (String) -> Void
    ) throws(UVError) {
        (self.owner, self.trigger, self.loop) = (owner, trigger, loop)
        (self.deliveries, self.triggered, self.onLine) = (deliveries, triggered, onLine)
        folder = FileWatchFolder(root: data, trigger: trigger)
        arrivals = FileArrivals(trigger.watch)
        clock = try Timer(on: loop)
        rescan = try Timer(on: loop)
        disk = try Worker(on: loop) { [weak self] in self?.heard($0) }
        var settings = DeliverySettings(policy: spec.retry)
        // Jobs run one at a time; the next one is on the disk by the time the one before is done.
        settings.limits.concurrency = 2
        settings.keep = trigger.after == .leave ? Self.keepLeft : Self.keepMoved
        // Not weak: a run may still begin when the trigger was stopped a moment ago.
        deliveries.open(owner, settings, onStatus: { [self] in addStatus(to: &$0) }, onRun: { [self] in run($0) })
        prepare()
        if let every { try rescan.start(after: every, every: every) { [unowned self] in listSoon() } }
    }

    /// Takes nothing more; what was taken comes to its end, and is put away.
    func stop() {
        isStopped = true
        watcher?.close()
        clock.close()
        rescan.close()
        if underWay.isEmpty { closeDisk() }
    }

    /// The host ends.
    func close() {
        stop()
        choosing = [:]
        closeDisk()
    }

    private func closeDisk() {
        disk?.close()
        disk = nil
    }

    private func addStatus(to object: inout JSONObject) {
        object["watches"] = .string("data/\(trigger.watch)")
        object["arriving"] = .integer(arrivals.arrivingCount)
        object["last_job"] = lastJob.map { .string($0) }
        let problem = Stage.allCases.compactMap { problems[$0] }.first
        object["problem"] = problem.map { .string($0) }
    }

    /// - Parameter text: nil: nothing is in the way.
    private func note(_ stage: Stage, _ text: String?) {
        if let text, text != problems[stage] { onLine("\(owner): \(text)") }
        problems[stage] = text
    }

    // MARK: finding files

    private func heard(_ news: News) {
        switch news {
        case .prepared(let error): prepared(error)
        case .listed(let result): listed(result)
        case .looked(let entry, let look): looked(entry, look)
        case .chosen(let number, let result): chosen(number, result)
        case .finished(let item, let id, let error): finished(item, id, error)
        }
    }

    private func prepare() {
        let folder = folder
        disk?.submit { .prepared(folder.prepare()) }
    }

    private func prepared(_ error: RoostError?) {
        guard !isStopped else { return }
        do {
            if let error { throw error }
            watcher = try FolderWatcher(folder.watched.path, on: loop) { [unowned self] in listSoon() }
            note(.folder, nil)
        } catch {
            // Somebody has to make room for it first: it is tried again.
            note(.folder, "\(error)")
            return wake(after: Self.retryDelay) { $0.prepare() }
        }
        listSoon()
    }

    /// Events of a folder never name work: they only say that it has to be listed, and one listing serves many.
    private func listSoon() {
        isDirty = true
        setClock()
    }

    private func list() {
        guard !isListing, watcher != nil else { return }
        (isListing, isDirty) = (true, false)
        let folder = folder
        disk?.submit { .listed(folder.list()) }
    }

    private func listed(_ result: Result<[FileEntry], RoostError>) {
        isListing = false
        quietUntil = loop.now + Self.listingGap
        guard !isStopped else { return }
        switch result {
        case .failure(let error): note(.folder, error.message)
        case .success(let entries):
            note(.folder, nil)
            if entries.isEmpty { for stage in [Stage.file, .version] { note(stage, nil) } }
            let folder = folder
            for entry in arrivals.listed(entries, at: loop.now) {
                disk?.submit { .looked(entry, folder.look(at: entry)) }
            }
        }
        setClock()
    }

    /// Lists when something was said of the folder, or a file may have settled.
    private func setClock() {
        guard !isListing, watcher != nil else { return }
        let now = loop.now
        guard let due = isDirty ? quietUntil : arrivals.wakeAt.map({ max($0, quietUntil) }) else { return clock.stop() }
        if due <= now { list() } else { wake(after: due - now) { $0.list() } }
    }

    private func wake(after delay: Instant.Span, _ act: @escaping (FileWatch) -> Void) {
        // A timer that cannot start is a closed one: the trigger is stopped.
        try? clock.start(after: delay) { [unowned self] in act(self) }
    }

    private func looked(_ entry: FileEntry, _ look: FileWatchFolder.Look) {
        guard !isStopped else { return }
        // A file that stays is told by its digest; without it nobody knows whether it was scored.
        let isUnknown = trigger.after == .leave && look.digest == nil && look.error != nil
        note(.file, isUnknown ? look.error?.message : nil)
        let isBeingWritten = isUnknown ? true : look.isBeingWritten
        if arrivals.examined(entry, stamp: look.stamp, isBeingWritten: isBeingWritten, at: loop.now) {
            take(
                FileWatchItem(
                    folder: trigger.watch.folder, name: entry.name, stamp: entry.stamp, digest: look.digest))
        }
        setClock()
    }

    // MARK: items

    private func take(_ item: FileWatchItem) {
        let submission = DeliverySubmission(owner: owner, key: item.key, payload: item.payload)
        do throws(RoostError) {
            // Nobody's attempt: files wait where they are until something can score them.
            _ = try triggered.model(owner.function)
            note(.version, nil)
            try deliveries.submit([submission]) { [weak self] result in self?.submitted(item, result) }
        } catch {
            note(.version, error.message)
            giveBack(item, for: Self.versionDelay)
        }
    }

    private func giveBack(_ item: FileWatchItem, for delay: Instant.Span = FileWatch.retryDelay) {
        guard !isStopped else { return }
        arrivals.gaveBack(item.name, until: loop.now + delay)
        setClock()
    }

    private func submitted(_ item: FileWatchItem, _ result: Result<[SubmittedDelivery], RoostError>) {
        guard case .success(let all) = result, let record = all.first?.record else { return giveBack(item) }
        switch record.phase {
        case .done: finish(item, record.id, nil)
        case .dead: finish(item, record.id, record.reason)
        case .pending, .running, .waiting: putAway(item, record.id)
        }
    }

    /// When it has ended.
    private func putAway(_ item: FileWatchItem, _ id: DeliveryID) {
        guard underWay.insert(id).inserted else { return }
        do throws(RoostError) {
            // Not weak: a trigger that was stopped meanwhile still puts away what it took.
            try deliveries.whenOver(id, of: owner) { [self] outcome, output in
                lastJob = output.result.flatMap { try? JSONValue(parsing: $0)["id"]?.stringValue } ?? lastJob
                switch outcome {
                case .done: finish(item, id, nil)
                case .dead(let letter):
                    onLine("\(owner): \(item.path) failed: \(letter.reason)")
                    finish(item, id, letter.reason)
                }
            }
        } catch { underWay.remove(id) }
    }

    private func finish(_ item: FileWatchItem, _ id: DeliveryID, _ reason: String?) {
        guard trigger.after != .leave else { return ended(id) }
        let folder = folder
        disk?.submit { .finished(item, id, folder.finish(item, reason)) }
    }

    private func finished(_ item: FileWatchItem, _ id: DeliveryID, _ error: RoostError?) {
        note(.putAway, error?.message)
        if error != nil {
            giveBack(item)
        } else {
            deliveries.releaseKey(of: id)
            arrivals.movedAway(item.name, item.stamp)
            listSoon()
        }
        ended(id)
    }

    private func ended(_ id: DeliveryID) {
        underWay.remove(id)
        if isStopped, underWay.isEmpty { closeDisk() }
    }

    // MARK: running

    private func run(_ running: RunningDelivery) {
        guard let item = FileWatchItem(payload: running.payload) else {
            return running.fail(.permanent("what is kept of the file cannot be read"))
        }
        guard disk != nil else { return running.fail(.transient("the trigger has been stopped")) }
        putAway(item, running.id)
        if !triggered.follow(running, of: owner) { choose(running, item) }
    }

    private func choose(_ running: RunningDelivery, _ item: FileWatchItem) {
        choices += 1
        choosing[choices] = (running, item)
        let (number, folder, inUse) = (choices, folder, triggered.jobs.outputsInUse)
        disk?.submit { .chosen(number, folder.output(for: item, avoiding: inUse)) }
    }

    /// The name is on the disk with the job, before that begins: after a crash the job is found, and with it the name.
    private func chosen(_ number: Int, _ result: Result<String, RoostError>) {
        guard let (running, item) = choosing.removeValue(forKey: number), !running.isOver else { return }
        do throws(RoostError) {
            let spec = JobSpec(item, trigger, output: try result.get())
            triggered.begin(spec, running, of: owner, onConflict: { [self] in choose(running, item) })
        } catch { running.fail(DeliveryFailure(error)) }
    }
}
