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

@Suite struct ListenerTests {
    private func connect(port: UInt16) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = unsafe withUnsafeBytes(of: &address) {
            unsafe Glibc.connect(descriptor, $0.baseAddress?.assumingMemoryBound(to: sockaddr.self), size)
        }
        #expect(status == 0)
        return descriptor
    }

    @Test(arguments: ["127.0.0.1", "localhost"])
    func theSystemsPortIsReportedAndConnectionsEcho(host: String) throws {
        let loop = try Loop()
        let echo = Echo()
        var stop: () -> Void = {}
        let listener = try Listener(at: .tcp(host: host, port: 0), on: loop) { stream in
            #expect(!stream.isLocal)
            #expect(throws: Never.self) {
                try stream.sendWithoutDelay()
                try stream.startReading(echo)
            }
            stop()
        }
        stop = { listener.close() }
        #expect(listener.port > 0)
        let client = connect(port: listener.port)
        unsafe Glibc.write(client, "hello", 5)
        shutdown(client, Int32(SHUT_WR))
        loop.run()
        stop = {}
        var answer = [UInt8](repeating: 0, count: 16)
        #expect(unsafe read(client, &answer, 16) == 5)
        #expect(loop.openHandles == 0)
        Glibc.close(client)
    }

    @Test func anAddressInUseThrowsAndLeavesNothingOpen() throws {
        let loop = try Loop()
        let first = try Listener(at: .tcp(host: "127.0.0.1", port: 0), on: loop) { _ in }
        #expect(throws: UVError.self) {
            _ = try Listener(at: .tcp(host: "127.0.0.1", port: first.port), on: loop) { _ in }
        }
        #expect(throws: UVError.self) { _ = try Listener(at: .tcp(host: "nowhere!", port: 0), on: loop) { _ in } }
        first.close()
        loop.run()
        #expect(loop.openHandles == 0)
    }

    @Test func aPausedListenerLeavesConnectionsInTheQueue() throws {
        let loop = try Loop()
        var accepted = 0
        var listener: Listener?
        listener = try Listener(at: .tcp(host: "127.0.0.1", port: 0), on: loop) { stream in
            accepted += 1
            stream.close()
            if accepted == 2 { listener?.close() }
        }
        listener?.isPaused = true
        let clients = [connect(port: listener?.port ?? 0), connect(port: listener?.port ?? 0)]
        let timer = try Timer(on: loop)
        try timer.start(after: .milliseconds(5)) {
            #expect(accepted == 0)
            listener?.isPaused = false
            timer.close()
        }
        loop.run()
        listener = nil
        #expect(accepted == 2)
        #expect(loop.openHandles == 0)
        for client in clients { Glibc.close(client) }
    }

    @Test func aSocketFileInADeepFolderIsPrivateAndReplacesAStaleOne() throws {
        let deep = (0..<8).map { "a-rather-long-folder-name-\($0)" }.joined(separator: "/")
        let root = FileManager.default.temporaryDirectory.appending(path: "roost-\(UUID().uuidString)")
        let folder = root.appending(path: deep).path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: root) }
        let loop = try Loop()
        for _ in 0..<2 {
            let place = ListeningPlace.unix(folder: folder, name: "roost.sock")
            let listener = try Listener(at: place, on: loop) { #expect($0.isLocal) }
            let attributes = try FileManager.default.attributesOfItem(atPath: folder + "/roost.sock")
            #expect(attributes[.posixPermissions] as? Int == 0o600)
            // A crash leaves the file behind: put a second name on it that closing does not know.
            #expect(unsafe link(folder + "/roost.sock", folder + "/stale") == 0)
            listener.close()
            #expect(!FileManager.default.fileExists(atPath: folder + "/roost.sock"))
            #expect(unsafe rename(folder + "/stale", folder + "/roost.sock") == 0)
        }
        loop.run()
        #expect(loop.openHandles == 0)
    }
}
