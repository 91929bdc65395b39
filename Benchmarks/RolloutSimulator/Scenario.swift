internal import RoostBasics
internal import RoostJSON
internal import RoostEvaluation
internal import RoostTraffic

/// What one version does with requests.
struct Behaviour {
    var errors = 0.001
    var latency = Lognormal(medianMS: 2, sigma: 0.5)
    /// The part of its decisions that are right, once their label is known.
    var accuracy = 0.9
    /// When set, it scores rows, and those of the positive class so many standard deviations higher on average.
    var separation: Double?
    /// Of its recorded predictions, how many get a label.
    var coverage = 0.0
}

/// A pair of versions, and the traffic that they meet.
struct Scenario {
    var name: String
    var stable = Behaviour()
    var canary = Behaviour()
    /// Requests of one interval: 50 a second.
    var requests = 3000
    /// The interval from which on there are none.
    var stopsAt = Int.max
    /// The part of shadowed requests that the two decide differently; nil without shadowing (of 2 % of requests).
    var flips: Double?
    /// Errors and latency of both rise and fall together by this part, as on a machine with other work.
    var tides = 0.0
    /// Sticky keys: this many callers, of whom few make all errors.
    var keys: Int?
    /// Count their requests as if each were by itself: what the analysis would do without keys.
    var ignoresKeys = false
    var settings = AnalysisSettings()
    /// Two hours.
    var intervalsMax = 120
    /// It mostly waits, so a quarter of the rollouts has to do.
    var isSlow = false

    init(_ name: String, _ change: (inout Scenario) -> Void = { _ in }) {
        self.name = name
        settings.quality.metric = .accuracy
        change(&self)
    }

    /// 1, 5, 25, 50, 100 % with these settings.
    var plan: RolloutPlan {
        do {
            let text = JSONValue.object(JSONObject([("analysis", settings.json)])).compact
            if let plan = try RolloutPlan(JSONDocument(parsing: text, source: name).root, bake: .zero) { return plan }
            preconditionFailure("\(name) has no plan")
        } catch { preconditionFailure("\(error)") }
    }
}
