public import RoostBasics
public import RoostTraffic

/// What happened, told to the deploy machine.
public enum DeployEvent: Sendable {
    /// The drop folder's regular files, all of them.
    case folderListed([FileEntry])
    /// Answer to `.examine`. `stamp` is the one that the action carried.
    case examined(file: String, stamp: FileStamp, FileShape)
    /// Answer to `.copy`: in the store, synced, its digest the same before and after.
    case copied(file: String, stamp: FileStamp, StoredFile)
    /// Answer to `.copy`: the file changed while it was read, or went.
    case changedDuringCopy(file: String, stamp: FileStamp)
    /// Answer to `.copy`: no space, no permission. Tried again after a while.
    case copyFailed(file: String, stamp: FileStamp, reason: String)
    /// Answers to `.verify`.
    case verified(VersionID, digest: String, Verification)
    case verifyFailed(VersionID, digest: String, reason: String)
    /// Answers to `.prepare`.
    case prepared(VersionID)
    case prepareFailed(VersionID, reason: String)
    /// Its template and instances are gone, by `.release` or by themselves.
    case unloaded(VersionID)
    /// Answer to `.drain`: nothing is queued or running any more.
    case poolDrained(VersionID)
    /// An instance died while the version had traffic.
    case died(VersionID, reason: String)
    /// Its instances died again and again without an answer in between.
    case quarantined(VersionID, reason: String)
    /// More answers since the last such event; `errors` leaves out the callers' own mistakes.
    case answered(VersionID, requests: Int, errors: Int)
    /// Answer to `.observe`: all that was seen of the rollout's versions up to now.
    case observed(FunctionName, Evidence)
    /// Answers to `.replay` and `.callGate`, with their numbers.
    case replayed(FunctionName, call: Int, RolloutReplayResult)
    case gateAnswered(FunctionName, call: Int, RolloutGateAnswer)
    /// A valid manifest is in force; the default one when there is no file.
    case manifestChanged(FunctionName, Manifest)
    /// There is a manifest, but it is wrong, and no earlier one is known: its gate and its rollout are not.
    case manifestUnreadable(FunctionName, reason: String)
    /// `wakeAt` has come.
    case clock
}

/// What the body around the machine does now, in order.
public enum DeployAction: Hashable, Sendable {
    /// List the folder and report it.
    case listFolder
    /// Read what the file's structure says.
    case examine(file: String, stamp: FileStamp)
    /// Copy the file into the store. Stop with `changedDuringCopy` unless it has this stamp before and after.
    case copy(file: String, stamp: FileStamp)
    /// Probation of what is in the store.
    case verify(VersionID, StoredFile)
    /// Load a template: the version is about to take traffic from another.
    case prepare(VersionID)
    /// From now on these shares; nil: nothing serves. All in one step.
    case route(FunctionName, TrafficShares?)
    /// No new requests come by traffic: report when the last is answered.
    case drain(VersionID)
    /// Its template and instances may go; the version stays addressable.
    case release(VersionID)
    /// Its pool and template go now; the stored file may be collected.
    case retire(VersionID)
    case writeNote(file: String, reason: String)
    case removeNote(file: String)
    /// From now on count what canary and stable version do, within one stratum.
    case collect(FunctionName, Collection)
    /// Nothing is to be counted any more.
    case stopCollecting(FunctionName)
    /// Report what was counted.
    case observe(FunctionName)
    /// Score the canary of a rollout against recorded requests.
    case replay(FunctionName, canary: VersionNumber, stable: VersionNumber, call: Int)
    /// Ask somebody else whether a rollout may go on.
    case callGate(FunctionName, RolloutGateCall)
    /// Make this durable before the next `.route` of the function takes effect, if possible.
    case persist(FunctionRecord)
    /// Durable together with the record that comes with it.
    case audit(AuditEntry)
    /// A line for the operator.
    case log(String)
}

/// What is to be counted of a rollout.
public struct Collection: Hashable, Sendable {
    public let canary: VersionNumber
    public let stable: VersionNumber
    /// Where the counts begin; nil: they go on from what is there, in a new stratum.
    public let evidence: Evidence?
    /// When the comparison began, in seconds since 1970: labels of earlier predictions do not count.
    public let since: Int
}
