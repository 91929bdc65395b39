internal import RoostBasics
internal import RoostEvaluation
internal import RoostTensors
internal import Testing

struct ReadingTests {
    static func answers(_ replies: String..., rows: Int) throws(RoostError) -> ModelAnswers {
        var answers = ModelAnswers()
        for reply in replies { try answers.append(reply: Array(reply.utf8), rows: rows) }
        return answers
    }

    static func rows(_ labels: String...) throws(RoostError) -> LabelledRows {
        try LabelledRowsTests.rows("a,y\n" + labels.map { "1,\($0)\n" }.joined())
    }

    static func classes(
        _ rows: LabelledRows, _ answers: ModelAnswers, _ task: TaskDescription, threshold: Double? = nil
    ) throws -> ClassObservations {
        guard case .classes(let classes) = try Observations(rows, answers, as: task, threshold: threshold) else {
            throw RoostError(.invalidArgument, "no classes")
        }
        return classes
    }

    @Test func repliesAreCollected() throws {
        let answers = try Self.answers(
            #"{"predictions": [0.5, null], "label": [1, 0], "version": "3"}"#,
            #"{"predictions": [1, 2], "label": [0, 1]}"#, rows: 2)
        #expect(answers.count == 4 && answers.width == 1 && answers.labels == ["1", "0", "0", "1"])
        #expect(answers.predictions[0] == 0.5 && answers.predictions[1].isNaN && answers.hasNumberedLabels)
        let wide = try Self.answers(#"{"predictions": [[0.5, 0.25], [0, 1]]}"#, rows: 2)
        #expect(wide.width == 2 && wide.row(1) == [0, 1] && wide.labels.isEmpty)
    }

    @Test(arguments: [
        "{", "[]", "{}", #"{"predictions": [1]}"#, #"{"predictions": [1, "x"]}"#, #"{"predictions": [[1], [1, 2]]}"#,
        #"{"predictions": [1, 2], "label": [1]}"#, #"{"predictions": [1, 2], "label": [1, 0.5]}"#,
        #"{"predictions": [[], []]}"#,
    ])
    func otherFormsAreRefused(reply: String) {
        #expect(throws: RoostError.self) { try Self.answers(reply, rows: 2) }
    }

    @Test(arguments: [
        ([-1], true, ModelTask.binary), ([-1, 1], true, .binary), ([-1, 3], true, .multiclass),
        ([-1], false, .regression),
    ])
    func outputsShowTheTask(shape: [Int], hasLabel: Bool, task: ModelTask) throws {
        let label = [TensorSpec(name: "label", dtype: .int64, shape: [-1])]
        let outputs = [TensorSpec(name: "predictions", dtype: .float32, shape: shape)] + (hasLabel ? label : [])
        #expect(try TaskDescription(of: Signature(inputs: [], outputs: outputs)).task == task)
    }

    @Test func severalNumbersWithoutLabelLeaveTheTaskOpen() {
        let outputs = [TensorSpec(name: "predictions", dtype: .float32, shape: [-1, 3])]
        #expect(throws: RoostError.self) { try TaskDescription(of: Signature(inputs: [], outputs: outputs)) }
    }

    @Test func numberedLabelsMayBeWrittenInManyWays() throws {
        let answers = try Self.answers(#"{"predictions": [0.9, 0.1, 0.2, 0.8], "label": [1, 0, 0, 1]}"#, rows: 4)
        let found = try Self.classes(try Self.rows("1.0", "false", "0", "True"), answers, TaskDescription(.binary))
        #expect(found.truths == [1, 0, 0, 1] && found.decisions == [1, 0, 0, 1])
    }

    @Test func namesOfTwoClassesAreLearnedFromTheClearestAnswer() throws {
        let answers = try Self.answers(#"{"predictions": [0.55, 0.1, 0.6], "label": ["b", "a", "b"]}"#, rows: 3)
        let found = try Self.classes(try Self.rows("b", "a", "a"), answers, TaskDescription(.binary))
        #expect(found.names == ["a", "b"] && found.truths == [1, 0, 0] && found.decisions == [1, 0, 1])
        // Always the same decision: the other name is the data's.
        let single = try Self.answers(#"{"predictions": [0.2, 0.3], "label": ["a", "a"]}"#, rows: 2)
        let learned = try Self.classes(try Self.rows("b", "a"), single, TaskDescription(.binary))
        #expect(learned.names == ["a", "b"] && learned.truths == [1, 0] && learned.decisions == [0, 0])
    }

    @Test func thePositiveClassMayBeTheFirst() throws {
        let answers = try Self.answers(#"{"predictions": [0.75, 0.25], "label": [1, 0]}"#, rows: 2)
        let task = TaskDescription(.binary, classes: ["no", "yes"], positive: "no")
        var named = answers
        named = try Self.answers(#"{"predictions": [0.75, 0.25], "label": ["yes", "no"]}"#, rows: 2)
        let found = try Self.classes(try Self.rows("yes", "no"), named, task)
        #expect(found.scores == [0.25, 0.75] && found.truths == [0, 1] && found.decisions == [0, 1])
        #expect(found.names == ["yes", "no"])
    }

    @Test func aThresholdDecidesInsteadOfTheModel() throws {
        let answers = try Self.answers(#"{"predictions": [0.3, 0.6, 0.8], "label": [0, 1, 1]}"#, rows: 3)
        let rows = try Self.rows("1", "1", "1")
        #expect(try Self.classes(rows, answers, TaskDescription(.binary), threshold: 0.6).decisions == [0, 1, 1])
        #expect(try Self.classes(rows, answers, TaskDescription(.binary), threshold: 0.7).decisions == [0, 0, 1])
    }

    @Test func placesOfSeveralClassesAreLearned() throws {
        let answers = try Self.answers(
            #"{"predictions": [[0.1, 0.2, 0.7], [0.6, 0.3, 0.1]], "label": ["z", "x"]}"#, rows: 2)
        let found = try Self.classes(try Self.rows("y", "x"), answers, TaskDescription(.multiclass))
        #expect(found.names == ["x", "y", "z"] && found.truths == [1, 0] && found.decisions == [2, 0])
        // Two that were never decided for cannot be told apart.
        let error = try #require(throws: RoostError.self) {
            let one = try Self.answers(#"{"predictions": [[0.1, 0.9, 0], [0, 1, 0]], "label": ["y", "y"]}"#, rows: 2)
            return try Self.classes(try Self.rows("x", "z"), one, TaskDescription(.multiclass))
        }
        #expect(
            error.message.contains("t.csv: line 2: column \"y\": \"x\" is a class that the model never decides for"))
    }

    @Test func classesThatArePredictedThemselvesHaveNoScores() throws {
        let answers = try Self.answers(#"{"predictions": [2, 0, 1], "label": [2, 0, 1]}"#, rows: 3)
        let found = try Self.classes(try Self.rows("2", "1", "1"), answers, TaskDescription(.multiclass))
        #expect(found.scores.isEmpty && found.truths == [2, 1, 1] && found.decisions == [2, 0, 1])
    }

    @Test(arguments: [
        (TaskDescription(.binary), "2", "is none of the model's classes \"0\" and \"1\""),
        (TaskDescription(.regression), "much", "is not a number"),
        (TaskDescription(.regression), "inf", "is not a number"),
        (TaskDescription(.binary, classes: ["a", "b"]), "c", "is none of the model's classes"),
    ])
    func labelsThatCannotBeAreNamed(task: TaskDescription, label: String, words: String) throws {
        let answers = try Self.answers(#"{"predictions": [0.5]}"#, rows: 1)
        let error = try #require(throws: RoostError.self) {
            try Observations(try Self.rows(label), answers, as: task)
        }
        #expect(error.message == "t.csv: line 2: column \"y\": \"\(label)\" \(words)" || error.message.contains(words))
        #expect(error.message.hasPrefix("t.csv: line 2: column \"y\": \"\(label)\""))
    }

    @Test func rowsOfAGroupNeedNotStandTogether() throws {
        let rows = try LabelledRowsTests.rows("a,y,q\n1,3,g\n1,0,h\n1,0,g\n1,1,h\n", group: "q")
        let answers = try Self.answers(#"{"predictions": [0.9, 0.1, 0.5, 0.7]}"#, rows: 4)
        let found = try Observations(rows, answers, as: TaskDescription(.ranking))
        #expect(
            found
                == .rankings(
                    RankingObservations(groups: [
                        .init(scores: [0.9, 0.5], relevances: [3, 0]), .init(scores: [0.1, 0.7], relevances: [0, 1]),
                    ])))
    }
}
