internal import RoostBasics

/// Who has instances of the host's budget.
enum Tenant: Hashable {
    case version(VersionID)
    /// All jobs together: they have what versions leave, and give it back when one asks.
    case jobs
}

/// A place for one instance of a job, from before its fork until its process has ended or has not come about.
final class PlaceLoan {
    private let onReturn: () -> Void

    init(_ onReturn: @escaping () -> Void = {}) { self.onReturn = onReturn }

    deinit { onReturn() }
}
