internal import RoostBasics

/// Answers of a binary model beside labels, with the classes' names found out.
struct TwoClasses {
    private let rows: LabelledRows
    private let answers: ModelAnswers
    /// The model's score is that of the second.
    private let names: (first: String, second: String)
    /// Whether the positive class is the one whose score the model gives.
    private let isSecondPositive: Bool
    /// Whether labels are numbers, which may be written in several ways.
    private let areNumbers: Bool

    init(_ rows: LabelledRows, _ answers: ModelAnswers, _ task: TaskDescription) throws(RoostError) {
        guard answers.width <= 2 else {
            throw RoostError(.invalidArgument, "a binary model has one or two scores for a row, not \(answers.width)")
        }
        self.rows = rows
        self.answers = answers
        areNumbers = task.classes.isEmpty && (answers.labels.isEmpty || answers.hasNumberedLabels)
        if task.classes.count == 2 {
            names = (task.classes[0], task.classes[1])
        } else if areNumbers {
            names = ("0", "1")
        } else {
            names = try Self.learned(rows, answers)
        }
        guard let positive = task.positive else {
            isSecondPositive = true
            return
        }
        guard [names.first, names.second].contains(positive) else {
            throw RoostError(
                .invalidArgument,
                "the positive class \"\(positive)\" is neither \"\(names.first)\" nor \"\(names.second)\"")
        }
        isSecondPositive = positive == names.second
    }

    /// The label of the row whose score says most clearly which of the two it is.
    private static func learned(
        _ rows: LabelledRows, _ answers: ModelAnswers
    ) throws(RoostError) -> (first: String, second: String) {
        var seen: [String] = []
        for name in answers.labels + rows.labels where !seen.contains(name) {
            seen.append(name)
            guard seen.count <= 2 else { break }
        }
        let clearest = answers.labels.indices.max { Self.clarity($0, answers) < Self.clarity($1, answers) } ?? 0
        let label = answers.labels[clearest]
        guard seen.count <= 2 else {
            let strange = rows.labels.firstIndex { !seen.prefix(2).contains($0) } ?? 0
            throw rows.wrong(strange, "is a third class beside \"\(seen[0])\" and \"\(seen[1])\"")
        }
        let other = seen.first { $0 != label } ?? "not \(label)"
        return (Self.score(clearest, answers) >= 0.5) ? (other, label) : (label, other)
    }

    private static func score(_ row: Int, _ answers: ModelAnswers) -> Double { answers.row(row).last ?? .nan }

    private static func clarity(_ row: Int, _ answers: ModelAnswers) -> Double {
        let distance = abs(score(row, answers) - 0.5)
        return distance.isNaN ? -1 : distance
    }

    func observations(_ threshold: Double?) throws(RoostError) -> ClassObservations {
        var (scores, truths, decisions): ([Double], [Bool], [Bool]) = ([], [], [])
        for row in 0..<rows.count {
            let score = Self.score(row, answers)
            scores.append(isSecondPositive ? score : 1 - score)
            truths.append(try isSecond(rows.labels[row], row) == isSecondPositive)
            let isSecondDecided =
                if answers.labels.isEmpty || threshold != nil {
                    score >= threshold ?? 0.5
                } else {
                    try isSecond(answers.labels[row], row)
                }
            decisions.append(isSecondDecided == isSecondPositive)
        }
        var observations = ClassObservations(scores: scores, truths: truths, decisions: decisions)
        observations.names = isSecondPositive ? [names.first, names.second] : [names.second, names.first]
        return observations
    }

    private func isSecond(_ label: String, _ row: Int) throws(RoostError) -> Bool {
        let name = areNumbers ? LabelledRows.classNumber(label) : label
        if name == names.second { return true }
        guard name == names.first else {
            throw rows.wrong(row, "is none of the model's classes \"\(names.first)\" and \"\(names.second)\"")
        }
        return false
    }
}

/// Answers of a model with several classes beside labels, with the classes' names found out.
struct SeveralClasses {
    let observations: ClassObservations

    init(_ rows: LabelledRows, _ answers: ModelAnswers, _ task: TaskDescription) throws(RoostError) {
        let areNumbers = task.classes.isEmpty && (answers.labels.isEmpty || answers.hasNumberedLabels)
        let places = try Self.places(rows, answers, task, areNumbers)
        var truths: [Int] = []
        for row in 0..<rows.count {
            let name = areNumbers ? LabelledRows.classNumber(rows.labels[row]) : rows.labels[row]
            guard let place = places[name] else {
                let known = places.sorted { $0.value < $1.value }.map(\.key).joined(separator: ", ")
                throw rows.wrong(row, "is none of the model's classes (\(known))")
            }
            truths.append(place)
        }
        var observations =
            if answers.width > 1 {
                ClassObservations(
                    classCount: answers.width, scores: answers.predictions, truths: truths,
                    decisions: answers.labels.isEmpty ? nil : answers.labels.map { places[$0] ?? 0 })
            } else {
                // The class itself is predicted, without a probability for each.
                ClassObservations(
                    classCount: places.count, scores: [], truths: truths,
                    decisions: Self.decided(answers).map { places[$0] ?? 0 })
            }
        for (name, place) in places { observations.names[place] = name }
        self.observations = observations
    }

    /// The decision of each row where classes are predicted themselves.
    private static func decided(_ answers: ModelAnswers) -> [String] {
        guard answers.labels.isEmpty else { return answers.labels }
        return answers.predictions.map { "\(Int(exactly: $0) ?? -1)" }
    }

    /// Each class's place among the probabilities.
    private static func places(
        _ rows: LabelledRows, _ answers: ModelAnswers, _ task: TaskDescription, _ areNumbers: Bool
    ) throws(RoostError) -> [String: Int] {
        if !task.classes.isEmpty {
            guard answers.width == 1 || task.classes.count == answers.width else {
                throw RoostError(
                    .invalidArgument, "\(task.classes.count) classes are named, the model has \(answers.width)")
            }
            return numbered(task.classes)
        }
        if answers.width == 1 {
            let truths = areNumbers ? rows.labels.map(LabelledRows.classNumber) : rows.labels
            return numbered(Set(decided(answers) + truths).sorted())
        }
        if areNumbers { return numbered((0..<answers.width).map { "\($0)" }) }
        return try learned(rows, answers)
    }

    private static func numbered(_ names: [String]) -> [String: Int] {
        Dictionary(zip(names, 0...)) { first, _ in first }
    }

    /// From the place of the highest probability in rows with that label. One class that is never decided for can be
    /// told by what is left over.
    private static func learned(
        _ rows: LabelledRows, _ answers: ModelAnswers
    ) throws(RoostError) -> [String: Int] {
        var places: [String: Int] = [:]
        for (row, label) in answers.labels.enumerated() where places[label] == nil {
            let scores = answers.row(row)
            places[label] = (scores.indices.max { scores[$0] < scores[$1] } ?? scores.startIndex) - scores.startIndex
        }
        let open = (0..<answers.width).filter { place in !places.values.contains(place) }
        let unknown = Set(rows.labels).filter { places[$0] == nil }
        if open.count == 1, unknown.count == 1, let name = unknown.first { places[name] = open[0] }
        if let name = unknown.sorted().first, places[name] == nil, let row = rows.labels.firstIndex(of: name) {
            throw rows.wrong(
                row, "is a class that the model never decides for here: name all its classes in order, in its card")
        }
        return places
    }
}
