public import RoostBasics

extension Observations {
    /// Holds a model's answers against labels.
    /// - Parameters:
    ///   - answers: one for each row.
    ///   - threshold: decides for the class whose score the model gives from this score on; nil leaves the decision to
    ///     the model's own label, or to 0.5 where it gives none. For binary models.
    /// - Throws: labels that the task cannot have, with file, line and column.
    public init(
        _ rows: LabelledRows, _ answers: ModelAnswers, as task: TaskDescription, threshold: Double? = nil
    ) throws(RoostError) {
        precondition(answers.count == rows.count)
        switch task.task {
        case .binary: self = .classes(try TwoClasses(rows, answers, task).observations(threshold))
        case .multiclass: self = .classes(try SeveralClasses(rows, answers, task).observations)
        case .regression:
            try Self.checkWidth(answers, "a regression")
            self = .numbers(
                NumberObservations(predictions: answers.predictions, truths: try rows.numbers("a number")))
        case .ranking: self = .rankings(try Self.rankings(rows, answers))
        }
    }

    private static func checkWidth(_ answers: ModelAnswers, _ what: String) throws(RoostError) {
        guard answers.width == 1 else {
            throw RoostError(.invalidArgument, "\(what) has one prediction for a row, this model has \(answers.width)")
        }
    }

    /// Rows of one group need not stand together.
    private static func rankings(
        _ rows: LabelledRows, _ answers: ModelAnswers
    ) throws(RoostError) -> RankingObservations {
        try checkWidth(answers, "a ranking")
        guard !rows.groups.isEmpty else {
            throw RoostError(
                .invalidArgument, "\(rows.file): a ranking needs the column that says which rows belong together")
        }
        let relevances = try rows.numbers("a relevance")
        var (places, members): ([String: Int], [[Int]]) = ([:], [])
        for (row, group) in rows.groups.enumerated() {
            if let place = places[group] {
                members[place].append(row)
            } else {
                places[group] = members.count
                members.append([row])
            }
        }
        return RankingObservations(
            groups: members.map { rows in
                .init(scores: rows.map { answers.predictions[$0] }, relevances: rows.map { relevances[$0] })
            })
    }
}

extension LabelledRows {
    /// The labels as numbers.
    fileprivate func numbers(_ what: String) throws(RoostError) -> [Double] {
        var numbers: [Double] = []
        for row in labels.indices {
            guard let number = Double(labels[row]), number.isFinite else { throw wrong(row, "is not \(what)") }
            numbers.append(number)
        }
        return numbers
    }

    /// The label of a row does not fit.
    func wrong(_ row: Int, _ what: String) -> RoostError {
        RoostError(
            .invalidArgument, "\(file): line \(lines[row]): column \"\(label)\": \"\(labels[row])\" \(what)")
    }

    /// A class as numbered labels have it: `1.0` is `1`.
    static func classNumber(_ text: String) -> String {
        if let number = Double(text), let whole = Int(exactly: number) { return "\(whole)" }
        switch text.lowercased() {
        case "true": return "1"
        case "false": return "0"
        default: return text
        }
    }
}
