internal import RoostBasics
internal import RoostClient
internal import RoostLoad
internal import RoostLoop

/// What a connection tells the generator.
protocol LoadConnectionOwner: AnyObject {
    func connected(_ slot: Int)
    func replied(_ slot: Int, _ reply: Reply)
    func lost(_ slot: Int, because reason: String)
}

/// One connection that carries one request at a time.
final class LoadConnection: StreamDelegate {
    private let slot: Int
    private var stream: Stream?
    private var reader = ReplyReader()
    private weak var owner: (any LoadConnectionOwner)?

    /// Begins to connect; the owner hears of it, in a later turn.
    init(_ slot: Int, to place: ListeningPlace, on loop: Loop, owner: any LoadConnectionOwner) throws(UVError) {
        (self.slot, self.owner) = (slot, owner)
        stream = try Stream(connectingTo: place, on: loop) { [weak self] error in self?.didConnect(error) }
    }

    private func didConnect(_ error: UVError?) {
        guard let stream else { return }
        if let error { return lose("\(error)") }
        do throws(UVError) {
            try stream.sendWithoutDelay()
            try stream.startReading(self)
            owner?.connected(slot)
        } catch {
            lose("\(error)")
        }
    }

    /// Sends a whole request. Throws when the connection is broken; it is then still to be closed.
    func send(_ request: borrowing ByteBuffer) throws(UVError) { try stream?.write(request.bytes) }

    /// The owner hears nothing more.
    func close() {
        stream?.close()
        stream = nil
    }

    func stream(_ stream: Stream, didRead bytes: RawSpan) {
        guard self.stream != nil else { return }
        reader.append(bytes)
        do throws(RoostError) {
            guard try reader.next() else { return }
            owner?.replied(slot, Self.reply(in: reader))
        } catch {
            lose("\(error)")
        }
    }

    func streamDidEnd(_ stream: Stream, error: UVError?) {
        guard self.stream != nil else { return }
        if error == nil, reader.endOfStream() {
            owner?.replied(slot, Self.reply(in: reader))
        } else {
            let missing = reader.isBetweenReplies ? "without an answer" : "in the middle of an answer"
            lose(error.map { "\($0)" } ?? "the host closed the connection \(missing)")
        }
    }

    func streamDidDrain(_ stream: Stream, error: UVError?) {
        if let error, self.stream != nil { lose("\(error)") }
    }

    private func lose(_ reason: String) {
        close()
        owner?.lost(slot, because: reason)
    }

    private static func reply(in reader: borrowing ReplyReader) -> Reply {
        var reply = Reply(
            status: reader.status, version: reader.value(of: "roost-version").text,
            timing: PhaseTimes(reader.value(of: "server-timing")), keepsConnection: reader.keepsConnection)
        if !(200..<300).contains(reply.status) { reply.message = reader.body.text }
        return reply
    }
}
