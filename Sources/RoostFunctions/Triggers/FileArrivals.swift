public import RoostBasics
public import RoostDelivery

/// Which files of a watched folder are complete, and which of those have been handed out.
///
/// A value without I/O, as `Deployment` is: listings and answers go in, with the time, and what is to be looked into or
/// taken comes out. A file of rows does not say by itself that it is complete, so two things decide: it has stood still
/// for a while, and nobody has it open for writing. Who writes under a name that is ignored and renames it at the end
/// need not rely on either.
///
/// ```
/// settling → examining → taken
///     ↑          ↘ settling (somebody writes)
///     └──────────── its stamp changes
/// ```
public struct FileArrivals: Hashable, Sendable {
    /// How long a file has to stand still.
    public struct Patience: Hashable, Sendable {
        /// Where the system says that nobody writes. Longer than a tick of any file system's clock.
        public var settle = Instant.Span.milliseconds(500)
        /// Where the system does not say who writes: files of other users, network file systems.
        public var unknown = Instant.Span.seconds(5)
        /// One without any content may just have been made.
        public var empty = Instant.Span.seconds(10)
        /// After somebody was found writing: when to ask again.
        public var writer = Instant.Span.seconds(1)

        public init() {}
    }

    /// Where a file stands.
    public enum Phase: Hashable, Sendable {
        /// It has to stand still until then. Goes to examining.
        case settling(until: Instant)
        /// Somebody looks who writes to it. Goes to taken, settling.
        case examining
        /// Handed out. Goes to settling when it changes, or was given back.
        case taken
    }

    private struct File: Hashable, Sendable {
        var stamp: FileStamp
        /// When it was first seen as it is.
        var since: Instant
        var phase: Phase
    }

    public var pattern: FilePattern
    public let patience: Patience
    private var files: [String: File] = [:]

    public init(_ pattern: FilePattern, patience: Patience = Patience()) {
        (self.pattern, self.patience) = (pattern, patience)
    }

    /// Endings of files that programs write and rename when they are complete.
    public static let unfinishedEndings = [".tmp", ".partial", ".part"]

    /// Whether files of this name are for the trigger.
    public func isMeant(_ name: String) -> Bool {
        pattern.matches(name) && !name.hasPrefix(".") && !Self.unfinishedEndings.contains { name.hasSuffix($0) }
    }

    /// When the folder has to be listed again although nothing was said of it; nil: not before that.
    public var wakeAt: Instant? {
        files.values.lazy.compactMap { if case .settling(let until) = $0.phase { until } else { nil } }.min()
    }

    /// Files that are there and have not been handed out.
    public var arrivingCount: Int { files.values.count { $0.phase != .taken } }

    /// The folder as it is now.
    /// - Returns: files that have stood still: look who writes to them, and tell `examined`.
    public mutating func listed(_ entries: [FileEntry], at now: Instant) -> [FileEntry] {
        var present: [String: File] = [:]
        var still: [FileEntry] = []
        for entry in entries where isMeant(entry.name) {
            var file = File(stamp: entry.stamp, since: now, phase: .settling(until: now + wait(for: entry.stamp)))
            if let known = files[entry.name], known.stamp == entry.stamp { file = known }
            if case .settling(let until) = file.phase, until <= now {
                file.phase = .examining
                still.append(entry)
            }
            present[entry.name] = file
        }
        files = present
        return still.sorted { $0.name < $1.name }
    }

    private func wait(for stamp: FileStamp) -> Instant.Span { stamp.size == 0 ? patience.empty : patience.settle }

    /// Somebody has looked.
    /// - Parameters:
    ///   - stamp: as it was at the end of that; nil: it is gone.
    ///   - isBeingWritten: nil: the system does not say.
    /// - Returns: whether the file is complete, and is the caller's now.
    public mutating func examined(
        _ entry: FileEntry, stamp: FileStamp?, isBeingWritten: Bool?, at now: Instant
    ) -> Bool {
        guard var file = files[entry.name], file.stamp == entry.stamp, file.phase == .examining else { return false }
        defer { files[entry.name] = file }
        guard let stamp, stamp == entry.stamp else {
            // What it is now the next listing tells.
            (file.since, file.phase) = (now, .settling(until: now + wait(for: entry.stamp)))
            return false
        }
        switch isBeingWritten {
        case true?: file.phase = .settling(until: now + patience.writer)
        case nil where file.since + patience.unknown > now: file.phase = .settling(until: file.since + patience.unknown)
        case false?, nil: file.phase = .taken
        }
        return file.phase == .taken
    }

    /// A file that was handed out has been moved away: what is there under its name from now on is new work, also the
    /// same file, put back before anybody has listed the folder.
    public mutating func movedAway(_ name: String, _ stamp: FileStamp) {
        if let file = files[name], file.phase == .taken, file.stamp == stamp { files[name] = nil }
    }

    /// A file that was handed out could not be taken: it is tried again.
    public mutating func gaveBack(_ name: String, until: Instant) {
        if files[name]?.phase == .taken { files[name]?.phase = .settling(until: until) }
    }
}
