public import RoostBasics
public import RoostTraffic

/// What of a function survives the host: enough to serve the same after a restart.
public struct FunctionRecord: Hashable, Sendable {
    public let name: FunctionName
    public let highestMajor: UInt32
    public let origin: TrafficOrigin
    /// The manifest's `traffic` as last seen: only a change of it overrides `set`.
    public let manifestShares: TrafficShares?
    /// The version that has proven itself, under a plan.
    public let stable: VersionNumber?
    /// The rollout that runs, or the last one, as if it had been looked at when the clock began.
    public let rollout: Rollout?
    /// Whether the next version was asked to come by one, whatever the manifest says.
    public let expectsCanary: Bool
    public let evidence: Evidence?
    /// When that began, in seconds since 1970.
    public let comparedSince: Int
    /// Who answers whom, of callers with a key.
    public let slots: StickySlots?
    /// A successor that was under observation.
    public let watch: GuardRecord?
    /// It was taken out of service.
    public let absence: FunctionDeployment.Absence?
    /// In ascending order.
    public let versions: [VersionRecord]

    public init(
        name: FunctionName, highestMajor: UInt32, origin: TrafficOrigin, manifestShares: TrafficShares?,
        stable: VersionNumber? = nil, rollout: Rollout? = nil, expectsCanary: Bool = false, evidence: Evidence? = nil,
        comparedSince: Int = 0, slots: StickySlots? = nil, watch: GuardRecord? = nil,
        absence: FunctionDeployment.Absence? = nil, versions: [VersionRecord]
    ) {
        self.absence = absence
        self.expectsCanary = expectsCanary
        self.stable = stable
        self.rollout = rollout
        self.evidence = evidence
        self.comparedSince = comparedSince
        self.name = name
        self.highestMajor = highestMajor
        self.origin = origin
        self.manifestShares = manifestShares
        self.slots = slots
        self.watch = watch
        self.versions = versions
    }
}

/// The durable part of a rollback guard.
public struct GuardRecord: Hashable, Sendable {
    public let successor: VersionNumber
    public let stable: VersionNumber
    /// Seconds since 1970.
    public let untilUnix: Int
    /// How long the guard was to last, in seconds: a clock that was set back must not make it last longer.
    public let window: Int

    public init(successor: VersionNumber, stable: VersionNumber, untilUnix: Int, window: Int) {
        self.successor = successor
        self.stable = stable
        self.untilUnix = untilUnix
        self.window = window
    }
}

/// The durable part of a version.
public struct VersionRecord: Hashable, Sendable {
    /// Serving and draining are not durable: they follow from the others.
    public enum State: Hashable, Sendable {
        case stored, ready, retired
        case failed(reason: String)
        case held(reason: String)
        case rejected(reason: String)
    }

    public let number: VersionNumber
    public let stored: StoredFile
    public let fileName: String
    public let stamp: FileStamp
    public let isNumberedByHost: Bool
    public let state: State
    public let verification: Verification?
    public let allowsIncompatible: Bool
}

extension FunctionDeployment {
    var record: FunctionRecord {
        FunctionRecord(
            name: name, highestMajor: highestMajor, origin: origin, manifestShares: manifestShares, stable: stable,
            rollout: rollout?.asSeen(at: .beginning), expectsCanary: expectsCanary,
            evidence: liveRollout == nil ? nil : evidence,
            comparedSince: liveRollout == nil || evidence == nil ? 0 : comparedSince,
            slots: slots, watch: watch?.record, absence: absence,
            versions: versions.values.map(\.record).sorted { $0.number < $1.number })
    }

    /// As it was, before the folder has been listed. What another build verified is verified again.
    init(_ record: FunctionRecord, hostBuild: String, clock: WallClock, at now: Instant) {
        name = record.name
        highestMajor = record.highestMajor
        origin = record.origin
        manifestShares = record.manifestShares
        stable = record.stable
        rollout = record.rollout?.asSeen(at: now)
        expectsCanary = record.expectsCanary
        evidence = record.evidence
        comparedSince = record.comparedSince
        slots = record.slots
        absence = record.absence
        watch = record.watch.flatMap { Guard($0, clock, at: now) }
        for version in record.versions {
            versions[version.number] = VersionDeployment(version, of: name, hostBuild: hostBuild, at: now)
        }
    }
}

extension FunctionDeployment.Guard {
    init(successor: VersionNumber, stable: VersionNumber, window: Instant.Span, _ clock: WallClock, at now: Instant) {
        self.init(
            successor: successor, stable: stable, until: now + window,
            record: GuardRecord(
                successor: successor, stable: stable, untilUnix: clock.unixSeconds(at: now + window),
                window: Int(window.seconds.rounded(.up))))
    }

    /// What is left of it; nil when its time is over.
    fileprivate init?(_ record: GuardRecord, _ clock: WallClock, at now: Instant) {
        let left = min(record.untilUnix - clock.unixSeconds(at: now), record.window)
        guard left > 0 else { return nil }
        self.init(
            successor: record.successor, stable: record.stable, until: now + .seconds(UInt64(left)), record: record)
    }
}

extension VersionDeployment {
    var record: VersionRecord {
        let durable: VersionRecord.State =
            switch state {
            case .rejected(let reason): .rejected(reason: reason)
            case _ where isFileGone: .retired
            case .stored, .verifying: .stored
            case .ready, .serving, .draining: .ready
            case .retired: .retired
            case .failed(let reason): .failed(reason: reason)
            case .held(let reason): .held(reason: reason)
            }
        return VersionRecord(
            number: id.number, stored: stored, fileName: fileName, stamp: stamp, isNumberedByHost: isNumberedByHost,
            state: durable, verification: verification, allowsIncompatible: allowsIncompatible)
    }

    init(_ record: VersionRecord, of function: FunctionName, hostBuild: String, at now: Instant) {
        self.init(
            id: VersionID(function, record.number), stored: record.stored, fileName: record.fileName,
            stamp: record.stamp, isNumberedByHost: record.isNumberedByHost, foundAt: now)
        verification = record.verification
        allowsIncompatible = record.allowsIncompatible
        let isTrusted = record.verification?.hostBuild == hostBuild
        switch record.state {
        case .stored: state = .stored
        case .ready:
            state = isTrusted ? .ready : .stored
            // It was good enough beside its neighbours before; the order in which they are verified again
            // must not change that.
            allowsIncompatible = allowsIncompatible || !isTrusted
        case .held(let reason): state = isTrusted ? .held(reason: reason) : .stored
        case .failed(let reason): state = .failed(reason: reason)
        case .rejected(let reason): state = .rejected(reason: reason)
        case .retired: state = .retired
        }
    }
}

extension Instant {
    /// Of every clock.
    static let beginning = Instant(nanoseconds: 0)
}
