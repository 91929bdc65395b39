public import RoostBasics
public import RoostJSON

/// Where a job stands.
public enum JobState: String, Hashable, Sendable, CaseIterable {
    /// Waits for its turn. Goes to running, cancelled.
    case queued
    /// Goes to done, stopped, cancelled, failed.
    case running
    /// The output is complete and in its place.
    case done
    /// Something outside the job is in the way: the disk is full, the folder is gone. Goes to running when resumed.
    case stopped
    /// By a person. Goes to running when resumed.
    case cancelled
    /// Its input or its version cannot be used, or too many rows are bad: the same job will fail again.
    case failed

    /// Nothing more happens without a person.
    public var isOver: Bool { self != .queued && self != .running }
    /// What was written stays, and it can go on there.
    public var mayResume: Bool { self == .stopped || self == .cancelled || self == .failed }
}

/// How far a job has come, in what is written and will still be there after a crash.
///
/// Everything before these positions is final: the chunks up to `inputOffset` are scored, and the first bytes of both
/// files are what they became.
public struct JobCheckpoint: Hashable, Sendable {
    /// Of the input without compression: where the next chunk begins.
    public var inputOffset = 0
    /// The line that begins there, counted from 1.
    public var line: UInt64 = 1
    /// Chunks before it.
    public var chunks = 0
    public var outputBytes = 0
    public var errorBytes = 0
    /// Records scored or bad.
    public var rows = 0
    public var badRows = 0
    /// SHA-256 of the input up to `inputOffset`, in hexadecimal digits: whoever goes on proves that it is still that.
    public var inputDigest = ""
    /// Size and last change of the input's file, as its owner writes them: what was changed is not gone on with.
    public var inputState = ""
    /// What the data looked like so far, as its owner encodes it.
    public var report: [UInt8] = []

    public init() {}
}

/// A job as it is remembered.
public struct JobRecord: Hashable, Sendable {
    public let id: String
    public let function: FunctionName
    public let version: VersionNumber
    /// Of the version's file in the store, so that a job goes on with exactly what it began with.
    public let artifact: String
    public let spec: JobSpec
    /// Who or what asked for it: `api`, a person's name, `trigger:NAME`.
    public let origin: String
    /// What the origin calls it; of one origin and function there is one job with a key at most. Nil for people's jobs.
    public let key: String?
    public var state = JobState.queued
    /// Why it stopped or failed; what it waits for; nil when there is nothing to say.
    public var reason: String?
    /// Seconds since 1970.
    public var created: Int
    public var started: Int?
    public var ended: Int?
    public var checkpoint = JobCheckpoint()
    /// SHA-256 of the complete output, noted before it takes its place: a host that is killed in between knows it by that.
    public var outputDigest: String?

    public init(
        id: String, function: FunctionName, version: VersionNumber, artifact: String, spec: JobSpec, origin: String,
        key: String? = nil, created: Int
    ) {
        (self.id, self.function, self.version, self.artifact) = (id, function, version, artifact)
        (self.spec, self.origin, self.key, self.created) = (spec, origin, key, created)
    }

    public var versionID: VersionID { VersionID(function, version) }
    /// Finished, with rows that are missing in the output.
    public var hasBadRows: Bool { checkpoint.badRows > 0 }

    /// For people and programs.
    public var json: JSONValue {
        var object = JSONObject([
            ("id", .string(id)), ("function", .string(function.text)), ("version", .string(version.description)),
            ("state", .string(state.rawValue)), ("origin", .string(origin)), ("input", .string(spec.input)),
            ("output", .string(spec.outputPath)), ("rows", .integer(checkpoint.rows)),
            ("bad_rows", .integer(checkpoint.badRows)), ("created", .integer(created)),
        ])
        object["reason"] = reason.map { .string($0) }
        object["started"] = started.map { .integer($0) }
        object["ended"] = ended.map { .integer($0) }
        object["output_sha256"] = outputDigest.map { .string($0) }
        return .object(object)
    }
}
