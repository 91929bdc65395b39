import Foundation
import RoostBasics
import RoostChannel
import RoostEvaluation
import RoostFeedback
import Testing

@testable import RoostHost

/// A store in a folder of its own, which goes with it.
private final class Home {
    let folder = FileManager.default.temporaryDirectory.appending(path: "records-\(UUID().uuidString)").path
    var path: String { "\(folder)/records.db" }

    init() throws { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) }
    deinit { try? FileManager.default.removeItem(atPath: folder) }
}

/// 2026-11-21, a whole minute, in microseconds since 1970.
private let noon: Int64 = 1_795_262_400_000_000

private func prediction(
    _ key: String, version: String = "1", function: String = "credit", at seconds: Int64 = 0,
    values: [[Double]] = [[0.5]],
    labels: ReplySummary.Labels? = nil
) throws -> RecordedPrediction {
    var summary = ReplySummary()
    summary.rows = values.count
    (summary.width, summary.rowElements) = (values[0].count, values[0].count)
    summary.values = values.flatMap(\.self)
    summary.labels = labels ?? .numbers(values.map { $0[0] >= 0.5 ? 1 : 0 })
    return try #require(
        RecordedPrediction(summary, function: function, version: version, key: key, at: noon + seconds * 1_000_000))
}

private func body(_ labels: [(String, Int, String)]) throws -> FeedbackBody {
    let lines = labels.map { #"{"id":"\#($0.0)","row":\#($0.1),"label":\#($0.2)}"# }
    return try FeedbackBody(Array(lines.joined(separator: "\n").utf8), as: .jsonLines)
}

@Suite struct PredictionStoreTests {
    @Test func aLabelFindsItsRowAndASecondReplacesTheFirst() throws {
        let home = try Home()
        let store = try PredictionStore(path: home.path)
        try store.add([
            try prediction("a", values: [[0.9], [0.2]]), try prediction("b"),
            try prediction("a", function: "other"),
        ])
        let first = try store.join(try body([("a", 1, "0"), ("b", 0, "1"), ("a", 0, "1")]), to: "credit", at: noon + 9)
        #expect(first.joined == 3 && first.replaced.isEmpty && first.unknown == 0 && first.problems.isEmpty)
        let again = try store.join(try body([("a", 1, "0"), ("b", 0, "0")]), to: "credit", at: noon + 10)
        #expect(again.joined == 1, "the same label once more changes nothing")
        #expect(
            again.replaced == [
                ReplacedLabel(version: "1", key: "b", row: 0, before: .number(1), after: .number(0))
            ])
        let quality = try #require(try store.quality(of: "credit", since: [0]).first?.first)
        #expect(quality.coverage.recorded == 3 && quality.coverage.labelled == 3 && quality.count == 3)
        #expect(try store.quality(of: "other", since: [0]).first?.first?.coverage.labelled == 0)
    }

    @Test func unknownIdsAndRowsAndWrongTypesAreEachNamed() throws {
        let home = try Home()
        let store = try PredictionStore(path: home.path)
        try store.add([
            try prediction("a"), try prediction("t", labels: .texts(["good"])),
            try prediction("r", labels: ReplySummary.Labels.none),
            try prediction("s", values: [[1, 2]], labels: ReplySummary.Labels.none),
        ])
        let sent = try body([
            ("nobody", 0, "1"), ("a", 1, "1"), ("a", 0, "\"yes\""), ("t", 0, "1"), ("r", 0, "2.5"), ("s", 0, "1"),
        ])
        let outcome = try store.join(sent, to: "credit", at: noon)
        #expect(outcome.joined == 1 && outcome.unknown == 2 && outcome.refused == 3)
        let words = [
            "no recorded prediction has this id", "row 1, but 1 rows", "the number of a class, got \"yes\"",
            "the name of a class, as text, got 1", "it takes no label",
        ]
        #expect(outcome.problems.map(\.place) == [1, 2, 3, 4, 6])
        for (problem, words) in zip(outcome.problems, words) { #expect(problem.reason.contains(words)) }
        #expect(try store.join(try body([("a", 0, "1")]), to: "nix", at: noon).unknown == 1)
    }

    @Test func theNewestOfAKeyGetsTheLabel() throws {
        let home = try Home()
        let store = try PredictionStore(path: home.path)
        try store.add([try prediction("same", version: "1"), try prediction("same", version: "2")])
        _ = try store.join(try body([("same", 0, "1")]), to: "credit", at: noon)
        let versions = try store.quality(of: "credit", since: [0])[0]
        #expect(versions.map(\.version.description) == ["2", "1"])
        #expect(versions.map(\.coverage.labelled) == [1, 0])
    }

    @Test func everythingIsThereAfterAReopening() throws {
        let home = try Home()
        try PredictionStore(path: home.path).add([try prediction("a", labels: .texts(["good \u{0}é"]))])
        let store = try PredictionStore(path: home.path)
        // The clock has gone back an hour: order and uniqueness hold all the same.
        try store.add([try prediction("b", at: -3600, labels: .texts(["bad"]))])
        let outcome = try store.join(
            try body([("a", 0, "\"good é\""), ("b", 0, "\"good é\"")]), to: "credit", at: noon)
        #expect(outcome.joined == 2)
        let quality = try store.quality(of: "credit", since: [noon])[0]
        #expect(quality.first?.figures.first { $0.metric == .accuracy }?.value == 0.5)
    }

    @Test func periodsBeginWithAWholeMinute() throws {
        let home = try Home()
        let store = try PredictionStore(path: home.path)
        try store.add(try (0..<10).map { try prediction("\($0)", at: Int64($0) * 30) })
        _ = try store.join(try body((0..<10).map { ("\($0)", 0, "1") }), to: "credit", at: noon + 400_000_000)
        let starts = [0, noon, noon + 1, noon + 60_000_000, noon + 10_000_000_000]
        let found = try store.quality(of: "credit", since: starts)
        #expect(found.map { $0.first?.coverage.recorded ?? 0 } == [10, 10, 8, 8, 0])
        #expect(found.map { $0.first?.count ?? 0 } == [10, 10, 8, 8, 0])
        #expect(found[0][0].coverage.medianDelay == .seconds(250))
    }

    @Test func theOldestGoFirstByAgeAndBySize() throws {
        let home = try Home()
        let store = try PredictionStore(path: home.path)
        try store.add(try (0..<1000).map { try prediction("key-\($0)", at: Int64($0)) })
        _ = try store.join(try body((0..<1000).map { ("key-\($0)", 0, "1") }), to: "credit", at: noon)
        #expect(try !store.trim("credit", keepingSince: noon + 400 * 1_000_000, sizeMax: .max))
        #expect(
            try store.quality(of: "credit", since: [0])[0][0].coverage
                == Coverage(recorded: 600, labelled: 600, medianDelay: .zero))
        let number = try #require(store.number(of: "credit"))
        let size = try #require(store.sizes[number])
        #expect(try !store.trim("credit", keepingSince: 0, sizeMax: size / 2))
        let half = try store.quality(of: "credit", since: [0])[0][0].coverage
        #expect((295...300).contains(half.recorded) && half.labelled == half.recorded)
        #expect((store.sizes[number] ?? .max) <= size / 2)
        #expect(
            try store.join(try body([("key-0", 0, "1"), ("key-999", 0, "0")]), to: "credit", at: noon).unknown == 1)
        #expect(try !store.trim("credit", keepingSince: .max, sizeMax: 0))
        #expect(try store.quality(of: "credit", since: [0])[0].isEmpty && store.sizes[number] == 0)
        #expect(try PredictionStore(path: home.path).sizes[number] ?? 0 == 0)
    }

    @Test func sizeIsKeptToWhileWriting() throws {
        let home = try Home()
        let store = try PredictionStore(path: home.path)
        for round in 0..<40 as Range<Int64> {
            try store.add(try (0..<100).map { try prediction("\(round)-\($0)", at: round) })
            try store.trimExcess("credit", sizeMax: 100_000)
            let number = try #require(store.number(of: "credit"))
            #expect((store.sizes[number] ?? 0) <= 106_250)
        }
        let kept = try store.quality(of: "credit", since: [0])[0][0].coverage.recorded
        #expect((900...1200).contains(kept), "\(kept)")
        #expect(try PredictionStore(path: home.path).labelledAtStart.isEmpty)
    }

    @Test func removingTakesSeveralCallsWhenThereIsMuch() throws {
        let home = try Home()
        let store = try PredictionStore(path: home.path)
        let count = PredictionStore.removedMax + 10
        try store.add(try (0..<count).map { try prediction("\($0)") })
        #expect(try store.trim("credit", keepingSince: .max, sizeMax: 0))
        #expect(try store.quality(of: "credit", since: [0])[0][0].coverage.recorded == 10)
        #expect(try !store.trim("credit", keepingSince: .max, sizeMax: 0))
    }

    @Test func valuesAndClassesKeepTheirBits() throws {
        let values = [[0.1, -1e300], [1e-300, .nan], [-0.0, 3]]
        let recorded = try prediction("a", values: values, labels: .numbers([.max, -1, 0]))
        for row in 0..<3 {
            let read = RecordedPrediction.values(recorded.valueBytes, row: row, width: 2)
            #expect(read.map(\.bitPattern) == values[row].map(\.bitPattern))
        }
        #expect(RecordedPrediction.decision(recorded.classBytes, row: 1, .classNumber) == .number(-1))
        #expect(RecordedPrediction.decision(recorded.classBytes, row: 3, .classNumber) == nil)
        let named = try prediction("a", values: values, labels: .texts(["a", "", "c d"]))
        #expect(
            (0..<4).map { RecordedPrediction.decision(named.classBytes, row: $0, .classText) }
                == [.text("a"), .text(""), .text("c d"), nil])
    }
}
