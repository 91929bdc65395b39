import Foundation
import Glibc

/// A server for one connection on a Unix or a TCP socket: hears one request, says what it is told to, hangs up.
final class SmallServer: Sendable {
    let path: String
    let port: UInt16
    private let listener: Int32
    private let heard = Pipe()

    /// `say` gets the request's bytes and gives the pieces of the answer; between two pieces the stream is flushed.
    /// Answering begins once the bytes heard end with `until`.
    init(overTCP: Bool = false, until: String = "\r\n\r\n", say: @escaping @Sendable (String) -> [String]) throws {
        _ = signal(SIGPIPE, SIG_IGN)  // clients of tests hang up early
        let name = "roost-\(UUID().uuidString.prefix(8))"
        path = FileManager.default.temporaryDirectory.appending(path: name).path
        if overTCP {
            (listener, port) = try Self.listenTCP()
        } else {
            (listener, port) = (try Self.listenUnix(path), 0)
        }
        let listener = listener
        let heard = heard.fileHandleForWriting
        Thread.detachNewThread {
            let peer = accept(listener, nil, nil)
            guard peer >= 0 else { return }
            let stream = FileHandle(fileDescriptor: peer, closeOnDealloc: false)
            var request = Data()
            while !String(decoding: request, as: UTF8.self).hasSuffix(until) {
                guard let more = try? stream.read(upToCount: 1), !more.isEmpty else { break }
                request += more
            }
            for piece in say(String(decoding: request, as: UTF8.self)) {
                try? stream.write(contentsOf: Data(piece.utf8))
            }
            _ = close(peer)
            try? heard.write(contentsOf: request)
            try? heard.close()
        }
    }

    deinit {
        // Ends the accept that may still wait there. Not closed: the number would be another's at once.
        _ = shutdown(listener, Int32(SHUT_RDWR))
        _ = unsafe unlink(path)
    }

    /// What the client sent; waits for the end of the conversation.
    func request() throws -> String {
        String(decoding: try heard.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    }

    private struct Failed: Error {}

    private static func listenUnix(_ path: String) throws -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: Array(path.utf8)) }
        let made = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        let status = unsafe withUnsafePointer(to: &address) { address in
            unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(made, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard status == 0, listen(made, 8) == 0 else { throw Failed() }
        return made
    }

    private static func listenTCP() throws -> (Int32, UInt16) {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let made = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = unsafe withUnsafeMutablePointer(to: &address) { address in
            unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                unsafe bind(made, address, size) == 0 && listen(made, 8) == 0 && getsockname(made, address, &size) == 0
            }
        }
        guard status else { throw Failed() }
        return (made, UInt16(bigEndian: address.sin_port))
    }
}
