internal import RoostJSON

/// What late labels have said, a line for each version.
extension StatusTable {
    /// `quality of 3 (24h): auc 0.941, 312 of 40,112 labelled, median delay 3.2 d`; nothing where no labels are.
    static func quality(of function: FunctionView) -> [String] {
        // The last day says more about now, if anything is known of it yet.
        for window in ["24h", "7d", "all"] {
            let found = function.json["quality"]?["windows"]?[window]
            let versions = (found?["versions"]?.objectValue?.members ?? []).filter {
                ($0.value["coverage"]?["labelled"]?.intValue ?? 0) > 0
            }
            if versions.isEmpty { continue }
            return versions.map { line($0.key, $0.value, window) } + reasons(found)
        }
        return []
    }

    private static func line(_ version: String, _ quality: JSONValue, _ window: String) -> String {
        let coverage = quality["coverage"]?["text"]?.stringValue ?? "?"
        let figure = ["auc", "accuracy", "rmse"].lazy.compactMap { name in
            quality["metrics"]?[name]?.doubleValue.map { "\(name) \(rounded($0)), " }
        }.first
        return "quality of \(version) (\(window)): \(figure ?? "")\(coverage)"
    }

    /// Why two versions are not compared.
    private static func reasons(_ window: JSONValue?) -> [String] {
        (window?["comparisons"]?.arrayValue ?? []).compactMap { comparison in
            guard let reason = comparison["reason"]?.stringValue, reason.hasPrefix("coverage") else { return nil }
            return "quality of \(comparison["version"]?.stringValue ?? "?"): no verdict, \(reason)"
        }
    }

    /// Three decimals.
    private static func rounded(_ value: Double) -> String {
        guard value.isFinite, abs(value) < 1e12 else { return "\(value)" }
        let thousandths = Int((abs(value) * 1000).rounded())
        let digits = String(1000 + thousandths % 1000).dropFirst()
        return "\(value < 0 ? "-" : "")\(thousandths / 1000).\(digits)"
    }
}
