internal import RoostJSON

/// The analysis as it stands in records, audits and statuses.
extension Verdict {
    var json: JSONValue { .array(findings.map(\.json)) }

    init(_ cursor: JSONCursor) throws(JSONError) {
        var findings: [Finding] = []
        for element in try cursor.elements() { findings.append(try Finding(element)) }
        self.init(findings)
    }
}

extension Finding {
    /// Bounds that are not finite are left out: they say nothing.
    var json: JSONValue {
        var members = JSONObject([("metric", .string(metric.rawValue)), ("judgement", .string(judgement.word))])
        switch judgement {
        case .proven, .inferior, .alarming: break
        case .open(let missing, let samples):
            members["missing"] = .string(missing)
            members["samples_missing"] = samples.map(JSONValue.integer)
        case .unproven(let reason): members["missing"] = .string(reason)
        }
        for (key, bound) in [("excess", excess), ("lower", lower), ("upper", upper)] {
            if let bound, bound.isFinite { members[key] = .real(bound) }
        }
        members["margin"] = .real(margin)
        members["stable_samples"] = .integer(stableSamples)
        members["canary_samples"] = .integer(canarySamples)
        members["text"] = .string(text)
        return .object(members)
    }

    init(_ cursor: JSONCursor) throws(JSONError) {
        self.init(
            try cursor.required("metric").word(), try Judgement(cursor), excess: try cursor["excess"]?.number(),
            lower: try cursor["lower"]?.number(), upper: try cursor["upper"]?.number(),
            margin: try cursor.required("margin").number(),
            stableSamples: try cursor.required("stable_samples").integer(in: 0...Int.max),
            canarySamples: try cursor.required("canary_samples").integer(in: 0...Int.max),
            text: try cursor.required("text").string())
    }
}

extension Finding.Judgement {
    fileprivate var word: String {
        switch self {
        case .proven: "proven"
        case .inferior: "inferior"
        case .alarming: "alarming"
        case .open: "open"
        case .unproven: "unproven"
        }
    }

    fileprivate init(_ cursor: JSONCursor) throws(JSONError) {
        let judgement = try cursor.required("judgement")
        switch try judgement.string() {
        case "proven": self = .proven
        case "inferior": self = .inferior
        case "alarming": self = .alarming
        case "open":
            self = .open(
                missing: try cursor.required("missing").string(),
                samples: try cursor["samples_missing"]?.integer(in: 0...Int.max))
        case "unproven": self = .unproven(try cursor.required("missing").string())
        default: throw judgement.error("unknown judgement")
        }
    }
}
