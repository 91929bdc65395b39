/// How often each class was decided for each true one.
public struct ConfusionMatrix: Hashable, Sendable {
    public let classCount: Int
    /// Row by row: a row is a true class, a column a decision.
    public let counts: [Int]
    /// By true class.
    let actual: [Int]
    /// By decision.
    let decided: [Int]

    public init(_ observations: ClassObservations) {
        self.init(observations, weights: [Int](repeating: 1, count: observations.count))
    }

    /// - Parameter weights: how often each observation counts.
    init(_ observations: ClassObservations, weights: [Int]) {
        let classCount = observations.classCount
        var counts = [Int](repeating: 0, count: classCount * classCount)
        for row in weights.indices where weights[row] > 0 {
            counts[observations.truths[row] * classCount + observations.decisions[row]] += weights[row]
        }
        self.init(classCount: classCount, counts: counts)
    }

    /// - Parameter counts: `classCount` rows of `classCount` counts.
    public init(classCount: Int, counts: [Int]) {
        precondition(counts.count == classCount * classCount)
        self.classCount = classCount
        self.counts = counts
        var (actual, decided) = ([Int](repeating: 0, count: classCount), [Int](repeating: 0, count: classCount))
        for truth in 0..<classCount {
            for decision in 0..<classCount {
                actual[truth] += counts[truth * classCount + decision]
                decided[decision] += counts[truth * classCount + decision]
            }
        }
        (self.actual, self.decided) = (actual, decided)
    }

    public subscript(truth: Int, decision: Int) -> Int { counts[truth * classCount + decision] }

    /// All observations.
    public var total: Int { actual.reduce(0, +) }

    /// Those that were decided rightly.
    public var hits: Int { (0..<classCount).reduce(0) { $0 + self[$1, $1] } }

    /// Classes that occur in truth or decisions.
    var present: [Int] { (0..<classCount).filter { actual[$0] + decided[$0] > 0 } }
}
