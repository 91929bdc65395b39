internal import RoostBasics
internal import RoostFunctions
internal import RoostJSON
internal import RoostLoop
internal import RoostProcess
internal import RoostTensors

/// Proves one version before any traffic comes near it: in a process of its own, load it, read its signature, run its
/// golden examples. The process that has proven a version may become its template.
///
/// A model file is offered to each installed runtime in turn, until one says that it is of its kind.
final class Probation: TemplateOwner {
    struct Result {
        /// The process; whoever gets this hands it on or kills it.
        let template: TemplateID
        let artifact: Artifact
        let report: LoadReport
        let verification: Verification
    }

    private let label: String
    private let processes: Processes
    private let settings: LoadSettings
    private let hostBuild: String
    private var candidates: [Artifact]
    private var refusals: [String] = []
    private var template: TemplateID?
    private let deadline: Timer
    private let patience: Instant.Span
    private var printed = OutputLog()
    private var triesLeft = 20
    private var onDone: ((Swift.Result<Result, RoostError>, OutputLog) -> Void)?

    /// - Parameter candidates: one artifact per way to load the file, at least one.
    init(
        _ label: String, _ candidates: [Artifact], settings: LoadSettings, patience: Instant.Span, hostBuild: String,
        processes: Processes, on loop: Loop, onDone: @escaping (Swift.Result<Result, RoostError>, OutputLog) -> Void
    ) throws {
        self.label = label
        self.candidates = candidates.reversed()
        self.settings = settings
        self.patience = patience
        self.hostBuild = hostBuild
        self.processes = processes
        self.onDone = onDone
        deadline = try Timer(on: loop)
    }

    func start() { tryNext() }

    private func tryNext() {
        guard let artifact = candidates.last else {
            let reasons = refusals.isEmpty ? "none is installed" : refusals.joined(separator: "; ")
            return finish(.failure(RoostError(.invalidArgument, "no installed runtime reads this file: \(reasons)")))
        }
        do {
            template = try processes.load(artifact, label: label, settings, owner: self)
            try deadline.start(after: patience) { [unowned self] in
                finish(
                    .failure(
                        RoostError(
                            .pluginFailed,
                            "it did not finish loading within \(patience): its initialiser or load hangs or is too slow"
                        )))
            }
        } catch let error as RoostError {
            failed(error)
        } catch {
            finish(.failure(RoostError(.system, "\(error)")))
        }
    }

    /// What lies with the host says nothing of the version: that the nursery was lost, that no descriptors are left.
    private func failed(_ error: RoostError) {
        template = nil
        guard error.isOutsideCause, error.code != .notFound, triesLeft > 0 else { return finish(.failure(error)) }
        triesLeft -= 1
        // A timer that cannot start is a closed one: nobody wants to know any more.
        try? deadline.start(after: Self.pause) { [unowned self] in tryNext() }
    }

    private static let pause = Instant.Span.milliseconds(500)

    func templateLoaded(_ id: TemplateID, _ report: LoadReport) {
        guard id == template, let artifact = candidates.last else { return }
        do {
            let document = try JSONDocument(parsing: report.signature, source: "signature")
            let isModelFile = artifact.modelFile != nil
            let verification = Verification(
                hostBuild: hostBuild, signature: try Signature(document.root), exampleCount: report.examples,
                runtime: isModelFile ? artifact.runtime : nil)
            template = nil  // it lives on
            finish(
                .success(Result(template: id, artifact: artifact, report: report, verification: verification)))
        } catch {
            finish(.failure(RoostError(.pluginFailed, "its signature cannot be used: \(error)")))
        }
    }

    func templateFailed(_ id: TemplateID, _ error: RoostError) {
        guard id == template else { return }
        // Whoever hears of it knows what was being loaded.
        let act = "load \(label): "
        let message = error.message.hasPrefix(act) ? String(error.message.dropFirst(act.count)) : error.message
        guard error.code == .unsupported else {
            let failure = RoostError(error.code, message)
            return error.code == .unavailable ? failed(failure) : finish(.failure(failure))
        }
        refusals.append("\(candidates.last?.runtime ?? ""): \(message)")
        candidates.removeLast()
        template = nil
        tryNext()
    }

    func templateExited(_ id: TemplateID, _ status: ExitStatus) {
        guard id == template else { return }
        finish(.failure(RoostError(.pluginFailed, "it ended while loading: \(status)")))
    }

    func templatePrinted(_ bytes: [UInt8]) { printed.append(bytes.bytes) }

    private func finish(_ result: Swift.Result<Result, RoostError>) {
        guard let onDone else { return }
        self.onDone = nil
        deadline.close()
        if let template { processes.kill(template) }
        template = nil
        onDone(result, printed)
    }

    /// Nobody wants to know any more.
    func cancel() {
        onDone = nil
        deadline.close()
        if let template { processes.kill(template) }
        template = nil
    }
}
