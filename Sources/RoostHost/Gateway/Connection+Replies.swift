internal import RoostBasics
internal import RoostHTTP
internal import RoostLoop

/// Replies: the one that is next leaves at once; those of a pipeline leave together.
extension Connection {
    /// What is copied behind the head, to leave by one plain write, rather than gathered from two places.
    private static let joinedBytesMax = 4096

    /// Sends the reply whose head the server's writer holds. It answers the first request under way.
    func send(_ body: RawSpan, ending slot: Int) {
        server.counters.bytesSent += server.writer.count + body.byteCount
        advance(past: slot)
        let othersFollow = underWay > 0 || hasMoreInput && !closesAfterOutput
        if othersFollow || !output.isEmpty {
            Self.append(server.writer, body, to: &output)
            releaseHeld()
            if othersFollow { server.markDirty(self) } else { flush() }
            return
        }
        do throws(UVError) {
            if body.byteCount <= Self.joinedBytesMax {
                server.writer.append(body)
                try Self.write(server.writer, RawSpan(), to: stream)
            } else {
                try Self.write(server.writer, body, to: stream)
            }
        } catch {
            return breakOff()
        }
        afterOutput()
    }

    private func advance(past slot: Int) {
        firstSlot = server.exchanges[slot].next
        if firstSlot < 0 { lastSlot = -1 }
        if server.exchanges[slot].closes {
            closesAfterOutput = true
            lingersAfterOutput = server.exchanges[slot].lingers
        }
        underWay -= 1
        since = server.tick
        server.exchanges.free(slot)
    }

    /// Moves replies whose turn has come to the output.
    private func releaseHeld() {
        while firstSlot >= 0, server.exchanges[firstSlot].state == .held {
            if let reply = server.exchanges[firstSlot].reply {
                server.counters.bytesSent += reply.bytes.count
                Self.append(reply.bytes, to: &output)
            }
            advance(past: firstSlot)
        }
    }

    /// Sends what the turn has gathered.
    func flush() {
        guard mode != .closed, mode != .broken else { return }
        if !output.isEmpty {
            do throws(UVError) { try Self.write(output, to: stream) } catch { return breakOff() }
            output.removeAll()
        }
        afterOutput()
    }

    private func afterOutput() {
        if !readAhead.isEmpty, hasRoom { server.markDirty(self) }
        if owesContinue { sendContinueIfOwed() }
        if closesAfterOutput, underWay == 0, stream.unsentBytes == 0 { finish() }
    }

    /// Only when no reply stands before it.
    func sendContinueIfOwed() {
        guard owesContinue, underWay == 0, output.isEmpty else { return }
        owesContinue = false
        var line = ByteBuffer()
        line.append("HTTP/1.1 100 Continue\r\n\r\n")
        do throws(UVError) { try stream.write(line.bytes) } catch { breakOff() }
    }

    /// Writing failed. The rest waits for the end of the turn: the handler may be in the middle of a reply.
    private func breakOff() {
        mode = .broken
        output.removeAll()
        server.markDirty(self)
    }

    // The borrows that classes cannot lend.

    private static func write(_ writer: borrowing ReplyWriter, _ body: RawSpan, to stream: Stream) throws(UVError) {
        try stream.write(writer.bytes, body)
    }

    private static func write(_ bytes: borrowing ByteBuffer, to stream: Stream) throws(UVError) {
        try stream.write(bytes.bytes)
    }

    private static func append(_ writer: borrowing ReplyWriter, _ body: RawSpan, to output: inout ByteBuffer) {
        output.append(writer.bytes)
        output.append(body)
    }

    private static func append(_ bytes: borrowing ByteBuffer, to output: inout ByteBuffer) {
        output.append(bytes.bytes)
    }
}
