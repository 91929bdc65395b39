internal import RoostBasics

/// The parameters behind `?`. Unknown ones are refused, never ignored.
struct Query {
    private var values: [String: String] = [:]

    init(_ text: String, known: Set<String>) throws(RoostError) {
        for part in text.split(separator: "&") {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard known.contains(pair[0]) else {
                throw RoostError(
                    .invalidArgument,
                    "unknown parameter \"\(pair[0])\": there is \(known.sorted().joined(separator: ", "))")
            }
            values[pair[0]] = pair.count > 1 ? pair[1] : ""
        }
    }

    subscript(name: String) -> String? { values[name] }

    func number(_ name: String) throws(RoostError) -> Int? {
        guard let text = values[name] else { return nil }
        guard let number = Int(text), number >= 0 else {
            throw RoostError(.invalidArgument, "parameter \(name): expected a number, got \"\(text)\"")
        }
        return number
    }
}
