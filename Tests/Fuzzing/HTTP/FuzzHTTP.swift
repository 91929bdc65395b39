/// The input is what a connection brings. However it is cut, the same must be read; and what is accepted must be what a
/// strict reader accepts, with the same meaning: else two servers in a row could see different requests.
func fuzzHTTP(_ input: [UInt8]) throws {
    let whole = try HTTPReading([input])
    var chance = input.chance
    for most in [1, 7, 300] {
        let cut = try HTTPReading(input.pieces(most, &chance))
        try expect(cut == whole, "in pieces up to \(most): \(cut), whole: \(whole)")
    }
    let strict = StrictHTTP(input)
    for (index, message) in whole.messages.enumerated() {
        guard index < strict.messages.count else {
            throw Broken(description: "accepted: \(message); a strict reader stops: \(String(describing: strict.stop))")
        }
        let meant = strict.messages[index]
        if message.isComplete {
            try expect(
                message == meant, "read: \(message); a strict reader: \(meant), \(String(describing: strict.stop))")
        } else {
            try expect(message.head == meant.head, "read: \(message.head); a strict reader: \(meant.head)")
            try expect(!meant.isComplete || whole.fault != nil, "a body ends for a strict reader only: \(meant)")
        }
    }
    try expect(
        whole.fault != nil || whole.messages.count == strict.messages.count,
        "\(whole.messages.count) requests, a strict reader: \(strict.messages.count)")
}
