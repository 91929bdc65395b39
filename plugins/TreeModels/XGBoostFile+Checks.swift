import RoostPlugin

/// What the file says, made sense of; whatever this engine does not do is refused here.
extension XGBoostFile {
    func checkedObjective() throws(ModelError) -> Objective {
        guard let major = version.first else { throw .failed("the file has no \"version\"") }
        guard (1...3).contains(major) else {
            throw .failed("written by XGBoost \(major): this runtime reads 1.7 to 3.x")
        }
        guard booster.name == "gbtree" else {
            throw .failed("booster \"\(booster.name)\" is not supported: this runtime has gbtree")
        }
        let objective = try Objective(named: self.objective)
        guard !featureTypes.contains("c"), !booster.hasCategories,
            !booster.trees.contains(where: \.hasCategoricalSplits)
        else { throw .failed("categorical features are not supported: encode them as numbers before training") }
        guard try number("num_target", in: learner, absent: 1) <= 1,
            try number("size_leaf_vector", in: booster.parameters, absent: 0) <= 1
        else { throw .failed("models with several targets are not supported") }
        for tree in booster.trees where try number("size_leaf_vector", in: tree.parameters, absent: 0) > 1 {
            throw .failed("trees with vector leaves (multi_output_tree) are not supported")
        }
        return objective
    }

    /// Margins per row: 1, or the classes of `multi:softprob`.
    func outputs(for objective: Objective) throws(ModelError) -> Int {
        let classes = try number("num_class", in: learner, absent: 0)
        guard objective == .softprob else {
            guard classes <= 1 else { throw .failed("\(objective.rawValue) with num_class \(classes)") }
            return 1
        }
        guard (2...100_000).contains(classes) else { throw .failed("num_class \(classes) is not in 2...100000") }
        return classes
    }

    /// Names as they were trained, else `f0`, `f1`, ….
    func columns() throws(ModelError) -> [Column] {
        let count = try number("num_feature", in: learner, absent: 0)
        guard (1...1_000_000).contains(count) else { throw .failed("num_feature \(count) is not in 1...1000000") }
        guard !featureNames.isEmpty else { return (0..<count).map { Column(name: "f\($0)") } }
        guard featureNames.count == count else {
            throw .failed("\(featureNames.count) feature_names for num_feature \(count)")
        }
        guard Set(featureNames).count == count else { throw .failed("feature_names are not unique") }
        return featureNames.map { Column(name: $0) }
    }

    /// One margin per output. 3.1 and later write `[a]` or one score per output, earlier ones a plain number.
    func baseMargins(for objective: Objective, outputs: Int) throws(ModelError) -> [Float] {
        guard let text = learner["base_score"] else { throw .failed("the file has no base_score") }
        let isList = text.hasPrefix("[") && text.hasSuffix("]")
        let parts =
            isList ? text.dropFirst().dropLast().split(separator: ",", omittingEmptySubsequences: false) : [text[...]]
        var margins: [Float] = []
        for part in parts {
            guard let score = Float(part.filter { $0 != " " }) else {
                throw .failed("base_score \"\(text)\" is no number")
            }
            margins.append(try objective.margin(ofBaseScore: score))
        }
        if margins.count == 1, let margin = margins.first { return Array(repeating: margin, count: outputs) }
        guard margins.count == outputs else { throw .failed("\(margins.count) base scores for \(outputs) outputs") }
        return margins
    }

    /// The trees that the saver's own `predict` uses: an estimator (`XGBClassifier`, …) that stopped early stops at
    /// its best iteration, a `Booster` uses all. Only files of estimators carry the attribute `scikit_learn`.
    func treesInUse(outputs: Int) throws(ModelError) -> [(tree: XGBoostTree, output: Int)] {
        let all = booster.trees
        guard booster.treeOutputs.count == all.count else {
            throw .failed("tree_info has \(booster.treeOutputs.count) entries for \(all.count) trees")
        }
        let declared = try number("num_trees", in: booster.parameters, absent: all.count)
        guard declared == all.count else { throw .failed("\(all.count) trees where num_trees says \(declared)") }
        if let output = booster.treeOutputs.first(where: { $0 >= outputs }) {
            throw .failed("tree_info names output \(output) of \(outputs)")
        }
        let count = try iterationEnd(outputs: outputs) ?? all.count
        guard count <= all.count else { throw .failed("best_iteration is beyond the \(all.count) trees") }
        return zip(all, booster.treeOutputs).prefix(count).map { ($0, $1) }
    }

    /// Trees up to and with the best iteration; nil when all count.
    private func iterationEnd(outputs: Int) throws(ModelError) -> Int? {
        guard attributes["scikit_learn"] != nil, attributes["best_iteration"] != nil else { return nil }
        let end = try number("best_iteration", in: attributes, absent: 0) + 1
        if let starts = booster.iterationStarts {
            guard end < starts.count else {
                throw .failed("best_iteration is beyond the \(starts.count - 1) iterations")
            }
            return starts[end]
        }
        return end * outputs * max(1, try number("num_parallel_tree", in: booster.parameters, absent: 1))
    }

    /// XGBoost writes its parameters as texts.
    private func number(_ key: String, in table: [String: String], absent: Int) throws(ModelError) -> Int {
        guard let text = table[key] else { return absent }
        guard let number = Int32(text), number >= 0 else { throw .failed("\(key) is \"\(text)\", not a number") }
        return Int(number)
    }
}
