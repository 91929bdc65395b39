internal import RoostTensors

extension Signature {
    /// Why a request of this signature cannot be recorded with these fields blank; nil when it can.
    ///
    /// Instances go by the same rules and record nothing where one is broken; this says so beforehand.
    func objection(toHiding fields: [String]) -> String? {
        for field in fields {
            if let column = columns.first(where: { $0.name == field }) {
                if column.missingAllowed { continue }
                return "column \"\(field)\" must not be missing, so that no request without it could be answered"
            }
            if let input = inputs.first(where: { $0.name == field }) {
                guard input.shape.count == 2, let strict = columns.first(where: { !$0.missingAllowed }) else {
                    continue
                }
                return "column \"\(strict.name)\" must not be missing, so that no request without it could be answered"
            }
            if unnamedColumns.contains(field) { continue }
            return "it has no column or input \"\(field)\""
        }
        return nil
    }

    /// What columns without names are called.
    private var unnamedColumns: [String] {
        guard columns.isEmpty, inputs.count == 1, inputs[0].shape.count == 2, inputs[0].dtype != .bytes,
            inputs[0].dtype != .bool, inputs[0].shape[1] > 0
        else { return [] }
        return (0..<inputs[0].shape[1]).map { "f\($0)" }
    }
}
