/// What a model is for: which metrics judge it, and how its outputs are read.
public enum ModelTask: String, Hashable, Sendable, CaseIterable {
    /// One of two classes, from the score of the positive one.
    case binary
    /// One of several classes, from a probability for each.
    case multiclass
    /// A number.
    case regression
    /// An order of the candidates within each group, from a score for each.
    case ranking
}
