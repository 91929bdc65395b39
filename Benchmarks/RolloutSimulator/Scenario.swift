internal import RoostTraffic

/// What one version does with requests.
struct Behaviour {
    var errors = 0.001
    var latency = Lognormal(medianMS: 2, sigma: 0.5)
    /// The part of its decisions that are right, once their label is known.
    var accuracy = 0.9
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
    /// Sticky keys: this many callers, of whom one in fifty makes all errors, at fifty times the rate.
    var keys: Int?
    var settings = AnalysisSettings()

    init(_ name: String, _ change: (inout Scenario) -> Void = { _ in }) {
        self.name = name
        settings.quality.metric = .accuracy
        change(&self)
    }
}
