internal import RoostBasics
internal import RoostJSON

/// One deployment as its caller follows it: what the host says of the function goes in, what to do comes out.
struct Deployment {
    /// What the host's latest words mean.
    enum Verdict: Hashable {
        case wait
        /// It answers requests, or would.
        case done(VersionNumber, String)
        /// Fine in itself, but incompatible with what serves.
        case held(VersionNumber, String)
        case rejected(VersionNumber, String)
        case failed(String)
    }

    /// How long the host may take to notice the file, and an old failure may stand there as if it were new.
    static let noticeLimit = Instant.Span.seconds(60)
    static let staleLimit = Instant.Span.seconds(5)

    let file: DropFile
    /// Of the file's bytes, 64 hexadecimal digits.
    let digest: String
    /// What was said of the same version before the file was there: not an answer to it.
    private let before: Remark?

    private struct Remark: Hashable {
        let state: String
        let reason: String?
        let digest: String?

        init(_ version: VersionView) {
            state = version.stateText
            reason = version.reason
            digest = version.digest
        }
    }

    /// - Parameter before: the function as it was before the file was put there; nil when there was none.
    init(_ file: DropFile, digest: String, before: FunctionView?) {
        self.file = file
        self.digest = digest
        self.before = before.flatMap { Self.find(file, digest, in: $0) }.map(Remark.init)
    }

    /// Why there is no point in copying the file at all; nil when there is.
    static func objection(to file: DropFile, digest: String, in function: FunctionView?) -> String? {
        guard let function, let number = file.version, let version = function.version(number),
            let old = version.digest, old != digest, version.state != .retired, version.state != .failed
        else { return nil }
        let highest = function.versions.compactMap(\.number).max() ?? number
        let next = VersionNumber((highest.components.first ?? 0) &+ 1)
        return "\(file.function)@\(number) exists with other contents, and versions are immutable: "
            + "deploy it as \(file.function)@\(next)"
    }

    /// - Parameter elapsed: since the file was put there.
    func judge(_ function: FunctionView?, elapsed: Instant.Span) -> Verdict {
        guard let function, let version = Self.find(file, digest, in: function), let number = version.number else {
            guard elapsed < Self.noticeLimit else {
                return .failed("the host has not taken \(file) up within \(Self.noticeLimit): see `roost status`")
            }
            return .wait
        }
        guard let state = version.state else { return .wait }
        let isOld = before == Remark(version) && version.digest != digest && elapsed < Self.staleLimit
        switch state {
        case .stored where version.reason != nil:
            return .failed("\(file.function)@\(number) is stored: \(version.reason ?? "")")
        case .found, .settling, .stored, .verifying: return .wait
        case .serving: return .done(number, "serving")
        case .draining: return .done(number, "draining: another version has taken over")
        case .ready: return whenReady(number, in: function)
        case .failed:
            return isOld ? .wait : .failed("\(file.function)@\(number) failed: \(version.reason ?? "no reason")")
        case .held: return .held(number, version.reason ?? "its signature is not compatible")
        case .rejected: return .rejected(number, version.reason ?? "it was rejected before")
        case .retired: return isOld || version.digest != digest ? .wait : .failed("\(file) was removed again")
        }
    }

    /// A ready version that traffic is about to choose is not there yet; one that gets no share is.
    private func whenReady(_ number: VersionNumber, in function: FunctionView) -> Verdict {
        if function.share(of: number) > 0 || function.isPending(number) { return .wait }
        let isChosenNext: (VersionView) -> Bool = { version in
            guard let other = version.number, other > number else { return false }
            return version.state == .ready || version.state == .serving
        }
        switch function.origin {
        case "latest" where !function.versions.contains(where: isChosenNext): return .wait
        case "latest": return .done(number, "ready; a higher version serves")
        case "rollout":
            let explanation = function.json["rollout"]?["explanation"]?.stringValue ?? "another version has one"
            return .done(number, "ready; rollout: \(explanation)")
        case "unloaded":
            return .done(number, "ready; \(function.name) is out of service: it serves when that is loaded again")
        default: return .done(number, "ready; it takes no traffic until `roost traffic \(function.name) …` says so")
        }
    }

    /// The version that this file is, or is about to become. An unversioned file is known by its bytes.
    private static func find(_ file: DropFile, _ digest: String, in function: FunctionView) -> VersionView? {
        if let number = file.version { return function.version(number) }
        let own = function.versions.filter { $0.file == file.description }
        return own.first { $0.digest == digest } ?? own.first { $0.digest == nil }
    }
}
