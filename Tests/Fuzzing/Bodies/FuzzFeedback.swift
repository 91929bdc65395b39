import RoostBasics
import RoostFeedback

/// The first byte chooses the format, the rest is the body of a call that brings labels.
func fuzzFeedback(_ input: [UInt8]) throws {
    var choices = Choices(input)
    let format: FeedbackBody.Format = [.json, .jsonLines, .csv][choices.number(below: 3)]
    let text = choices.rest
    guard let body = try? FeedbackBody(text, as: format) else { return }
    let count = body.items.count + body.problems.count
    try expect(count > 0 && count <= FeedbackBody.itemsMax, "\(count) labels")
    for item in body.items {
        try expect(!item.key.isEmpty && item.row >= 0 && item.place > 0, "no such item: \(item)")
        for kind in [LabelKind.number, .classNumber, .classText, .several] {
            guard let label = try? item.label.label(as: kind) else { continue }
            try expect(label.number?.isFinite ?? true, "a label that is no number: \(label)")
        }
    }
    for problem in body.problems { try expect(!problem.reason.isEmpty, "a problem without a word") }
}
