internal import RoostEvaluation
public import RoostJSON

// Evidence in the deploy record: a restart of the host changes no later verdict. Counts are sparse, since most of
// the buckets of a histogram stay empty: pairs of bucket and count in one flat array.

extension Evidence {
    public var json: JSONValue {
        [
            "strata": .array(strata.map { ["stable": $0.stable.json, "canary": $0.canary.json] }),
            "pairs": pairs.json,
            "labels": ["stable": labels.stable.json, "canary": labels.canary.json],
        ]
    }

    /// Reads what `json` wrote.
    /// - Throws: for anything else, with its place.
    public init(_ cursor: JSONCursor) throws(JSONError) {
        let root = try cursor.object(known: ["strata", "pairs", "labels"])
        var strata: [Stratum] = []
        for element in try root.required("strata").elements() {
            let object = try element.object(known: ["stable", "canary"])
            strata.append(
                Stratum(stable: try Arm(object.required("stable")), canary: try Arm(object.required("canary"))))
        }
        guard let first = strata.first else { throw root.error("\(root.path) must have a stratum") }
        self.init(first)
        self.strata = strata
        pairs = try Pairs(root.required("pairs"))
        let object = try root.required("labels").object(known: ["stable", "canary"])
        labels = Labels(
            stable: try Labels.OfVersion(object.required("stable")),
            canary: try Labels.OfVersion(object.required("canary")))
    }
}

extension Arm {
    fileprivate var json: JSONValue {
        var object = JSONObject()
        object["requests"] = .integer(requests)
        object["errors"] = .integer(errors)
        object["warm_up_left"] = .integer(warmUpLeft)
        var blocks: [JSONValue] = []
        for block in 0..<KeyBlocks.count where self.blocks[block].requests > 0 {
            blocks += [.integer(block), .integer(self.blocks[block].requests), .integer(self.blocks[block].errors)]
        }
        if !blocks.isEmpty { object["keys"] = .array(blocks) }
        var groups = JSONObject()
        for group in RowGroup.allCases {
            let counts = latencies.counts(group).enumerated().filter { $0.element > 0 }
            if !counts.isEmpty {
                groups[group.name] = .array(counts.flatMap { [.integer($0.offset), .integer(Int($0.element))] })
            }
        }
        object["latency"] = .object(groups)
        return .object(object)
    }

    fileprivate init(_ cursor: JSONCursor) throws(JSONError) {
        let object = try cursor.object(known: ["requests", "errors", "warm_up_left", "keys", "latency"])
        self.init(warmUpLeft: try object.required("warm_up_left").integer(in: 0...Int.max))
        requests = try object.required("requests").integer(in: 0...Int.max)
        errors = try object.required("errors").integer(in: 0...requests)
        if let keys = try object["keys"]?.tuples(of: 3) {
            for tuple in keys {
                let requests = try tuple[1].integer(in: 0...Int(UInt32.max))
                blocks.set(
                    try tuple[0].integer(in: 0...KeyBlocks.count - 1), requests: UInt32(requests),
                    errors: UInt32(try tuple[2].integer(in: 0...requests)))
            }
        }
        let groups = try object.required("latency").object(known: RowGroup.allCases.map(\.name))
        for group in RowGroup.allCases {
            for tuple in try groups[group.name]?.tuples(of: 2) ?? [] {
                latencies.set(
                    group, bucket: try tuple[0].integer(in: 0...LatencyCounts.buckets - 1),
                    to: UInt32(try tuple[1].integer(in: 0...Int(UInt32.max))))
            }
        }
    }
}

extension Pairs {
    fileprivate var json: JSONValue {
        [
            "count": .integer(count), "flips": .integer(flips), "sum": .real(sum),
            "sum_of_squares": .real(sumOfSquares),
        ]
    }

    fileprivate init(_ cursor: JSONCursor) throws(JSONError) {
        let object = try cursor.object(known: ["count", "flips", "sum", "sum_of_squares"])
        self.init()
        count = try object.required("count").integer(in: 0...Int.max)
        flips = try object.required("flips").integer(in: 0...count)
        sum = try object.required("sum").number()
        sumOfSquares = try object.required("sum_of_squares").number()
    }
}

extension Labels.OfVersion {
    fileprivate var json: JSONValue {
        var object = JSONObject()
        object["recorded"] = .integer(recorded)
        object["labelled"] = .integer(labelled)
        if let estimate {
            object["estimate"] = [
                "value": .real(estimate.value), "variance": .real(estimate.variance),
                "count": .integer(estimate.count),
            ]
        }
        return .object(object)
    }

    fileprivate init(_ cursor: JSONCursor) throws(JSONError) {
        let object = try cursor.object(known: ["recorded", "labelled", "estimate"])
        self.init(
            recorded: try object.required("recorded").integer(in: 0...Int.max),
            labelled: try object.required("labelled").integer(in: 0...Int.max))
        guard let estimate = try object["estimate"]?.object(known: ["value", "variance", "count"]) else { return }
        self.estimate = MetricEstimate(
            value: try estimate.required("value").number(), variance: try estimate.required("variance").number(),
            count: try estimate.required("count").integer(in: 0...Int.max))
    }
}

extension JSONCursor {
    /// The elements of a flat array, `size` at a time.
    fileprivate func tuples(of size: Int) throws(JSONError) -> [[JSONCursor]] {
        let all = try elements()
        guard all.count.isMultiple(of: size) else { throw error("\(path) must have groups of \(size) numbers") }
        var tuples: [[JSONCursor]] = []
        for start in stride(from: 0, to: all.count, by: size) { tuples.append(Array(all[start..<(start + size)])) }
        return tuples
    }
}
