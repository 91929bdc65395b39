/// What an XGBoost model file says, as far as prediction needs it; nothing is checked against anything else yet.
///
/// Source of the layout: XGBoost's JSON schema (`doc/model.schema`) and files written by 1.7, 2.1, 3.0 and 3.2.
struct XGBoostFile {
    var version: [Int] = []
    var attributes: [String: String] = [:]
    var featureNames: [String] = []
    var featureTypes: [String] = []
    var objective = ""
    var learner: [String: String] = [:]
    var booster = XGBoostBooster()
}

struct XGBoostBooster {
    var name = ""
    var parameters: [String: String] = [:]
    /// Trees before each iteration and at the end; absent before 2.0.
    var iterationStarts: [Int]?
    /// The output that each tree adds to.
    var treeOutputs: [Int] = []
    var trees: [XGBoostTree] = []
    var hasCategories = false
}

/// One tree as parallel arrays, one place per node; node 0 is the root.
struct XGBoostTree {
    var parameters: [String: String] = [:]
    /// -1 at leaves.
    var left: [Int] = []
    var right: [Int] = []
    var features: [Int] = []
    /// At inner nodes the threshold (smaller goes left), at leaves the value.
    var conditions: [Float] = []
    /// 1 where a missing value goes left, else 0.
    var defaultsLeft: [Int] = []
    var hasCategoricalSplits = false
}
