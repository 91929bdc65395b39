import class Foundation.FileManager
import struct Foundation.UUID
import Glibc
import RoostBasics
import RoostLoop
import Testing

/// Answers each read with the bytes of it.
private final class Echo: StreamDelegate {
    func stream(_ stream: Stream, didRead bytes: RawSpan) { try? stream.write(bytes) }
    func streamDidEnd(_ stream: Stream, error: UVError?) { stream.close() }
    func streamDidDrain(_ stream: Stream, error: UVError?) {}
}

/// Takes the first bytes that come, and hangs up.
private final class Ear: StreamDelegate {
    var heard = ""
    func stream(_ stream: Stream, didRead bytes: RawSpan) {
        heard += bytes.text
        stream.close()
    }
    func streamDidEnd(_ stream: Stream, error: UVError?) { stream.close() }
    func streamDidDrain(_ stream: Stream, error: UVError?) {}
}

@Suite struct ConnectingTests {
    /// Connects to a listener at `place`, says a word and hears it again.
    private func talk(at place: ListeningPlace, connectingTo target: (Listener) -> ListeningPlace) throws {
        let loop = try Loop()
        let (echo, ear) = (Echo(), Ear())
        var listener: Listener?
        listener = try Listener(at: place, on: loop) { stream in
            #expect(throws: Never.self) { try stream.startReading(echo) }
            listener?.close()
        }
        var client: Stream?
        let there = try target(#require(listener))
        client = try Stream(connectingTo: there, on: loop) { error in
            #expect(error == nil)
            #expect(throws: Never.self) {
                try client?.sendWithoutDelay()
                try client?.startReading(ear)
                try client?.write(Array("hello".utf8).bytes)
            }
        }
        loop.run()
        (client, listener) = (nil, nil)
        #expect(ear.heard == "hello")
        #expect(loop.openHandles == 0)
    }

    @Test(arguments: ["127.0.0.1", "localhost", "::1"]) func overTCP(host: String) throws {
        try talk(at: .tcp(host: host, port: 0)) { .tcp(host: host, port: $0.port) }
    }

    @Test func overASocketFileInADeepFolder() throws {
        let deep = (0..<8).map { "a-rather-long-folder-name-\($0)" }.joined(separator: "/")
        let root = FileManager.default.temporaryDirectory.appending(path: "roost-\(UUID().uuidString)")
        let folder = root.appending(path: deep).path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: root) }
        let place = ListeningPlace.unix(folder: folder, name: "roost.sock")
        try talk(at: place) { _ in place }
        // Nobody listens there any more: the file has gone with its listener.
        let loop = try Loop()
        var failure: UVError?
        var stream: Stream?
        stream = try Stream(connectingTo: place, on: loop) {
            failure = $0
            stream?.close()
        }
        loop.run()
        stream = nil
        #expect(failure?.code == -ENOENT)
        #expect(loop.openHandles == 0)
    }

    @Test func refusalsAreTold() throws {
        let loop = try Loop()
        let listener = try Listener(at: .tcp(host: "127.0.0.1", port: 0), on: loop) { _ in }
        let port = listener.port
        listener.close()
        loop.run()
        var failures: [UVError?] = []
        var stream: Stream?
        stream = try Stream(connectingTo: .tcp(host: "127.0.0.1", port: port), on: loop) {
            failures.append($0)
            stream?.close()
        }
        loop.run()
        stream = nil
        #expect(failures.map { $0?.code } == [-ECONNREFUSED])
        #expect(loop.openHandles == 0)
    }

    @Test func closingFirstIsToldToo() throws {
        let loop = try Loop()
        let listener = try Listener(at: .tcp(host: "127.0.0.1", port: 0), on: loop) { $0.close() }
        var failures: [UVError?] = []
        let stream = try Stream(connectingTo: .tcp(host: "127.0.0.1", port: listener.port), on: loop) {
            failures.append($0)
        }
        stream.close()
        listener.close()
        loop.run()
        #expect(failures.map { $0?.code } == [-ECANCELED])
        #expect(loop.openHandles == 0)
    }

    @Test func whatIsNoAddressThrowsAndLeavesNothingOpen() throws {
        let loop = try Loop()
        for place in [
            ListeningPlace.tcp(host: "nowhere!", port: 80), .unix(folder: "/nowhere", name: "a"),
            .unix(folder: "/", name: String(repeating: "a", count: 120)),
        ] {
            #expect(throws: UVError.self) { _ = try Stream(connectingTo: place, on: loop) { _ in } }
        }
        loop.run()
        #expect(loop.openHandles == 0)
    }
}
