public import RoostTensors

extension Signature {
    /// Why callers of `serving` could not go on unchanged with this signature; nil when they can.
    ///
    /// Everything that a caller may send today must still be taken and mean the same, and every output that it
    /// may read must still be there. More is fine: outputs, categories, names for columns, values that may now be
    /// missing. A column more or fewer is never fine, whether it may be empty or not: rows may come
    /// without names, and then the count and order are the contract.
    public func incompatibility(with serving: Signature) -> String? {
        // Columns first: "column age is gone" says more than two shapes do.
        columnDifference(serving)
            ?? Self.difference(inputs, serving.inputs, "input", mayGrow: false)
            ?? Self.difference(outputs, serving.outputs, "output", mayGrow: true)
    }

    private static func difference(
        _ new: [TensorSpec], _ old: [TensorSpec], _ what: String, mayGrow: Bool
    ) -> String? {
        for spec in old {
            guard let match = new.first(where: { $0.name == spec.name }) else {
                return "\(what) \"\(spec.name)\" is gone"
            }
            guard match.dtype == spec.dtype else {
                return "\(what) \"\(spec.name)\" is \(match.dtype.name), the serving version's is \(spec.dtype.name)"
            }
            // An input may come to accept any extent, an output must not become vaguer than it was.
            let fits =
                match.shape.count == spec.shape.count
                && zip(match.shape, spec.shape).allSatisfy { $0 == $1 || (!mayGrow && $0 == -1) }
            guard fits else {
                return "\(what) \"\(spec.name)\" has shape \(match.shape), the serving version's has \(spec.shape)"
            }
        }
        guard !mayGrow, let extra = new.first(where: { spec in !old.contains { $0.name == spec.name } }) else {
            return nil
        }
        return "\(what) \"\(extra.name)\" is new, and no caller sends it yet"
    }

    private func columnDifference(_ serving: Signature) -> String? {
        guard !serving.columns.isEmpty else { return nil }
        let names = columns.map(\.name), oldNames = serving.columns.map(\.name)
        if let gone = oldNames.first(where: { !names.contains($0) }) { return "column \"\(gone)\" is gone" }
        if let new = names.first(where: { !oldNames.contains($0) }) {
            return "column \"\(new)\" is new, and no caller sends it yet"
        }
        guard names == oldNames else { return "the columns are the same, but in another order" }
        return zip(columns, serving.columns).lazy.compactMap { $0.difference(from: $1) }.first
    }
}

extension Column {
    fileprivate func difference(from serving: Column) -> String? {
        if kind != serving.kind {
            return "column \"\(name)\" is of type \(kind.rawValue), the serving version's is \(serving.kind.rawValue)"
        }
        if serving.missingAllowed && !missingAllowed { return "column \"\(name)\" may no longer be empty" }
        if let gone = serving.categories.first(where: { !categories.contains($0) }) {
            return "column \"\(name)\" no longer knows the category \"\(gone)\""
        }
        return nil
    }
}
