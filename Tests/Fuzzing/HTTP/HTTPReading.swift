import RoostBasics
import RoostHTTP

/// A request as a reader understood it.
struct HTTPMessage: Equatable {
    struct Field: Equatable {
        let name: String
        let value: String
    }

    /// As `HTTPMethod` has it: `get`, or `other`.
    var method = ""
    var path: [UInt8] = []
    var query: [UInt8] = []
    var host = ""
    var isHTTP11 = false
    var fields: [Field] = []
    /// Of complete messages only.
    var body: [UInt8] = []
    var isComplete = false

    /// All but the body.
    var head: HTTPMessage {
        var head = self
        (head.body, head.isComplete) = ([], false)
        return head
    }
}

/// What `RequestParser` makes of a connection.
struct HTTPReading: Equatable {
    var messages: [HTTPMessage] = []
    /// The status of the refusal that it ended with. Of several reasons for it, another may come first in pieces.
    var fault: Int?

    init(_ pieces: [[UInt8]]) throws {
        var parser = RequestParser()
        var body: [UInt8] = []
        for piece in pieces {
            var used = 0
            repeat {
                let span = piece.bytes.extracting(used..<piece.count)
                let step = parser.parse(span)
                try expect(step.consumed >= 0 && step.consumed <= span.byteCount, "it used more bytes than there are")
                if let fault = step.fault {
                    self.fault = fault.status
                    return
                }
                if step.hasHead {
                    messages.append(Self.message(parser.head))
                    body = []
                }
                for index in step.body { body.append(span[index]) }
                if step.isComplete {
                    try expect(!messages.isEmpty, "a message ended that never began")
                    messages[messages.count - 1].body = body
                    messages[messages.count - 1].isComplete = true
                }
                used += step.consumed
                if step.consumed == 0 && !step.hasHead { break }
            } while used < piece.count
        }
    }

    private static func message(_ head: borrowing RequestHead) -> HTTPMessage {
        var message = HTTPMessage()
        message.method = "\(head.method)"
        message.path.append(head.path)
        message.query.append(head.query)
        message.host = head.value(.host).text
        message.isHTTP11 = head.isHTTP11
        message.fields = head.fields.map { .init(name: $0.name, value: $0.value) }
        return message
    }
}
