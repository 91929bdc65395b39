internal import RoostBasics
internal import RoostHTTP

/// What a path stands for.
enum Endpoint: Hashable, Sendable {
    /// `/`: what runs, in text.
    case root
    case metrics
    case serverMetadata
    case serverLive
    case serverReady
    case modelMetadata(Target)
    case modelReady(Target)
    /// Of one version, of all of a function, or of everything.
    case modelStatistics(Target?)
    case repositoryIndex
    case loadFunction(String)
    case unloadFunction(String)
    case infer(Target)
    case predict(Target)
    case functions
    case function(String)
    case logs(String)
    case upload(String, version: String)
    case restart(Target)
    case allow(Target)
    case traffic(String)
    case rollback(String)
    case rollout(String)
    case startRollout(String)
    case steerRollout(String, RolloutCommand)
    case audit(String?)
    case feedback(String)
    case quality(String)
    case jobs
    case job(String)
    case cancelJob(String)
    case resumeJob(String)
    case startJob(Target)
    case events
    /// Requests that are answered later, and the items of other triggers.
    case asyncItems(String)
    case submitAsync(String)
    case asyncItem(String, id: String)
    case cancelAsync(String, id: String)
    case replayAsync(String, id: String?)

    /// A function, and a version when the path names one; not looked up yet.
    struct Target: Hashable, Sendable {
        let function: String
        let version: String?
    }

    /// The method that the endpoint takes, besides HEAD where it is GET.
    var method: String {
        switch self {
        case .root, .metrics, .serverMetadata, .serverLive, .serverReady, .modelMetadata, .modelReady,
            .modelStatistics, .functions, .function, .logs, .rollout, .audit, .quality, .jobs, .job, .asyncItems,
            .asyncItem:
            "GET"
        case .infer, .predict, .repositoryIndex, .loadFunction, .unloadFunction, .restart, .allow, .rollback,
            .startRollout, .steerRollout, .feedback, .resumeJob, .startJob, .events, .submitAsync, .replayAsync:
            "POST"
        case .upload, .traffic: "PUT"
        case .cancelJob, .cancelAsync: "DELETE"
        }
    }

    /// For `Allow`: every method that the path takes.
    var allowed: String {
        if case .rollout = self { return "GET, HEAD, POST" }
        if case .asyncItems = self { return "GET, HEAD, POST" }
        if case .job = self { return "GET, HEAD, DELETE" }
        if case .asyncItem = self { return "GET, HEAD, DELETE" }
        return method == "GET" ? "GET, HEAD" : method
    }

    /// The endpoint of this path for that method, where a path has two.
    func called(by method: HTTPMethod) -> Self {
        switch (self, method) {
        case (.rollout(let name), .post): .startRollout(name)
        case (.job(let id), .delete): .cancelJob(id)
        case (.asyncItems(let name), .post): .submitAsync(name)
        case (.asyncItem(let name, let id), .delete): .cancelAsync(name, id: id)
        default: self
        }
    }

    /// Whether a call changes what the host does, and so must not come from a foreign page in a browser.
    var changesState: Bool {
        switch self {
        case .upload, .restart, .allow, .traffic, .rollback, .startRollout, .steerRollout, .feedback, .cancelJob,
            .resumeJob, .startJob, .events, .submitAsync, .cancelAsync, .replayAsync, .loadFunction, .unloadFunction:
            true
        case .root, .metrics, .serverMetadata, .serverLive, .serverReady, .modelMetadata, .modelReady,
            .modelStatistics, .repositoryIndex, .infer, .predict, .functions, .function, .logs, .rollout, .audit,
            .quality, .jobs, .job, .asyncItems, .asyncItem:
            false
        }
    }

    /// Served also when the host listens beyond loopback.
    var isPublic: Bool {
        switch self {
        case .metrics, .serverMetadata, .serverLive, .serverReady, .modelMetadata, .modelReady, .modelStatistics,
            .infer, .predict, .events, .submitAsync, .asyncItem:
            true
        case .root, .functions, .function, .logs, .upload, .restart, .allow, .traffic, .rollback, .rollout,
            .startRollout, .steerRollout, .audit, .feedback, .quality, .jobs, .job, .cancelJob, .resumeJob, .startJob,
            .asyncItems, .cancelAsync, .replayAsync, .repositoryIndex, .loadFunction, .unloadFunction:
            false
        }
    }

    /// Nil when no endpoint has this path.
    init?(path: String) {
        guard path.hasPrefix("/") else { return nil }
        var parts = path.dropFirst().split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        // One slash at the end is forgiven.
        if parts.count > 1, parts.last == "" { parts.removeLast() }
        let found =
            switch parts[0] {
            case "": parts.count == 1 ? Self.root : nil
            case "metrics": parts.count == 1 ? Self.metrics : nil
            case "v2": Self.protocolV2(Array(parts.dropFirst()))
            case "functions": Self.functions(Array(parts.dropFirst()))
            case "audit": parts.count == 1 ? Self.audit(nil) : nil
            case "jobs": Self.jobs(Array(parts.dropFirst()))
            case "events": parts.count == 1 ? Self.events : nil
            default: Self?.none
            }
        guard let found else { return nil }
        self = found
    }

    private static func protocolV2(_ parts: [String]) -> Self? {
        if parts.isEmpty { return .serverMetadata }
        switch (parts[0], parts.count) {
        case ("health", 2) where parts[1] == "live": return .serverLive
        case ("health", 2) where parts[1] == "ready": return .serverReady
        case ("repository", 2) where parts[1] == "index": return .repositoryIndex
        case ("repository", 4) where parts[1] == "models" && parts[3] == "load": return .loadFunction(parts[2])
        case ("repository", 4) where parts[1] == "models" && parts[3] == "unload": return .unloadFunction(parts[2])
        // As Triton has it: no function of that name can be described, but it can be called.
        case ("models", 2) where parts[1] == "stats": return .modelStatistics(nil)
        case ("models", 2...):
            guard let (target, rest) = target(Array(parts.dropFirst())) else { return nil }
            switch rest {
            case []: return .modelMetadata(target)
            case ["ready"]: return .modelReady(target)
            case ["infer"]: return .infer(target)
            case ["stats"]: return .modelStatistics(target)
            default: return nil
            }
        default: return nil
        }
    }

    private static func jobs(_ parts: [String]) -> Self? {
        switch parts.count {
        case 0: .jobs
        case 1: .job(parts[0])
        case 2 where parts[1] == "resume": .resumeJob(parts[0])
        default: nil
        }
    }

    private static func functions(_ parts: [String]) -> Self? {
        guard let name = parts.first else { return .functions }
        guard let (target, rest) = target(parts) else { return nil }
        switch (rest, target.version) {
        case ([], nil): return .function(name)
        case ([], let version?): return .upload(name, version: version)
        case (["predict"], _): return .predict(target)
        case (["jobs"], _): return .startJob(target)
        case (["logs"], nil): return .logs(name)
        case (["traffic"], nil): return .traffic(name)
        case (["rollback"], nil): return .rollback(name)
        case (["feedback"], nil): return .feedback(name)
        case (["quality"], nil): return .quality(name)
        case (["restart"], .some): return .restart(target)
        case (["allow"], .some): return .allow(target)
        case (["rollout"], nil): return .rollout(name)
        case (let rest, nil) where rest.count == 2 && rest[0] == "rollout":
            return RolloutCommand(rawValue: rest[1]).map { .steerRollout(name, $0) }
        case (["audit"], nil): return .audit(name)
        case (["async"], nil): return .asyncItems(name)
        case (["async", "replay"], nil): return .replayAsync(name, id: nil)
        case (let rest, nil) where rest.count == 2 && rest[0] == "async": return .asyncItem(name, id: rest[1])
        case (let rest, nil) where rest.count == 3 && rest[0] == "async" && rest[2] == "replay":
            return .replayAsync(name, id: rest[1])
        default: return nil
        }
    }

    /// `NAME/rest…` or `NAME/versions/V/rest…`.
    private static func target(_ parts: [String]) -> (Target, rest: [String])? {
        guard let name = parts.first, !name.isEmpty else { return nil }
        if parts.count >= 3, parts[1] == "versions" {
            return (Target(function: name, version: parts[2]), Array(parts.dropFirst(3)))
        }
        return (Target(function: name, version: nil), Array(parts.dropFirst()))
    }
}

/// What a person may do to a rollout: `POST /functions/NAME/rollout/COMMAND`.
enum RolloutCommand: String, Hashable, Sendable, CaseIterable { case promote, abort, pause, resume }
