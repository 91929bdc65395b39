import RoostBasics
import RoostCompression

/// The input is a compressed file, and a file to be compressed. In pieces it gives what it gives as a whole; what is
/// written is read again.
func fuzzGzip(_ input: [UInt8]) throws {
    var chance = input.chance
    let whole = decoded([input], limit: 1 << 16)
    for most in [1, 50] {
        let parts = decoded(input.pieces(most, &chance), limit: Int.random(in: 1...5000, using: &chance))
        try expect(parts == whole, "in pieces: \(parts?.count ?? -1) bytes, whole: \(whole?.count ?? -1)")
    }
    let member = try GzipMember.encode(input)
    try expect(decoded([member, member], limit: 1 << 20) == input + input, "what it wrote is read otherwise")
}

/// Nil when it is damaged or cut off. What is more than a MiB is not looked at.
private func decoded(_ pieces: [[UInt8]], limit: Int) -> [UInt8]? {
    guard let decoder = try? GzipDecoder() else { return nil }
    var output: [UInt8] = []
    for piece in pieces {
        var used = 0
        while true {
            let before = output.count
            let rest = piece.bytes.extracting(used..<piece.count)
            guard let count = try? decoder.decode(rest, into: &output, limit: limit) else { return nil }
            used += count
            if output.count > 1 << 20 { return [] }
            // With the limit reached there may be more.
            if output.count - before < limit { break }
        }
        if used < piece.count { return nil }
    }
    return (try? decoder.finish()) == nil ? nil : output
}
