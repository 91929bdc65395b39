public import RoostBasics
public import RoostTraffic

/// Which rule gives a function's shares.
public enum TrafficOrigin: Hashable, Sendable {
    /// The highest ready version.
    case latest
    /// `traffic` in the manifest.
    case manifest
    /// API or command line.
    case set(TrafficShares)

    public var word: String {
        switch self {
        case .latest: "latest"
        case .manifest: "manifest"
        case .set: "set"
        }
    }
}

/// All versions of one function, and who of them serves.
public struct FunctionDeployment: Hashable, Sendable {
    public let name: FunctionName
    /// Also the retired ones that are remembered.
    public internal(set) var versions: [VersionNumber: VersionDeployment] = [:]
    /// The highest first component that was ever used.
    public internal(set) var highestMajor: UInt32 = 0
    public internal(set) var origin = TrafficOrigin.latest
    /// The manifest's `traffic` as last seen.
    public internal(set) var manifestShares: TrafficShares?
    /// The shares in force, as last given by `.route`; nil: nothing serves.
    public internal(set) var route: TrafficShares?
    /// Who answers whom, of callers that have a key; nil unless the manifest says where the key is.
    public internal(set) var slots: StickySlots?
    /// Whether the rollback guard counts answers now.
    public var isWatched: Bool { watch != nil }
    var rollbackWindow = Manifest().rollbackWindow
    /// What the manifest's `tags` says.
    var manifestTags: [VersionTag: VersionNumber] = [:]
    /// What the manifest's `sticky` says.
    var stickyKey: StickyKey?
    var watch: Guard?
    /// The plan by which new versions come to traffic; nil: at once.
    public internal(set) var plan: RolloutPlan?
    /// Under a plan, the version that has proven itself: it keeps the traffic until another one has.
    public internal(set) var stable: VersionNumber?
    /// The rollout that runs, or the last one.
    public internal(set) var rollout: Rollout?
    /// Whether the next version comes by a rollout, also without a plan.
    var expectsCanary = false
    /// What was seen of it when it was last observed.
    var evidence: Evidence?
    /// When it began, in seconds since 1970.
    var comparedSince = 0
    /// Whether the rollout goes on since this host began: not before its versions are proven.
    var isResumed = false
    /// An `.observe` is not answered yet.
    var isBeingObserved = false
    /// What the manifest became while a rollout ran: in force at its end.
    var deferredManifest: Manifest?
    /// Why its manifest cannot be read, while no earlier one is known.
    var manifestProblem: String?
    /// People have taken it out of service: no version of it takes requests until they take it back.
    public internal(set) var absence: Absence?

    init(name: FunctionName) { self.name = name }

    /// What is remembered of a function that was taken out of service.
    public struct Absence: Hashable, Sendable {
        /// The version with the largest share at that time; nil when nothing served.
        public let leading: VersionNumber?

        public init(leading: VersionNumber?) { self.leading = leading }
    }

    /// What callers are told while it is out of service; nil: it is not.
    public var absenceReason: String? {
        absence == nil ? nil : "\(name) is unloaded: POST /v2/repository/models/\(name)/load takes it back into service"
    }

    /// The version that others are compared with.
    var leading: VersionNumber? { route?.leading ?? absence?.leading }

    /// A successor under observation: until the end of its window it gives traffic back when it misbehaves.
    struct Guard: Hashable, Sendable {
        let successor: VersionNumber
        let stable: VersionNumber
        let until: Instant
        /// As it is stored: Instants mean nothing to another run of the machine.
        let record: GuardRecord
    }

    /// The rollout, while it may still change something.
    public var liveRollout: Rollout? { rollout.flatMap { $0.state.isFinal ? nil : $0 } }

    /// Who decides about the shares now: the origin, or a rollout.
    public var originWord: String {
        if absence != nil { return "unloaded" }
        return liveRollout == nil ? origin.word : "rollout"
    }

    /// The highest version that could serve.
    public var highestAvailable: VersionNumber? {
        versions.values.filter(\.isAvailable).map(\.id.number).max()
    }

    /// The shares that the origin's rule gives now, among versions that can serve. When it names nobody who can,
    /// the next lower version serves, or else the highest: an answer is better than none.
    ///
    /// A function that is out of service has none. At the start nobody takes the place of a version that has vouched for itself and is only being proven again.
    public var wantedRoute: TrafficShares? {
        if absence != nil { return nil }
        if route == nil, let vouching, isBeingProven(vouching) { return nil }
        if let named = namedShares {
            if let route = named.restricted(to: { versions[$0]?.isAvailable == true }) { return route }
            let ceiling = named.versions.last
            let lower = versions.values.filter { $0.isAvailable && ceiling.map($0.id.number.isBelow) == true }
            if let number = lower.map(\.id.number).max() { return TrafficShares(all: number) }
        }
        return highestAvailable.map(TrafficShares.init(all:))
    }

    /// Shares of the manifest or of `set` whose version cannot serve now, for `status`.
    public var pendingShares: [TrafficShares.Entry] {
        namedShares?.entries.filter { versions[$0.version]?.isAvailable != true } ?? []
    }

    /// Under a plan, the version that everything rests on.
    private var vouching: VersionNumber? {
        if let rollout = liveRollout { return rollout.stable }
        return origin == .latest && plan != nil ? stable : nil
    }

    func isBeingProven(_ number: VersionNumber) -> Bool { versions[number]?.state.isBeingProven == true }

    /// The version that has proven itself is being verified, as after an update of the host.
    var awaitsStable: Bool { vouching.map(isBeingProven) == true }

    private var namedShares: TrafficShares? {
        if let rollout = liveRollout { return rollout.shares }
        switch origin {
        case .latest where plan != nil || manifestProblem != nil: return stable.map(TrafficShares.init(all:))
        case .latest: return nil
        case .manifest: return manifestShares
        case .set(let shares): return shares
        }
    }

    /// Why a version that is new is not even verified: it might have to pass a gate, and to come by a rollout.
    public func problem(of version: VersionDeployment) -> String? {
        guard let manifestProblem, version.state == .stored, version.verification == nil else { return nil }
        return "it waits until the manifest of \(name) can be read: \(manifestProblem)"
    }

    /// Whether all traffic may have to go back to the version at once.
    func keepsWarm(_ version: VersionDeployment) -> Bool { liveRollout?.stable == version.id.number }

    /// Brings the slots to the shares in force. What was stored stays until something serves.
    mutating func moveSlots() {
        guard stickyKey != nil, let route else { return }
        if slots == nil { slots = StickySlots(route) } else { slots?.move(to: route) }
    }

    /// The next number for a file without one.
    var nextNumber: VersionNumber { VersionNumber(highestMajor &+ 1) }

    mutating func noteUse(of number: VersionNumber) {
        highestMajor = max(highestMajor, number.components.first ?? 0)
    }
}

extension VersionNumber {
    fileprivate func isBelow(_ other: VersionNumber) -> Bool { self < other }
}
