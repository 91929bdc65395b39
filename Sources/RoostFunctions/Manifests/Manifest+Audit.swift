public import RoostBasics

extension Manifest {
    /// What the audit log has to say when this manifest takes the place of `old`: the threshold, and which of the keys
    /// that decide about releases have changed. Everything else is no decision about what callers are answered.
    public func audit(_ name: FunctionName, from old: Manifest) -> [AuditEntry] {
        var entries: [AuditEntry] = []
        if threshold != old.threshold {
            entries.append(
                AuditEntry(
                    name, by: "manifest", "threshold", from: Self.words(old.threshold), to: Self.words(threshold)))
        }
        let keys = changedReleaseKeys(from: old)
        if !keys.isEmpty {
            entries.append(
                AuditEntry(name, by: "manifest", "manifest", reason: "changed: \(keys.joined(separator: ", "))"))
        }
        return entries
    }

    private func changedReleaseKeys(from old: Manifest) -> [String] {
        let keys = [
            ("traffic", traffic != old.traffic), ("rollout", rollout != old.rollout), ("bake", bake != old.bake),
            ("gate", gate != old.gate), ("sticky", sticky != old.sticky), ("tags", tags != old.tags),
            ("rollback_window", rollbackWindow != old.rollbackWindow),
        ]
        return keys.filter(\.1).map(\.0)
    }

    /// A model without a threshold decides by its own rule.
    private static func words(_ threshold: Double?) -> String { threshold.map { "\($0)" } ?? "the model's own" }
}
