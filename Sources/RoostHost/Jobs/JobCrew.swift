internal import RoostBasics
internal import RoostLoop
internal import RoostProcess

/// The instances that score one job: forks of a template that is the job's own, at the lowest priority, so that callers
/// never wait for them. They serve nobody else, and go with the job.
///
/// Belongs to the loop. What dies is replaced when `fill` is called again; a lost template is loaded again.
final class JobCrew: TemplateOwner {
    private enum State {
        case cold
        case loading(TemplateID)
        case ready(TemplateID, isForkable: Bool)
    }

    private let artifact: Artifact
    private let label: String
    private let settings: LoadSettings
    private let loop: Loop
    private let processes: Processes
    /// Instances at once.
    let limit: Int
    /// A place for one more; nil when there is none.
    private let borrow: () -> PlaceLoan?
    /// It has fewer instances than it could have, because callers of others have the places.
    private(set) var lacksPlace = false
    private var state = State.cold
    private var instances: [Int: LoneInstance] = [:]
    private var nextNumber = 0
    /// An instance can be asked.
    var onHired: (_ number: Int, LoneInstance) -> Void = { _, _ in }
    /// One has ended, with how.
    var onGone: (_ number: Int, RoostError) -> Void = { _, _ in }
    /// The version cannot be loaded.
    var onFailed: (RoostError) -> Void = { _ in }
    private(set) var printed = OutputLog()
    /// Before it is tried again to load or to fork; nil while nothing has failed.
    private var pause: Timer?
    private var triesLeft = triesMax

    private static let triesMax = 20
    private static let pauseTime = Instant.Span.milliseconds(500)

    init(
        _ artifact: Artifact, label: String, _ settings: LoadSettings, limit: Int, on loop: Loop,
        _ processes: Processes, borrowing borrow: @escaping () -> PlaceLoan?
    ) {
        (self.artifact, self.label, self.limit) = (artifact, label, limit)
        self.settings = settings.inBackground
        (self.loop, self.processes, self.borrow) = (loop, processes, borrow)
    }

    var count: Int { instances.count }
    var numbers: [Int] { instances.keys.sorted() }
    subscript(number: Int) -> LoneInstance? { instances[number] }
    /// Processes of its instances, as far as they are known.
    var pids: [Int32] { instances.values.compactMap(\.pid).sorted() }

    /// Loads the version if need be, and forks what is missing.
    func fill() {
        switch state {
        case .loading: return
        case .cold:
            do throws(RoostError) {
                state = .loading(try processes.load(artifact, label: label, settings, owner: self))
            } catch { failed(error) }
        case .ready(let template, let isForkable):
            while instances.count < (isForkable ? limit : 1) {
                guard hire(template, isForkable: isForkable) else { return }
            }
        }
    }

    private func hire(_ template: TemplateID, isForkable: Bool) -> Bool {
        let place = borrow()
        lacksPlace = place == nil
        guard let place else { return false }
        let number = nextNumber
        nextNumber += 1
        do throws(RoostError) {
            let instance = try LoneInstance(
                of: template, hearsOfTemplate: !isForkable, at: place, on: loop, processes)
            instances[number] = instance
            instance.onEnd = { [unowned self] error in gone(number, error) }
            if !isForkable { state = .cold }
            triesLeft = Self.triesMax
            onHired(number, instance)
            return isForkable
        } catch {
            failed(error)
            return false
        }
    }

    /// What lies with the host may be over soon: that the nursery was lost, that no descriptors are left.
    private func failed(_ error: RoostError) {
        guard error.isOutsideCause, error.code != .notFound, triesLeft > 0 else { return onFailed(error) }
        triesLeft -= 1
        do throws(UVError) {
            if pause == nil { pause = try Timer(on: loop) }
            try pause?.start(after: Self.pauseTime) { [unowned self] in fill() }
        } catch { onFailed(RoostError(.system, "\(error)")) }
    }

    private func gone(_ number: Int, _ error: RoostError) {
        instances.removeValue(forKey: number)?.close()
        onGone(number, error)
    }

    /// Ends one instance by our own will.
    func dismiss(_ number: Int) { instances.removeValue(forKey: number)?.close() }

    /// Ends all, and the template. Nothing is heard any more.
    func close() {
        (onHired, onGone, onFailed) = ({ _, _ in }, { _, _ in }, { _ in })
        for instance in instances.values { instance.close() }
        instances = [:]
        pause?.close()
        pause = nil
        // Nothing is tried again.
        triesLeft = 0
        switch state {
        case .cold: break
        case .loading(let id), .ready(let id, _): processes.kill(id)
        }
        state = .cold
    }

    // MARK: news of the template

    func templateLoaded(_ id: TemplateID, _ report: LoadReport) {
        guard case .loading(id) = state else { return }
        state = .ready(id, isForkable: report.isForkable)
        fill()
    }

    func templateFailed(_ id: TemplateID, _ error: RoostError) {
        guard case .loading(id) = state else { return }
        state = .cold
        failed(error)
    }

    func templateExited(_ id: TemplateID, _ status: ExitStatus) {
        switch state {
        case .loading(id):
            state = .cold
            onFailed(RoostError(.unavailable, "\(label) ended while it was loaded: \(status)"))
        case .ready(id, _): state = .cold
        default: break
        }
    }

    func templatePrinted(_ bytes: [UInt8]) { printed.append(bytes.bytes) }
}

extension LoadSettings {
    /// For work that nobody waits for.
    fileprivate var inBackground: Self {
        var settings = self
        settings.isBackground = true
        return settings
    }
}
