import RoostBasics
import RoostChannel
import RoostWire

/// The first byte chooses what the host reads from a copy of bytes that an instance wrote. What is taken is written and
/// read again to the same.
func fuzzFrames(_ input: [UInt8]) throws {
    var choices = Choices(input)
    let kind = choices.number(below: 6)
    let bytes = choices.rest
    switch kind {
    case 0: try checkSummary(bytes)
    case 1:
        guard let comparison = Comparison(bytes.bytes) else { return }
        try expect(comparison.bytes == bytes, "a comparison is written otherwise")
    case 2:
        guard let parts = ComparisonBody.parts(bytes.bytes) else { return }
        let (request, reply) = (parts.request, parts.reply)
        let isWhole = request.lowerBound == ComparisonBody.prefixBytes && reply.upperBound == bytes.count
        try expect(isWhole && request.upperBound == reply.lowerBound, "parts: \(parts)")
    case 3:
        guard let plan = try? BulkPlan(decoding: bytes.bytes) else { return }
        try expect(try BulkPlan(decoding: plan.encode().bytes) == plan, "a plan is written otherwise")
    case 4: try checkReport(bytes)
    default:
        guard let reply = try? BulkReply(bytes.bytes) else { return }
        let size = reply.output.byteCount + reply.errors.byteCount + reply.report.byteCount + 32
        try expect(size == bytes.count && reply.rows >= 0 && reply.badRows >= 0, "\(size) of \(bytes.count) bytes")
    }
}

private func checkSummary(_ bytes: [UInt8]) throws {
    guard let first = ReplySummary(decoding: bytes.bytes) else { return }
    try expect(first.values.count == first.rows * first.width, "\(first.values.count) values")
    var written: [UInt8] = []
    first.encode(into: &written)
    // Texts that were no UTF-8 are repaired and cut; after that nothing changes any more.
    guard let second = ReplySummary(decoding: written.bytes) else {
        throw Broken(description: "what it wrote is refused")
    }
    var again: [UInt8] = []
    second.encode(into: &again)
    try expect(again == written && second.id == first.id && second.record == first.record, "it is written otherwise")
}

private func checkReport(_ bytes: [UInt8]) throws {
    guard let report = try? DataReport(decoding: bytes.bytes) else { return }
    try expect(report.distinctRows <= report.rows && report.duplicates <= report.rows, "more rows than there are")
    for index in report.columns.indices { _ = (report.mean(ofColumn: index), report.columns[index].sum) }
    var sum = DataReport()
    try sum.merge(report)
    try sum.merge(report)
    let written = sum.encode()
    try expect(try DataReport(decoding: written.bytes).encode() == written, "a report is written otherwise")
}
