/// What becomes of a claim.
public enum Verdict<Key: Hashable & Sendable>: Hashable, Sendable {
    /// Start the instance.
    case granted
    /// No place is free: the claim waits until `InstanceBudget.next` grants it or it is withdrawn. The version that is
    /// named, if any, has to give an instance up, as with `BudgetAction.reclaim`.
    case wait(reclaimFrom: Key?)
}

/// What the host has to do about its instances.
public enum BudgetAction<Key: Hashable & Sendable>: Hashable, Sendable {
    /// The version's claim no longer waits: start the instance, or say `released` if it is not wanted any more.
    case granted(Key)
    /// End one instance of the version, an idle one if it has one, else one that gets no further requests and ends
    /// after those that it has; say `released` when it has ended.
    case reclaim(from: Key)
}
