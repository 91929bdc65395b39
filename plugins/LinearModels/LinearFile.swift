import ModelFiles
import RoostPlugin

/// A linear model as docs/LINEAR.md describes it, checked: all sizes agree, all numbers are finite.
struct LinearFile {
    enum Kind: String, CaseIterable {
        case linear, logistic, softmax
    }

    private(set) var kind = Kind.linear
    private(set) var features: [String] = []
    /// For missing values, before standardisation; nil: missing values are refused.
    private(set) var impute: [Double]?
    private(set) var mean: [Double]?
    private(set) var scale: [Double]?
    /// One row per output.
    private(set) var coefficients: [[Double]] = []
    private(set) var intercepts: [Double] = []
    private(set) var classes: [String] = []
    private var keys: Set<String> = []

    /// The value of the key `format`, by which a file of this kind is known.
    static let format = "roost-linear"

    private static let known: Set = [
        "format", "version", "model", "features", "impute", "mean", "scale", "coefficients", "intercepts", "classes",
    ]

    var columns: Int { coefficients.first?.count ?? 0 }

    /// Throws `ModelError.notMyFormat` for any other file, and what is wrong with one of ours.
    init(_ bytes: Span<UInt8>) throws {
        guard Self.isOurs(bytes), var reader = DocumentReader(bytes) else {
            throw ModelError.notMyFormat("not JSON with \"format\": \"\(Self.format)\"")
        }
        try reader.object { key, reader throws(DocumentError) in
            keys.insert(key)
            try read(key, from: &reader)
        }
        try reader.end()
        try check()
    }

    /// Whether the file names our format before it goes wrong, if it does. A strange key before that settles the
    /// matter: models of other kinds can be large, and this is asked of each.
    private static func isOurs(_ bytes: Span<UInt8>) -> Bool {
        guard var reader = DocumentReader(bytes), reader.format == .json else { return false }
        var isOurs = false
        try? reader.object { key, reader throws(DocumentError) in
            guard Self.known.contains(key) else { throw DocumentError("a key of another format") }
            guard key == "format" else { return try reader.skip() }
            if try reader.peek() == .string {
                isOurs = try reader.string() == Self.format
            } else {
                try reader.skip()
            }
        }
        return isOurs
    }

    private mutating func read(_ key: String, from reader: inout DocumentReader) throws(DocumentError) {
        switch key {
        case "format": _ = try reader.string()
        case "version":
            let version = try reader.integer(in: 0...1_000_000)
            guard version == 1 else { throw DocumentError("this runtime reads version 1, not \(version)") }
        case "model":
            let name = try reader.string()
            guard let kind = Kind(rawValue: name) else {
                let known = Kind.allCases.map(\.rawValue).joined(separator: ", ")
                throw DocumentError("\"\(name)\" is none of \(known)")
            }
            self.kind = kind
        case "features": features = try reader.strings()
        case "impute": impute = try reader.finiteNumbers()
        case "mean": mean = try reader.finiteNumbers()
        case "scale": scale = try reader.finiteNumbers()
        case "coefficients":
            coefficients = try reader.list { reader throws(DocumentError) in try reader.finiteNumbers() }
        case "intercepts": intercepts = try reader.finiteNumbers()
        case "classes": classes = try reader.strings()
        default: throw DocumentError("unknown key; docs/LINEAR.md lists the keys")
        }
    }

    private func check() throws(ModelError) {
        for key in ["version", "model", "coefficients", "intercepts"] where !keys.contains(key) {
            throw .failed("the key \"\(key)\" is missing")
        }
        let (columns, outputs) = (self.columns, coefficients.count)
        guard columns > 0 else { throw .failed("coefficients: one row per output, each with at least one number") }
        for (row, numbers) in coefficients.enumerated() where numbers.count != columns {
            throw .failed("coefficients[\(row)] has \(numbers.count) numbers, coefficients[0] has \(columns)")
        }
        switch kind {
        case .linear, .logistic:
            guard outputs == 1 else { throw .failed("a \(kind) model has one row of coefficients, not \(outputs)") }
        case .softmax:
            guard outputs >= 2 else { throw .failed("a softmax model has a row of coefficients for each class") }
        }
        guard intercepts.count == outputs else {
            throw .failed("intercepts has \(intercepts.count) numbers for \(outputs) rows of coefficients")
        }
        for (key, count) in [
            ("features", keys.contains("features") ? features.count : nil), ("impute", impute?.count),
            ("mean", mean?.count), ("scale", scale?.count),
        ] where count != nil && count != columns {
            throw .failed("\(key) has \(count ?? 0) entries for \(columns) columns of coefficients")
        }
        guard Set(features).count == features.count else { throw .failed("features: a name comes twice") }
        guard (mean == nil) == (scale == nil) else { throw .failed("mean and scale go together: one is missing") }
        guard scale?.contains(0) != true else { throw .failed("scale: nothing can be divided by 0") }
        try checkClasses(outputs: outputs)
    }

    private func checkClasses(outputs: Int) throws(ModelError) {
        guard keys.contains("classes") else { return }
        guard kind != .linear else { throw .failed("classes: a linear model has none") }
        let count = kind == .softmax ? outputs : 2
        guard classes.count == count else { throw .failed("classes has \(classes.count) names for \(count) classes") }
        guard Set(classes).count == count else { throw .failed("classes: a name comes twice") }
    }
}

extension DocumentReader {
    fileprivate mutating func finiteNumbers() throws(DocumentError) -> [Double] {
        try list { reader throws(DocumentError) in
            let number = try reader.number()
            guard number.isFinite else { throw DocumentError("\(number) is not a finite number") }
            return number
        }
    }
}
