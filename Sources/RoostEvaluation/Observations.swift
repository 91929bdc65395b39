/// A model's answers beside what turned out to be true; one observation each, in any order.
public enum Observations: Hashable, Sendable {
    /// Of `binary` and `multiclass` models.
    case classes(ClassObservations)
    /// Of `regression` models.
    case numbers(NumberObservations)
    /// Of `ranking` models; one observation is a group.
    case rankings(RankingObservations)

    /// How many there are.
    public var count: Int {
        switch self {
        case .classes(let observations): observations.count
        case .numbers(let observations): observations.count
        case .rankings(let observations): observations.groups.count
        }
    }

    public var task: ModelTask {
        switch self {
        case .classes(let observations): observations.isBinary ? .binary : .multiclass
        case .numbers: .regression
        case .rankings: .ranking
        }
    }
}

/// Decisions between classes, with the scores behind them where the model gives them.
public struct ClassObservations: Hashable, Sendable {
    /// Classes are numbered from 0; with two the positive one is 1.
    public let classCount: Int
    public let truths: [Int]
    public let decisions: [Int]
    /// Binary: the positive class's score of each observation. Several classes: all of one observation's scores, then
    /// the next one's. Empty when the model decides without saying how sure it is.
    public let scores: [Double]
    /// One score for each observation, and class 1 is the positive one.
    public let isBinary: Bool
    /// What the classes are called, for people.
    public internal(set) var names: [String]

    public var count: Int { truths.count }

    /// Two classes, decided by a threshold.
    /// - Parameters:
    ///   - scores: higher for the positive class; probabilities where `log_loss` and `brier` are wanted.
    ///   - threshold: the least score that is decided positive.
    public init(scores: [Double], truths: [Bool], threshold: Double = 0.5) {
        self.init(scores: scores, truths: truths, decisions: scores.map { $0 >= threshold })
    }

    /// Two classes, with decisions made elsewhere.
    /// - Parameter scores: one for each observation, or none at all.
    public init(scores: [Double], truths: [Bool], decisions: [Bool]) {
        precondition(decisions.count == truths.count && (scores.isEmpty || scores.count == truths.count))
        classCount = 2
        self.truths = truths.map { $0 ? 1 : 0 }
        self.decisions = decisions.map { $0 ? 1 : 0 }
        self.scores = scores
        isBinary = true
        names = ["0", "1"]
    }

    /// Several classes.
    /// - Parameters:
    ///   - scores: `classCount` of each observation, one observation after the other, or none at all.
    ///   - truths: places of classes, below `classCount`.
    ///   - decisions: likewise; nil decides for the highest score, the first of equal ones.
    public init(classCount: Int, scores: [Double], truths: [Int], decisions: [Int]? = nil) {
        precondition(scores.isEmpty && decisions != nil || scores.count == truths.count * classCount)
        let decided =
            decisions
            ?? truths.indices.map { row in
                let first = row * classCount
                return (0..<classCount).reduce(0) { scores[first + $1] > scores[first + $0] ? $1 : $0 }
            }
        precondition(decided.count == truths.count)
        precondition((truths + decided).allSatisfy { (0..<classCount).contains($0) }, "a class beyond \(classCount)")
        self.classCount = classCount
        self.truths = truths
        self.decisions = decided
        self.scores = scores
        isBinary = false
        names = (0..<classCount).map { "\($0)" }
    }

    /// The score of one observation for one class.
    func score(_ row: Int, _ place: Int) -> Double {
        guard isBinary else { return scores[row * classCount + place] }
        return place == 1 ? scores[row] : 1 - scores[row]
    }

    /// The classes that are each held against the rest: the positive one, or all.
    var judged: Range<Int> { isBinary ? 1..<2 : 0..<classCount }
}

/// Numbers, and what they should have been.
public struct NumberObservations: Hashable, Sendable {
    public let predictions: [Double]
    public let truths: [Double]

    public var count: Int { truths.count }

    public init(predictions: [Double], truths: [Double]) {
        precondition(predictions.count == truths.count)
        self.predictions = predictions
        self.truths = truths
    }
}

/// Groups of candidates, each with the model's score and the true relevance.
public struct RankingObservations: Hashable, Sendable {
    public struct Group: Hashable, Sendable {
        public let scores: [Double]
        /// Not negative.
        public let relevances: [Double]

        public init(scores: [Double], relevances: [Double]) {
            precondition(scores.count == relevances.count)
            self.scores = scores
            self.relevances = relevances
        }
    }

    public let groups: [Group]

    public init(groups: [Group]) { self.groups = groups }
}
