internal import RoostBasics
internal import RoostJSON

extension RolloutState {
    var json: JSONValue {
        var members = JSONObject([("is", .string(word))])
        switch self {
        case .pending, .analysing, .baking: break
        case .replaying(let call): members["call"] = .integer(call)
        case .waiting(let missing): members["missing"] = .array(missing.map(JSONValue.string))
        case .pausing(let length): members["length_ns"] = length?.json
        case .gate(let index, let call): (members["gate"], members["call"]) = (.integer(index), .integer(call))
        case .paused(let hold): members["hold"] = hold.json
        case .promoted(let unproven): members["unproven"] = .array(unproven.map(JSONValue.string))
        case .aborted(let reason): members["reason"] = .string(reason)
        }
        return .object(members)
    }

    /// - Parameter stage: how many elements of the plan were entered; a state that cannot be there is refused.
    init(_ cursor: JSONCursor, of plan: RolloutPlan, at stage: Int) throws(JSONError) {
        let word = try cursor.required("is")
        switch try word.string() {
        case "pending": self = .pending
        case "replaying": self = .replaying(call: try cursor.required("call").integer(in: 0...Int.max))
        case "analysing": self = .analysing
        case "waiting": self = .waiting(missing: try cursor.required("missing").strings())
        case "pausing": self = .pausing(try cursor["length_ns"]?.nanoseconds())
        case "gate":
            guard !plan.gates.isEmpty else { throw word.error("the plan has no gates") }
            self = .gate(
                try cursor.required("gate").integer(in: 0...plan.gates.count - 1),
                call: try cursor.required("call").integer(in: 0...Int.max))
        case "baking": self = .baking
        case "paused": self = .paused(try Hold(try cursor.required("hold")))
        case "promoted": self = .promoted(unproven: try cursor.required("unproven").strings())
        case "aborted": self = .aborted(reason: try cursor.required("reason").string())
        default: throw word.error("unknown state")
        }
        guard canBe(at: stage, of: plan.steps.count) else {
            throw word.error("no rollout is \(self.word) after \(stage) of \(plan.steps.count) steps")
        }
    }

    private func canBe(at stage: Int, of count: Int) -> Bool {
        switch self {
        case .aborted: true
        case .promoted, .baking: stage == count
        case .pending: stage == 0
        case .analysing: (1..<count).contains(stage)
        case .pausing: (2..<count).contains(stage)
        case .replaying, .waiting, .gate: stage < count
        case .paused(let hold):
            switch hold.place {
            case .beginning: stage == 0
            case .step: (1..<count).contains(stage)
            case .pausing: (2..<count).contains(stage)
            case .baking: stage == count
            }
        }
    }
}

extension RolloutState.Hold {
    fileprivate var json: JSONValue {
        var members = JSONObject([("reason", .string(reason))])
        switch cause {
        case .person(let who): (members["cause"], members["who"]) = ("person", .string(who))
        case .alarm(let metrics):
            members["cause"] = "alarm"
            members["metrics"] = .array(metrics.map { .string($0.rawValue) })
        case .replay: members["cause"] = "replay"
        case .overtime: members["cause"] = "overtime"
        }
        switch place {
        case .beginning: members["place"] = "beginning"
        case .step: members["place"] = "step"
        case .pausing(let length, let over):
            (members["place"], members["length_ns"], members["over_ns"]) = ("pausing", length?.json, over.json)
        case .baking(let over): (members["place"], members["over_ns"]) = ("baking", over.json)
        }
        return .object(members)
    }

    fileprivate init(_ cursor: JSONCursor) throws(JSONError) {
        reason = try cursor.required("reason").string()
        let cause = try cursor.required("cause"), place = try cursor.required("place")
        switch try cause.string() {
        case "person": self.cause = .person(try cursor.required("who").string())
        case "alarm":
            var metrics: [Metric] = []
            for element in try cursor.required("metrics").elements() { metrics.append(try element.word()) }
            self.cause = .alarm(metrics)
        case "replay": self.cause = .replay
        case "overtime": self.cause = .overtime
        default: throw cause.error("unknown cause")
        }
        switch try place.string() {
        case "beginning": self.place = .beginning
        case "step": self.place = .step
        case "pausing":
            self.place = .pausing(
                try cursor["length_ns"]?.nanoseconds(), over: try cursor.required("over_ns").nanoseconds())
        case "baking": self.place = .baking(over: try cursor.required("over_ns").nanoseconds())
        default: throw place.error("unknown place")
        }
    }
}

extension JSONCursor {
    fileprivate func strings() throws(JSONError) -> [String] {
        var strings: [String] = []
        for element in try elements() { strings.append(try element.string()) }
        return strings
    }
}
