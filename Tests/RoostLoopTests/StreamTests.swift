import class Foundation.Thread
import Glibc
import RoostBasics
import RoostLoop
import Testing

/// Records what a stream says; closes its stream at the end.
private final class Recorder: StreamDelegate {
    var received = 0
    var ended = 0
    var drained: [UVError?] = []
    var failure: UVError?
    var onRead: (Stream) -> Void = { _ in }
    var onDrain: (Stream) -> Void = { _ in }

    func stream(_ stream: Stream, didRead bytes: RawSpan) {
        received += bytes.byteCount
        onRead(stream)
    }
    func streamDidEnd(_ stream: Stream, error: UVError?) {
        ended += 1
        failure = error
        stream.close()
    }
    func streamDidDrain(_ stream: Stream, error: UVError?) {
        drained.append(error)
        onDrain(stream)
    }
}

extension Stream {
    fileprivate func write(_ bytes: [UInt8]) throws(UVError) { unsafe try write(bytes.span.bytes) }
}

@Suite struct StreamTests {
    private func socketPair() -> (Int32, Int32) {
        var ends: [Int32] = [0, 0]
        let status = unsafe socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends)
        precondition(status == 0)
        return (ends[0], ends[1])
    }

    @Test func bytesWrittenAtOneEndAreReadAtTheOther() throws {
        let loop = try Loop()
        let (left, right) = socketPair()
        let writer = try Stream(adopting: left, on: loop)
        let reader = try Stream(adopting: right, on: loop)
        let (recorder, writing) = (Recorder(), Recorder())
        try reader.startReading(recorder)
        try writer.startReading(writing)
        writing.onDrain = { $0.close() }
        for _ in 0..<20 { try writer.write(Array(repeating: 7, count: 100_000)) }
        try writer.write([1])
        #expect(writer.unsentBytes > 0)
        loop.run()
        #expect(recorder.received == 2_000_001)
        #expect(recorder.ended == 1)
        #expect(recorder.failure == nil)
        #expect(writing.drained == [nil], "one report when all has gone")
        #expect(loop.openHandles == 0)
    }

    @Test func tryWriteTakesWhatFitsAndSaysHowMuch() throws {
        let loop = try Loop()
        let (left, right) = socketPair()
        let writer = try Stream(adopting: left, on: loop)
        let bytes = [UInt8](repeating: 1, count: 8_000_000)
        let taken = try unsafe writer.tryWrite([UInt8(0)].span.bytes, bytes.span.bytes)
        #expect(taken > 1 && taken < 8_000_000)
        #expect(try unsafe writer.tryWrite(bytes.span.bytes) == 0)
        #expect(writer.unsentBytes == 0)
        writer.close()
        loop.run()
        Glibc.close(right)
    }

    @Test func closingCancelsAWriteInFlight() throws {
        let loop = try Loop()
        let (left, right) = socketPair()
        let writer = try Stream(adopting: left, on: loop)
        let recorder = Recorder()
        try writer.startReading(recorder)
        try writer.write(Array(repeating: 7, count: 8_000_000))
        writer.close()
        loop.run()
        #expect(recorder.drained.first??.description == "uv_write: operation canceled (-125)")
        #expect(loop.openHandles == 0)
        Glibc.close(right)
    }

    @Test func writingAfterCloseThrows() throws {
        let loop = try Loop()
        let (left, right) = socketPair()
        let writer = try Stream(adopting: left, on: loop)
        writer.close()
        loop.run()
        #expect(throws: UVError.self) { try writer.write([1]) }
        Glibc.close(right)
    }

    @Test func aPausedStreamStillKnowsThatItsPeerHasGone() throws {
        let loop = try Loop()
        let (left, right) = socketPair()
        let stream = try Stream(adopting: left, on: loop)
        let recorder = Recorder()
        try stream.startReading(recorder)
        stream.pauseReading()
        unsafe Glibc.write(right, "unread", 6)
        #expect(!stream.peerHasGone)
        Glibc.close(right)
        #expect(stream.peerHasGone)
        try stream.resumeReading()
        loop.run()
        #expect(recorder.received == 6)
        #expect(recorder.ended == 1)
        #expect(loop.openHandles == 0)
    }

    @Test func adoptingABadDescriptorThrowsAndLeavesNothingOpen() throws {
        let loop = try Loop()
        #expect(throws: UVError.self) { _ = try Stream(adopting: -1, on: loop) }
        loop.run()
        #expect(loop.openHandles == 0)
    }

    @Test func touchingALoopFromAnotherThreadTraps() async {
        await #expect(processExitsWith: .signal(SIGILL)) {
            let loop = try Loop()
            nonisolated(unsafe) let smuggled = loop
            Thread { unsafe smuggled.run() }.start()
            alarm(5)  // if the trap does not come, this is another signal
            pause()
        }
    }
}
