import RoostBasics
import RoostHTTP

/// Reads `input` in pieces and tells what the parser made of it, in one line per message:
/// `POST /path?query 1.1 keep host=a body=hello`, ending in `400 reason` when it refuses.
func transcript(_ input: [UInt8], pieces: () -> Int) -> [String] {
    var parser = RequestParser()
    var lines: [String] = []
    var body: [UInt8] = []
    var position = 0
    while position < input.count {
        let piece = Array(input[position..<min(input.count, position + max(1, pieces()))])
        position += piece.count
        var used = 0
        repeat {
            let span = unsafe piece.span.bytes.extracting(used..<piece.count)
            let step = parser.parse(span)
            if let fault = step.fault { return lines + ["\(fault)"] }
            if step.hasHead {
                lines.append(describe(parser.head))
                body = []
            }
            for index in step.body { body.append(span[index]) }
            if step.isComplete, !body.isEmpty {
                lines[lines.count - 1] += " body=" + String(decoding: body, as: UTF8.self)
            }
            if step.isComplete { lines[lines.count - 1] += "." }
            used += step.consumed
            if step.consumed == 0 && !step.hasHead { break }
        } while used < piece.count
    }
    return lines
}

private func describe(_ head: borrowing RequestHead) -> String {
    var line = "\(head.method) \(head.path.text)"
    if !head.query.isEmpty { line += "?\(head.query.text)" }
    line += head.isHTTP11 ? " 1.1" : " 1.0"
    line += head.keepsAlive ? " keep" : " close"
    if head.has(.host) { line += " host=\(head.value(.host).text)" }
    return line
}

func whole(_ text: String) -> [String] { transcript(Array(text.utf8)) { .max } }
