public import RoostBasics
public import RoostJSON

/// Rollouts as records, for a store that keeps text.
extension Rollout {
    /// The same, as if it had last been looked at then: records of two moments are alike when nothing has happened
    /// in between, and a clock that begins anew finds no time passed.
    public func asSeen(at moment: Instant) -> Rollout {
        var copy = self
        copy.times.seen = moment
        return copy
    }

    /// Everything but the present time: lengths are as of the last input.
    public var json: JSONValue {
        var members = JSONObject([
            ("canary", .string(canary.description)), ("stable", .string(stable.description)), ("plan", plan.json),
            ("bake", .string(plan.bake.description)), ("state", state.json), ("stage", .integer(stage)),
            ("stratum", .integer(stratum)), ("samples", .integer(samples)), ("calls", .integer(calls)),
            ("preparation", .string(preparation.rawValue)),
            ("accepted", .array(accepted.map { .string($0.rawValue) })), ("doubts", .array(doubts.map(\.json))),
            ("overtimes", .integer(overtimes)), ("manifest_changed", .bool(isManifestChanged)),
            ("times", times.json),
        ])
        members["verdict"] = verdict?.json
        members["shortcut"] = shortcut.map(JSONValue.string)
        members["refusal"] = refusal.map(JSONValue.string)
        members["queued"] = queued.map { .string($0.description) }
        return .object(members)
    }

    /// As it was; the time in between does not count. `restored` says what must be in force.
    /// - Throws: for a record that is none, or that no rollout could have written.
    public init(_ cursor: JSONCursor, at now: Instant) throws(JSONError) {
        let counts = 0...Int.max, bake = try cursor.required("bake").span(in: RolloutPlan.bakeRange)
        guard let plan = try RolloutPlan(cursor.required("plan"), bake: bake) else {
            throw try cursor.required("plan").error("a rollout has a plan")
        }
        let canary = try cursor.required("canary").versionNumber(),
            stable = try cursor.required("stable").versionNumber()
        guard canary != stable else { throw cursor.error("canary and stable are both \(canary)") }
        self.init(canary: canary, stable: stable, plan: plan, at: now)
        stage = try cursor.required("stage").integer(in: 0...plan.steps.count)
        state = try RolloutState(try cursor.required("state"), of: plan, at: stage)
        stratum = try cursor.required("stratum").integer(in: counts)
        samples = try cursor.required("samples").integer(in: counts)
        calls = try cursor.required("calls").integer(in: counts)
        preparation = try cursor.required("preparation").word()
        for element in try cursor.required("accepted").elements() { accepted.append(try element.word()) }
        for element in try cursor.required("doubts").elements() { doubts.append(try Doubt(element)) }
        overtimes = try cursor.required("overtimes").integer(in: counts)
        isManifestChanged = try cursor.required("manifest_changed").bool()
        times = try Times(try cursor.required("times"), at: now)
        verdict = try cursor["verdict"].map { cursor throws(JSONError) in try Verdict(cursor) }
        shortcut = try cursor["shortcut"]?.string()
        refusal = try cursor["refusal"]?.string()
        queued = try cursor["queued"]?.versionNumber()
    }
}

extension Rollout.Doubt {
    fileprivate var json: JSONValue {
        var members = JSONObject([("text", .string(text))])
        members["metric"] = metric.map { .string($0.rawValue) }
        return .object(members)
    }

    fileprivate init(_ cursor: JSONCursor) throws(JSONError) {
        metric = try cursor["metric"]?.word()
        text = try cursor.required("text").string()
    }
}

extension Rollout.Times {
    fileprivate var json: JSONValue {
        [
            "total_ns": total.json, "in_step_ns": inStep.json, "in_state_ns": inState.json,
            "since_look_ns": sinceLook.json,
        ]
    }

    fileprivate init(_ cursor: JSONCursor, at now: Instant) throws(JSONError) {
        seen = now
        total = try cursor.required("total_ns").nanoseconds()
        inStep = try cursor.required("in_step_ns").nanoseconds()
        inState = try cursor.required("in_state_ns").nanoseconds()
        sinceLook = try cursor.required("since_look_ns").nanoseconds()
    }
}

extension Instant.Span {
    var json: JSONValue { .integer(Int(clamping: nanoseconds)) }
}

extension JSONCursor {
    func nanoseconds() throws(JSONError) -> Instant.Span {
        Instant.Span(nanoseconds: UInt64(try integer(in: 0...Int.max)))
    }
}
