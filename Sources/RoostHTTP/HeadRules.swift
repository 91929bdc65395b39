internal import CLLHTTP
internal import Glibc

extension HeadState {
    /// What must hold of a head beyond llhttp's grammar; nil when it may stand.
    mutating func finishHead() -> HTTPFault? {
        if let fault = checkLines() { return fault }
        if hasNamelessHeader { return HTTPFault(400, "a header without a name") }
        method = HTTPMethod(llhttp: unsafe llhttp.method)
        // A request line without a version is HTTP/0.9 to llhttp, and a slip to everybody else.
        if unsafe llhttp.http_major == 0 { return HTTPFault(400, "malformed request line") }
        guard unsafe llhttp.http_major == 1, unsafe llhttp.http_minor <= 1
        else { return HTTPFault(505, "only HTTP/1.0 and HTTP/1.1 are spoken here") }
        isHTTP11 = unsafe llhttp.http_minor == 1
        keepsAlive = unsafe llhttp_should_keep_alive(&llhttp) == 1
        if unsafe llhttp.method == UInt8(HTTP_CONNECT.rawValue) {
            return HTTPFault(501, "CONNECT is not supported: this is no proxy")
        }
        return checkHost() ?? checkFraming() ?? readTarget()
    }

    /// llhttp accepts folded lines, also in the framing headers; and empty lines before the request may be bare.
    private func checkLines() -> HTTPFault? {
        guard let head = unsafe head else { return nil }
        var start = 0
        while byte(start) == UInt8(ascii: "\r") {
            guard byte(start + 1) == UInt8(ascii: "\n") else { return HTTPFault(400, "a line must end with CR LF") }
            start += 2
        }
        while let found = unsafe memchr(head + start, Int32(UInt8(ascii: "\n")), headCount - start) {
            let end = unsafe UnsafeRawPointer(found) - UnsafeRawPointer(head)
            let isBare = unsafe end == 0 || head[end - 1] != UInt8(ascii: "\r")
            if isBare { return HTTPFault(400, "a line must end with CR LF") }
            start = end + 1
            if start == headCount { return nil }
            let isFolded = unsafe head[start] == UInt8(ascii: " ") || head[start] == UInt8(ascii: "\t")
            if isFolded { return HTTPFault(400, "folded header lines are not accepted") }
        }
        return nil
    }

    private func checkHost() -> HTTPFault? {
        let host = self[.host]
        if isRepeated(.host) || host.isAbsent && isHTTP11 {
            return HTTPFault(400, "a request has exactly one Host header")
        }
        return isHost(host) ? nil : HTTPFault(400, "malformed Host header")
    }

    /// Whether it is a name or an address, perhaps with a port (RFC 3986, section 3.2), without what no host's name has.
    func isHost(_ range: HeadRange) -> Bool {
        guard let head = unsafe head else { return true }
        var position = Int(range.start)
        let end = Int(range.end)
        if position < end, unsafe head[position] == UInt8(ascii: "[") {
            position += 1
            let start = position
            while position < end, unsafe head[position].isHostCharacter || head[position] == UInt8(ascii: ":") {
                position += 1
            }
            guard position > start, position < end, unsafe head[position] == UInt8(ascii: "]") else { return false }
            position += 1
        } else {
            while position < end, unsafe head[position].isHostCharacter { position += 1 }
        }
        guard position < end else { return true }
        guard unsafe head[position] == UInt8(ascii: ":") else { return false }
        for place in (position + 1)..<end where unsafe !(0x30...0x39).contains(head[place]) { return false }
        return true
    }

    private func checkFraming() -> HTTPFault? {
        let (length, coding) = (self[.contentLength], self[.transferEncoding])
        if !length.isAbsent {
            guard coding.isAbsent else { return HTTPFault(400, "both Content-Length and Transfer-Encoding") }
            guard !isRepeated(.contentLength) else { return HTTPFault(400, "Content-Length came twice") }
            for position in Int(length.start)..<Int(length.end) where !(0x30...0x39).contains(byte(position)) {
                return HTTPFault(400, "malformed Content-Length")
            }
            guard length.count > 0 else { return HTTPFault(400, "malformed Content-Length") }
        }
        if !coding.isAbsent {
            guard isHTTP11 else { return HTTPFault(400, "Transfer-Encoding is not of HTTP/1.0") }
            guard !isRepeated(.transferEncoding) else { return HTTPFault(400, "Transfer-Encoding came twice") }
            // llhttp counts a tab behind it as a part of its name, and would take what follows for the next request.
            let isChunked = unsafe llhttp.flags & UInt16(F_CHUNKED.rawValue) != 0
            guard equals(coding, "chunked"), isChunked else {
                // Another coding before a final chunked is understood, but not spoken; the rest is no framing at all.
                let last = HeadRange(max(Int(coding.start), Int(coding.end) - 9), Int(coding.end))
                return HTTPFault(equals(last, ", chunked") ? 501 : 400, "the only transfer coding is chunked, once")
            }
        }
        return nil
    }
}

extension UInt8 {
    /// Of names and addresses: letters, digits, `-._~%`.
    fileprivate var isHostCharacter: Bool {
        if (self | 0x20) &- 0x61 < 26 { return true }
        if self == UInt8(ascii: "~") { return true }
        // Bit n stands for the character 0x25 + n: `%`, `-.`, `0` to `9`, `_`.
        let others: UInt64 = 1 | 0b11 << 8 | 0x3ff << 11 | 1 << 58
        let place = self &- 0x25
        return place < 64 && others >> UInt64(place) & 1 == 1
    }
}

extension HTTPMethod {
    init(llhttp method: UInt8) {
        switch UInt32(method) {
        case HTTP_GET.rawValue: self = .get
        case HTTP_HEAD.rawValue: self = .head
        case HTTP_POST.rawValue: self = .post
        case HTTP_PUT.rawValue: self = .put
        case HTTP_DELETE.rawValue: self = .delete
        case HTTP_PATCH.rawValue: self = .patch
        case HTTP_OPTIONS.rawValue: self = .options
        default: self = .other
        }
    }
}

extension HTTPFault {
    /// llhttp's refusals in words for the client.
    init(llhttp code: llhttp_errno_t) {
        switch code {
        case HPE_INVALID_METHOD: self.init(400, "unknown method")
        case HPE_INVALID_URL: self.init(400, "malformed request line")
        case HPE_INVALID_CONSTANT: self.init(400, "malformed request line")
        case HPE_INVALID_VERSION: self.init(400, "malformed HTTP version")
        case HPE_PAUSED_H2_UPGRADE: self.init(505, "HTTP/2 is not spoken on this port")
        case HPE_INVALID_HEADER_TOKEN: self.init(400, "malformed header")
        case HPE_INVALID_CONTENT_LENGTH: self.init(400, "malformed Content-Length")
        case HPE_UNEXPECTED_CONTENT_LENGTH: self.init(400, "Content-Length came twice or beside Transfer-Encoding")
        case HPE_INVALID_TRANSFER_ENCODING: self.init(400, "malformed Transfer-Encoding")
        case HPE_INVALID_CHUNK_SIZE: self.init(400, "malformed chunk size")
        case HPE_CR_EXPECTED, HPE_LF_EXPECTED: self.init(400, "a line must end with CR LF")
        case HPE_UNEXPECTED_SPACE: self.init(400, "unexpected space")
        default: self.init(400, "malformed HTTP")
        }
    }
}
