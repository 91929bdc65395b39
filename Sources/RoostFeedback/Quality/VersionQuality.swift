public import RoostBasics
public import RoostEvaluation

/// How good one version's recorded predictions of some period have turned out to be.
public struct VersionQuality: Hashable, Sendable {
    /// One metric with what is known of its uncertainty.
    public struct Figure: Hashable, Sendable {
        public let metric: QualityMetric
        public let value: Double
        /// Where it lies with 95 % probability, by the normal approximation; nil where no variance is known.
        public let interval: ClosedRange<Double>?
        /// For tests of a difference; nil where no variance is known.
        public let estimate: MetricEstimate?
    }

    public let version: VersionNumber
    public let coverage: Coverage
    /// What the answers look like; nil without labels.
    public let task: ModelTask?
    /// Labels that the figures rest on: those of `coverage`, or the newest of them.
    public let count: Int
    public let figures: [Figure]
    /// Losses of single predictions, for comparisons.
    public let losses: [Loss: LossSums]

    /// - Parameter rows: of this version and period, labelled; the newest when there are too many.
    public init(_ version: VersionNumber, recorded: Int, labelled: Int, rows: [LabelledRow]) {
        self.version = version
        let delays = rows.map(\.delaySeconds).sorted()
        let median = delays.isEmpty ? nil : delays[(delays.count - 1) / 2]
        coverage = Coverage(
            recorded: recorded, labelled: labelled,
            medianDelay: median.map { Instant.Span(nanoseconds: UInt64(min($0, 1e9) * 1e9)) })
        guard let observations = Observations(rows) else {
            (task, count, figures, losses) = (nil, 0, [], [:])
            return
        }
        task = observations.task
        count = observations.count
        figures = QualityMetric.all(for: observations.task).compactMap { Self.figure($0, observations) }
        losses = LossSums.all(of: observations)
    }

    private static func figure(_ metric: QualityMetric, _ observations: Observations) -> Figure? {
        guard let value = try? observations.value(of: metric) else { return nil }
        guard let estimate = try? observations.estimate(of: metric), estimate.standardError.isFinite else {
            return Figure(metric: metric, value: value, interval: nil, estimate: nil)
        }
        let reach = 1.96 * estimate.standardError
        return Figure(metric: metric, value: value, interval: value - reach...value + reach, estimate: estimate)
    }
}

/// What a single prediction can be wrong by; less is better.
public enum Loss: String, Hashable, Sendable, CaseIterable {
    /// 1 for a wrong decision, else 0.
    case error
    /// The squared distance of the probabilities from the truth; with several classes summed over them.
    case brier
    case squaredError = "squared_error"
    case absoluteError = "absolute_error"
}

/// Sums of one loss over predictions: what tests of a difference need, whatever they are.
public struct LossSums: Hashable, Sendable {
    public private(set) var count = 0
    public private(set) var sum = 0.0
    public private(set) var sumOfSquares = 0.0

    public init() {}

    public mutating func add(_ loss: Double) {
        count += 1
        sum += loss
        sumOfSquares += loss * loss
    }

    public var mean: Double { count == 0 ? 0 : sum / Double(count) }
    /// Of one prediction, unbiased; 0 for fewer than two.
    public var variance: Double {
        count < 2 ? 0 : max(0, (sumOfSquares - sum * sum / Double(count)) / Double(count - 1))
    }

    /// Each loss that these observations have.
    public static func all(of observations: Observations) -> [Loss: LossSums] {
        var sums: [Loss: LossSums] = [:]
        switch observations {
        case .rankings: break
        case .numbers(let numbers):
            for (prediction, truth) in zip(numbers.predictions, numbers.truths) {
                let distance = prediction - truth
                sums[.squaredError, default: LossSums()].add(distance * distance)
                sums[.absoluteError, default: LossSums()].add(abs(distance))
            }
        case .classes(let classes):
            for (decision, truth) in zip(classes.decisions, classes.truths) {
                sums[.error, default: LossSums()].add(decision == truth ? 0 : 1)
            }
            guard !classes.scores.isEmpty, classes.scores.allSatisfy({ (0...1).contains($0) }) else { break }
            for row in classes.truths.indices { sums[.brier, default: LossSums()].add(brier(classes, row)) }
        }
        return sums
    }

    private static func brier(_ classes: ClassObservations, _ row: Int) -> Double {
        if classes.isBinary {
            let distance = classes.scores[row] - Double(classes.truths[row])
            return distance * distance
        }
        return (0..<classes.classCount).reduce(0) { sum, place in
            let truth = classes.truths[row] == place ? 1.0 : 0
            let distance = classes.scores[row * classes.classCount + place] - truth
            return sum + distance * distance
        }
    }
}
