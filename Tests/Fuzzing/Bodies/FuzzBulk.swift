import RoostBasics
import RoostWire

/// The first bytes choose a model and a plan, the rest is a file. In chunks it gives what it gives as a whole, byte by
/// byte, and every record is scored or refused.
func fuzzBulk(_ input: [UInt8]) throws {
    var choices = Choices(input)
    let signature = Signatures.all[choices.number(below: Signatures.all.count)]
    let plan = bulkPlan(choices.byte())
    let file = choices.rest
    var whole: Result<BulkModel.Scored, any Error> = .failure(Broken(description: "not run"))
    for size in [1 << 20, 1, 50] {
        let model = try BulkModel(signature, plan)
        let scored: Result<BulkModel.Scored, any Error>
        do { scored = .success(try model.scoreFile(file, chunkBytes: size)) } catch let error as RoostError {
            scored = .failure(error)
        }
        if size == 1 << 20 { whole = scored }
        switch (scored, whole) {
        case (.success(let part), .success(let all)):
            try expect(part == all, "chunks of \(size): \(part), whole: \(all)")
        case (.failure, .failure): break
        case (.success, .failure(let error)): throw Broken(description: "refused as a whole only: \(error)")
        case (.failure(let error), .success): throw Broken(description: "refused in chunks of \(size) only: \(error)")
        }
    }
    // Straight to an instance, as if no host had looked at it.
    let model = try BulkModel(signature, plan)
    model.plan.hasHeader = true
    model.plan.columns = ["id", "f0", "f1", "f2", "note"]
    do { _ = try model.score(file) } catch is RoostError {}
}

/// Each bit says something else.
private func bulkPlan(_ bits: UInt8) -> BulkPlan {
    var plan = BulkPlan(input: bits & 1 == 0 ? .csv : .jsonLines, output: bits & 2 == 0 ? .csv : .jsonLines)
    plan.passThrough = bits & 4 == 0 ? .none : bits & 8 == 0 ? .named(["note"]) : .all
    plan.ids = bits & 16 == 0 ? [] : ["id"]
    plan.delimiter = bits & 32 == 0 ? UInt8(ascii: ",") : UInt8(ascii: ";")
    plan.wantsProbabilities = bits & 64 != 0
    return plan
}
