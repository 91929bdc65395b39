import Dispatch
import class Foundation.Thread
import RoostBasics
import RoostLoop
import Synchronization

/// An HTTP server on a thread of its own. Each request, which ends with the word `end`, gets what `answer` says:
/// whole replies, or nil to hang up, or nothing at all.
final class Server: Sendable {
    private let mailbox: Mailbox<Void>.Sender
    let port: UInt16
    private let heard: Heard

    final class Heard: Sendable {
        let requests = Mutex<[String]>([])
    }

    /// What was sent so far.
    var requests: [String] { heard.requests.withLock { $0 } }

    init(answer: @escaping @Sendable (Int) -> String?) throws {
        let heard = Heard()
        self.heard = heard
        let ready = DispatchSemaphore(value: 0)
        let made = Mutex<(Mailbox<Void>.Sender, UInt16)?>(nil)
        Thread.detachNewThread {
            defer { ready.signal() }
            guard let loop = try? Loop() else { return }
            var streams: [Stream] = []
            let conversation = Conversation(heard, answer)
            guard
                let listener = try? Listener(
                    at: .tcp(host: "127.0.0.1", port: 0), on: loop,
                    onConnection: { stream in
                        streams.append(stream)
                        try? stream.startReading(conversation)
                    })
            else { return }
            var mailbox: Mailbox<Void>?
            mailbox = try? Mailbox<Void>(on: loop) {
                listener.close()
                for stream in streams { stream.close() }
                streams = []
                mailbox?.close()
            }
            guard let sender = mailbox?.sender else { return }
            made.withLock { $0 = (sender, listener.port) }
            ready.signal()
            loop.run()
        }
        ready.wait()
        guard let (sender, port) = made.withLock({ $0 }) else { throw RoostError(.system, "no server") }
        (mailbox, self.port) = (sender, port)
    }

    deinit { mailbox.send(()) }
}

private final class Conversation: StreamDelegate {
    private let heard: Server.Heard
    private let answer: (Int) -> String?
    private var partial: [ObjectIdentifier: String] = [:]
    private var count = 0

    init(_ heard: Server.Heard, _ answer: @escaping (Int) -> String?) {
        (self.heard, self.answer) = (heard, answer)
    }

    func stream(_ stream: Stream, didRead bytes: RawSpan) {
        let text = partial.removeValue(forKey: ObjectIdentifier(stream), default: "") + bytes.text
        guard text.hasSuffix("end\"]]") else { return partial[ObjectIdentifier(stream)] = text }
        heard.requests.withLock { $0.append(text) }
        let reply = answer(count)
        count += 1
        guard let reply else { return stream.close() }
        try? stream.write(Array(reply.utf8).bytes)
    }

    func streamDidEnd(_ stream: Stream, error: UVError?) { stream.close() }
    func streamDidDrain(_ stream: Stream, error: UVError?) {}
}

extension [ObjectIdentifier: String] {
    fileprivate mutating func removeValue(forKey key: ObjectIdentifier, default value: String) -> String {
        removeValue(forKey: key) ?? value
    }
}
