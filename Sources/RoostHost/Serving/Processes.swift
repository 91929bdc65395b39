internal import RoostBasics
internal import RoostELF
internal import RoostFiles
internal import RoostFunctions
internal import RoostLoop
internal import RoostProcess
internal import RoostWire

/// Whoever asked for a template, and hears what becomes of it.
protocol TemplateOwner: AnyObject {
    func templateLoaded(_ id: TemplateID, _ report: LoadReport)
    func templateFailed(_ id: TemplateID, _ error: RoostError)
    func templateExited(_ id: TemplateID, _ status: ExitStatus)
    func templatePrinted(_ bytes: [UInt8])
    /// A process, it or an instance of it, has ended and had used so much CPU time.
    func processUsed(_ cpu: Instant.Span)
}

extension TemplateOwner {
    func processUsed(_ cpu: Instant.Span) {}
}

/// Whoever forks instances.
protocol InstanceOwner: AnyObject {
    func instanceStarted(_ id: InstanceID, process: Int32)
    func instanceExited(_ id: InstanceID, _ status: ExitStatus)
}

extension RoostError {
    /// Of a load or fork: the version has no part in it, and it may be over soon. The nursery was lost, the host has no
    /// descriptors left, a stored file is gone.
    var isOutsideCause: Bool { [.system, .unavailable, .notFound].contains(code) }
}

/// What a version may use, and how it is loaded; from its manifest.
struct LoadSettings: Hashable, Sendable {
    var memory: ByteCount?
    /// What the instances share; half of the machine's memory at most, where the manifest says nothing.
    var modelMemory = ByteCount(bytes: min(16 << 30, ThisProcess.memoryBytes / 2))
    var openFiles = 64
    var network = false
    var batchRows = 64
    /// Its processes run when nobody else wants the processor.
    var isBackground = false
    /// Golden examples to run after load; the first one warms up, all of them prove the version.
    var examplesMax = 1
}

/// All processes below the host: gives each its name and brings its news to whoever asked for it.
final class Processes {
    private struct Owner { weak var value: (any TemplateOwner)? }

    private var nursery: Nursery?
    private var owners: [TemplateID: Owner] = [:]
    private var nextTemplate: UInt32 = 1
    private var nextInstance: UInt32 = 1
    /// Let go when everything has ended. Strong, because a weak reference would slow every other one to its object.
    var instanceOwner: (any InstanceOwner)?
    /// Whoever hears of one instance instead; let go when it has ended.
    private var loneOwners: [InstanceID: any InstanceOwner] = [:]
    /// What stored files looked like when their bytes were known to be right, by digest.
    private var seals: [String: FileStatus] = [:]
    /// What those looked like that were changed since, and whether their bytes are known to be wrong.
    private var broken: [String: (status: FileStatus, isKnown: Bool)] = [:]
    /// Somebody has to read a stored file again, and to tell `checked` what is in it. Nil where files are not those of a
    /// store, and people change them as they like.
    var onChanged: ((SHA256Digest) -> Void)?
    /// Everything that ran below the nursery is gone, and has been told of.
    var onNurseryLost: () -> Void = {}
    /// What the sandbox cannot do on this machine, in words.
    private(set) var warnings: [String] = []
    private let onWarning: (String) -> Void

    init(on loop: Loop, settings: NurserySettings, onWarning: @escaping (String) -> Void) throws(RoostError) {
        self.onWarning = onWarning
        nursery = try Nursery(on: loop, settings: settings) { [unowned self] in heard($0) }
    }

    /// Starts a process that loads the artifact. `owner` hears how it went.
    func load(
        _ artifact: Artifact, label: String, _ settings: LoadSettings, owner: any TemplateOwner
    ) throws(RoostError) -> TemplateID {
        let plugin = try FileDescriptor(reading: artifact.plugin)
        var order = TemplateOrder(label: label, plugin: plugin.number)
        var model: FileDescriptor?
        if let path = artifact.modelFile {
            let file = try FileDescriptor(reading: path)
            order.model = .file(file.number)
            model = file
        } else if let section = artifact.modelSection {
            order.model = .section(offset: UInt64(section.lowerBound), bytes: UInt64(section.count))
        }
        try checkSeal(of: artifact, model ?? plugin, label)
        var examples: FileDescriptor?
        if !artifact.examples.isEmpty, settings.examplesMax > 0 {
            let file = try FileDescriptor(inMemory: artifact.examples)
            order.examples = file.number
            examples = file
        }
        var columns: FileDescriptor?
        if let described = artifact.card?.columns, !described.isEmpty {
            let file = try FileDescriptor(inMemory: ColumnList.encode(described.map(\.column)))
            order.columns = file.number
            columns = file
        }
        order.isForkSafe = artifact.flags.contains(.forkSafe)
        order.isBackground = settings.isBackground
        order.needsThreads = artifact.flags.contains(.needsThreads)
        order.allowsNetwork = settings.network
        order.openFiles = UInt32(clamping: settings.openFiles)
        order.memoryBytes = settings.memory.map { UInt64($0.bytes) }
        order.modelMemoryBytes = UInt64(settings.modelMemory.bytes)
        order.batchRows = UInt32(clamping: settings.batchRows)
        order.examplesMax = UInt32(clamping: settings.examplesMax)
        let id = TemplateID(rawValue: nextTemplate)
        nextTemplate += 1
        owners = owners.filter { $0.value.value != nil }
        owners[id] = Owner(value: owner)
        defer { withExtendedLifetime((model, examples, columns)) {} }
        guard let nursery else { throw RoostError(.unavailable, "load \(label): the host is ending") }
        // Each end that a lost nursery causes may ask for a load at once.
        if nursery.isLost { try nursery.restart() }
        try nursery.startTemplate(id, order)
        return id
    }

    // MARK: stored files

    /// The file was just copied.
    func unseal(_ digest: String) {
        seals[digest] = nil
        broken[digest] = nil
    }

    /// Whoever wrote to a stored file, or put another one in its place, must not change what a version answers. What it
    /// looks like is compared here; its bytes are read on another thread when that has changed.
    /// - Throws: `system` for a file that has changed and was not found right yet.
    private func checkSeal(of artifact: Artifact, _ file: FileDescriptor, _ label: String) throws(RoostError) {
        guard let onChanged else { return }
        let (digest, status) = (artifact.digest.description, try file.status())
        guard let seal = seals[digest] else {
            seals[digest] = status
            return
        }
        guard status != seal else { return }
        if broken[digest]?.status != status {
            broken[digest] = (status, false)
            onChanged(artifact.digest)
        }
        let words =
            broken[digest]?.isKnown == true
            ? "was changed, and is not what was deployed: drop it again" : "was changed: its bytes are being compared"
        throw RoostError(.system, "load \(label): its file in the store \(words)")
    }

    /// What a stored file looks like, and whether its bytes are right; nil when it could not be read.
    func checked(_ digest: SHA256Digest, _ status: FileStatus?, isRight: Bool) {
        if isRight { seals[digest.description] = status }
        broken[digest.description] = isRight ? nil : status.map { (status: $0, isKnown: true) }
    }

    /// The process of a template in the host's PID namespace; nil when it is not known yet or has ended.
    func process(of template: TemplateID) -> Int32? { nursery?.process(of: template) }

    /// From now on somebody else hears of a template.
    func handOver(_ id: TemplateID, to owner: any TemplateOwner) { owners[id] = Owner(value: owner) }

    /// A name for an instance that is about to be forked.
    func nameInstance() -> InstanceID {
        defer { nextInstance &+= 1 }
        return InstanceID(rawValue: nextInstance)
    }

    func fork(_ id: InstanceID, from template: TemplateID, descriptors: [Int32]) throws(RoostError) {
        guard let nursery else { throw RoostError(.unavailable, "fork \(id): the host is ending") }
        try nursery.fork(id, from: template, descriptors: descriptors)
    }

    /// From now on `owner` hears of one instance, instead of the owner of all.
    func own(_ instance: InstanceID, _ owner: any InstanceOwner) { loneOwners[instance] = owner }
    /// Nothing is heard any more of an instance that was never forked.
    func disown(_ instance: InstanceID) { loneOwners[instance] = nil }

    func kill(_ instance: InstanceID) { nursery?.kill(instance) }
    func kill(_ template: TemplateID) { nursery?.kill(template) }

    /// Ends every process; nothing more is heard of them.
    func shutDown(_ onDone: @escaping () -> Void) {
        guard let nursery else { return onDone() }
        nursery.shutDown { [self] in
            self.nursery = nil
            instanceOwner = nil
            loneOwners = [:]
            onDone()
        }
    }

    private func heard(_ event: NurseryEvent) {
        switch event {
        case .warning(let text):
            warnings.append(text)
            onWarning(text)
        case .templateLoaded(let id, let report): owners[id]?.value?.templateLoaded(id, report)
        case .templateFailed(let id, let error): owners[id]?.value?.templateFailed(id, error)
        case .templateExited(let id, let status): owners[id]?.value?.templateExited(id, status)
        case .instanceStarted(let id, let process):
            (loneOwners[id] ?? instanceOwner)?.instanceStarted(id, process: process)
        case .instanceExited(let id, let status):
            (loneOwners.removeValue(forKey: id) ?? instanceOwner)?.instanceExited(id, status)
        case .callRefused(let id, let call):
            owners[id]?.value?.templatePrinted(Array("roost: the sandbox refused \(call)\n".utf8))
        case .used(let id, let cpu): owners[id]?.value?.processUsed(cpu)
        case .output(let id, let bytes): owners[id]?.value?.templatePrinted(bytes)
        case .nurseryLost(let reason):
            onWarning("the nursery was lost (\(reason)); a new one is started")
            guard let nursery, nursery.isLost else { return }
            do throws(RoostError) { try nursery.restart() } catch { onWarning("no new nursery: \(error)") }
            onNurseryLost()
        }
    }
}
