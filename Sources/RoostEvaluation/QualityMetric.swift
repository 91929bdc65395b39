/// A number that says how good a model's answers are, held against what turned out to be true.
///
/// Names and definitions are those of scikit-learn, so that a number seen in training can be compared.
public enum QualityMetric: String, Hashable, Sendable, CaseIterable {
    /// The part of decisions that are right.
    case accuracy
    /// The mean over classes of the part of each that is found.
    case balancedAccuracy = "balanced_accuracy"
    /// Of what was decided to be positive, the part that is.
    case precision
    /// Of what is positive, the part that was found.
    case recall
    /// The harmonic mean of precision and recall.
    case f1
    /// Unweighted means over the classes that occur in truth or decisions.
    case precisionMacro = "precision_macro"
    case recallMacro = "recall_macro"
    case f1Macro = "f1_macro"
    /// From counts summed over all classes: with one decision for each observation, all three are the accuracy.
    case precisionMicro = "precision_micro"
    case recallMicro = "recall_micro"
    case f1Micro = "f1_micro"
    /// The area under the ROC curve: how likely a positive scores above a negative, ties counting half. With several
    /// classes the unweighted mean of each against the rest.
    case auc
    /// The area under the curve of precision over recall, as a sum of steps; with several classes as for `auc`.
    case averagePrecision = "average_precision"
    /// The mean negative logarithm of the probability that was given to the truth.
    case logLoss = "log_loss"
    /// The mean squared distance of probabilities from the truth (0 or 1); with several classes summed over them.
    case brier
    /// Matthews' correlation coefficient of truth and decision (Gorodkin's for several classes).
    case mcc
    /// Mean squared error.
    case mse
    /// Its root, in the unit of the label.
    case rmse
    /// Mean absolute error.
    case mae
    /// The part of the label's variance that the predictions explain.
    case r2
    /// Normalised discounted cumulative gain, the mean over groups; gain is the relevance itself, ties are averaged.
    case ndcg

    /// As people write it: `auc`, `f1_macro`.
    public var name: String { rawValue }

    /// The metric of that name, nil when there is none.
    public init?(name: String) { self.init(rawValue: name) }

    /// Whether more is better; errors and losses are better when low.
    public var isHigherBetter: Bool {
        switch self {
        case .accuracy, .balancedAccuracy, .precision, .recall, .f1, .precisionMacro, .recallMacro, .f1Macro,
            .precisionMicro, .recallMicro, .f1Micro, .auc, .averagePrecision, .mcc, .r2, .ndcg:
            true
        case .logLoss, .brier, .mse, .rmse, .mae: false
        }
    }

    /// Whether the metric reads scores, not only decisions.
    public var needsScores: Bool {
        switch self {
        case .auc, .averagePrecision, .logLoss, .brier: true
        default: false
        }
    }

    /// Whether `Observations.estimate` says how sure a value of it is, as tests of a difference need it; of others only
    /// resampling tells.
    public var hasEstimate: Bool { self != .averagePrecision }

    /// The metrics of a task, in the order of tables.
    public static func all(for task: ModelTask) -> [QualityMetric] {
        switch task {
        case .binary:
            [
                .accuracy, .balancedAccuracy, .precision, .recall, .f1, .f1Macro, .f1Micro, .precisionMacro,
                .recallMacro, .precisionMicro, .recallMicro, .auc, .averagePrecision, .logLoss, .brier, .mcc,
            ]
        case .multiclass:
            [
                .accuracy, .balancedAccuracy, .precisionMacro, .recallMacro, .f1Macro, .precisionMicro, .recallMicro,
                .f1Micro, .auc, .averagePrecision, .logLoss, .brier, .mcc,
            ]
        case .regression: [.mse, .rmse, .mae, .r2]
        case .ranking: [.ndcg]
        }
    }

    /// Known names, for messages.
    public static func names(for task: ModelTask? = nil) -> String {
        (task.map(all(for:)) ?? allCases).map(\.name).joined(separator: ", ")
    }
}
