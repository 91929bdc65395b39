public import RoostBasics

/// Who of a function's versions is on trial, and who vouches for it: what the tags `stable` and `canary` mean, and
/// who answers for a canary that died.
public struct TrafficRoles: Hashable, Sendable {
    public let stable: VersionNumber
    /// In ascending order.
    public let canaries: [VersionNumber]

    /// Of a rollout, whatever the shares are at the moment.
    public init(stable: VersionNumber, canary: VersionNumber) {
        self.stable = stable
        canaries = [canary]
    }

    /// By shares alone: stable has the largest, everybody with less is on trial.
    public init(_ shares: TrafficShares) {
        let leading = shares.leading
        stable = leading
        canaries = shares.versions.filter { shares[$0] < shares[leading] }
    }

    /// The one that is called `canary`: the newest.
    public var canary: VersionNumber? { canaries.last }
}
