/// What an edit of the manifest means for triggers that run: by name, since that is what their items belong to.
public struct TriggerChanges: Hashable, Sendable {
    /// New ones, and those whose type is another now.
    public let started: [TriggerSpec]
    /// Names of those that are gone, or whose type is another now. Their items stay, and wait for one of that name.
    public let stopped: [String]
    /// The same type with other settings, which apply to what begins from now on.
    public let changed: [TriggerSpec]

    public init(from old: [TriggerSpec], to new: [TriggerSpec]) {
        func counterpart(_ spec: TriggerSpec, in specs: [TriggerSpec]) -> TriggerSpec? {
            specs.first { $0.name == spec.name && $0.type == spec.type }
        }
        started = new.filter { counterpart($0, in: old) == nil }
        stopped = old.filter { counterpart($0, in: new) == nil }.map(\.name)
        changed = new.filter { spec in counterpart(spec, in: old).map { $0 != spec } ?? false }
    }

    public var isEmpty: Bool { started.isEmpty && stopped.isEmpty && changed.isEmpty }
}
