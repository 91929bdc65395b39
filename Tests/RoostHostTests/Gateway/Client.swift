import Glibc

/// A blocking HTTP client over one loopback connection, for a thread of its own. Any read gives up after ten seconds.
final class Client {
    struct Reply: Equatable {
        var status = 0
        var head = ""
        var body: [UInt8] = []
        var text: String { String(decoding: body, as: UTF8.self) }

        func field(_ name: String) -> String? {
            for line in head.split(separator: "\r\n") where line.lowercased().hasPrefix(name.lowercased() + ": ") {
                return String(line.dropFirst(name.count + 2))
            }
            return nil
        }
    }

    let descriptor: Int32
    private var buffer: [UInt8] = []

    init(port: UInt16, receiveBuffer: Int32 = 0) {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var size = receiveBuffer
        if size > 0 { unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &size, 4) }
        let length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let status = unsafe withUnsafeBytes(of: &address) {
            unsafe connect(descriptor, $0.baseAddress?.assumingMemoryBound(to: sockaddr.self), length)
        }
        if status != 0 { shutdown() }
        giveUpAfterTenSeconds()
    }

    init(path: String) {
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: path.utf8) }
        let length = socklen_t(MemoryLayout<sockaddr_un>.size)
        let status = unsafe withUnsafeBytes(of: &address) {
            unsafe connect(descriptor, $0.baseAddress?.assumingMemoryBound(to: sockaddr.self), length)
        }
        if status != 0 { shutdown() }
        giveUpAfterTenSeconds()
    }

    private func giveUpAfterTenSeconds() {
        var time = timeval(tv_sec: 10, tv_usec: 0)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(descriptor) }

    func shutdown() { _ = Glibc.shutdown(descriptor, Int32(SHUT_RDWR)) }

    func send(_ text: String) { send(Array(text.utf8)) }

    /// Everything, or as much as the peer takes before it goes away.
    func send(_ bytes: [UInt8]) {
        var sent = 0
        while sent < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { all in
                unsafe Glibc.send(
                    descriptor, all.baseAddress?.advanced(by: sent), all.count - sent, Int32(MSG_NOSIGNAL))
            }
            if count <= 0 { return }
            sent += count
        }
    }

    private func fill() -> Bool {
        var piece = [UInt8](repeating: 0, count: 65_536)
        let count = unsafe recv(descriptor, &piece, piece.count, 0)
        guard count > 0 else { return false }
        buffer += piece.prefix(count)
        return true
    }

    /// The next reply; nil when the connection ends first.
    func reply(toHead: Bool = false) -> Reply? {
        var searched = 0
        while true {
            while searched + 4 <= buffer.count, buffer[searched + 1] != 10 || buffer[searched + 3] != 10 {
                searched += 1
            }
            if searched + 4 <= buffer.count { break }
            guard fill() else { return nil }
        }
        var reply = Reply()
        reply.head = String(decoding: buffer[..<(searched + 2)], as: UTF8.self)
        reply.status = Int(reply.head.split(separator: " ")[1]) ?? 0
        buffer.removeFirst(searched + 4)
        let length = toHead || reply.status == 100 ? 0 : Int(reply.field("Content-Length") ?? "") ?? 0
        while buffer.count < length { guard fill() else { return nil } }
        reply.body = Array(buffer[..<length])
        buffer.removeFirst(length)
        return reply
    }

    /// Whether the server has closed, with nothing more to read.
    func isAtEnd() -> Bool { buffer.isEmpty && !fill() }
}

func get(_ path: String, _ fields: String = "") -> String { "GET \(path) HTTP/1.1\r\nHost: a\r\n\(fields)\r\n" }

func post(_ path: String, _ body: String, _ fields: String = "") -> String {
    "POST \(path) HTTP/1.1\r\nHost: a\r\nContent-Length: \(body.utf8.count)\r\n\(fields)\r\n\(body)"
}
