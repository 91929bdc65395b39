public import RoostTensors

/// Where a version stands. `found` and `settling` come before a version exists: see `FilePhase`.
public enum VersionState: Hashable, Sendable {
    /// Copied; waits to be verified (also after a restart under another host build). Goes to verifying.
    case stored
    /// In probation. Goes to ready, held, failed.
    case verifying
    /// May be addressed and chosen. Goes to serving, draining, rejected, failed.
    case ready
    /// Has a share of the traffic. Goes to draining, rejected, failed.
    case serving
    /// Has lost its traffic, answers what it has. Goes to ready (its file is there), retired, serving, rejected.
    case draining
    /// Its file is gone. The end, until it is dropped anew.
    case retired
    /// It does not work. Goes to verifying when its file changes, retired when that goes.
    case failed(reason: String)
    /// It works, but callers of the serving version could not go on. Goes to ready when released, retired.
    case held(reason: String)
    /// Rolled back: never chosen until restarted. Goes to ready then, retired.
    case rejected(reason: String)

    /// As `status` prints it.
    public var word: String {
        switch self {
        case .stored: "stored"
        case .verifying: "verifying"
        case .ready: "ready"
        case .serving: "serving"
        case .draining: "draining"
        case .retired: "retired"
        case .failed: "failed"
        case .held: "held"
        case .rejected: "rejected"
        }
    }

    public var reason: String? {
        switch self {
        case .failed(let reason), .held(let reason), .rejected(let reason): reason
        case .stored, .verifying, .ready, .serving, .draining, .retired: nil
        }
    }

    /// Whether requests may reach it.
    public var takesRequests: Bool {
        switch self {
        case .ready, .serving, .draining: true
        case .stored, .verifying, .retired, .failed, .held, .rejected: false
        }
    }

    /// Whether it is not known yet whether it works; after a restart, whether it works with this build of the host.
    var isBeingProven: Bool {
        switch self {
        case .stored, .verifying: true
        case .ready, .serving, .draining, .retired, .failed, .held, .rejected: false
        }
    }

    /// Whether it was ever found to work: from then on its bytes are fixed.
    var isImmutable: Bool {
        switch self {
        case .ready, .serving, .draining, .held, .rejected: true
        case .stored, .verifying, .retired, .failed: false
        }
    }
}

/// What probation found; trusted again after a restart of the same build for the same digest.
public struct Verification: Hashable, Sendable {
    /// Identifies the host's build: another one verifies again.
    public let hostBuild: String
    public let signature: Signature
    /// Golden examples that were compared; 0: answers were not checked.
    public let exampleCount: Int
    /// The runtime that loaded a model file; nil for plugins.
    public let runtime: String?

    public init(hostBuild: String, signature: Signature, exampleCount: Int, runtime: String?) {
        self.hostBuild = hostBuild
        self.signature = signature
        self.exampleCount = exampleCount
        self.runtime = runtime
    }
}
