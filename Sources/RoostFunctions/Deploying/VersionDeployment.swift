public import RoostBasics

/// One version of a function on its way from the store to retirement.
public struct VersionDeployment: Hashable, Sendable {
    public let id: VersionID
    public internal(set) var stored: StoredFile
    /// The file in the drop folder that it came from. Gone file, gone version.
    public internal(set) var fileName: String
    public internal(set) var stamp: FileStamp
    /// Whether the number was given by the host.
    public let isNumberedByHost: Bool
    public internal(set) var state: VersionState = .stored
    public internal(set) var verification: Verification?
    /// Incompatible with the serving version, and wanted all the same.
    public internal(set) var allowsIncompatible = false

    // Not durable: a restart finds these out again.

    /// When the file was first seen as it is.
    public internal(set) var foundAt: Instant
    /// Where its template stands.
    public internal(set) var template = TemplateState.absent
    /// Its file is no longer in the folder.
    public internal(set) var isFileGone = false
    /// Superseded, and kept warm until then.
    public internal(set) var warmUntil: Instant?
    /// What was answered while it had traffic, for the guard.
    public internal(set) var answered = Answered()

    public enum TemplateState: Hashable, Sendable { case absent, loading, loaded }

    public struct Answered: Hashable, Sendable {
        public var requests = 0
        /// Model errors, deaths, timeouts; not the callers' own mistakes.
        public var errors = 0
        var rate: Double { requests > 0 ? Double(errors) / Double(requests) : 0 }
    }

    init(
        id: VersionID, stored: StoredFile, fileName: String, stamp: FileStamp, isNumberedByHost: Bool, foundAt: Instant
    ) {
        self.id = id
        self.stored = stored
        self.fileName = fileName
        self.stamp = stamp
        self.isNumberedByHost = isNumberedByHost
        self.foundAt = foundAt
    }

    /// Whether traffic may choose it.
    var isAvailable: Bool { state.takesRequests && !isFileGone }
    /// Not yet known to be able to serve, and on its way: also what another release of the host has to try anew.
    var isAwaited: Bool { (state == .stored || state == .verifying) && !isFileGone }
}
