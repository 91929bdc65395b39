internal import RoostBasics
internal import RoostHTTP

/// The secret that a caller of management over TCP has to show (RFC 6750, section 2.1).
struct BearerToken {
    private let bytes: [UInt8]

    init(_ text: String) { bytes = Array(text.utf8) }

    /// Whether the request has it in its one `Authorization`.
    func isShown(by head: borrowing RequestHead) -> Bool {
        guard head.has(.authorization), !head.isRepeated(.authorization) else { return false }
        return isShown(in: head.value(.authorization))
    }

    /// Whether a header's value is `Bearer`, a space and the token. How long that takes says nothing of the token: every
    /// byte of it is looked at, whatever came.
    func isShown(in value: RawSpan) -> Bool {
        let scheme: StaticString = "bearer "
        let start = scheme.utf8CodeUnitCount
        guard value.byteCount >= start, value.extracting(first: start).text.lowercased() == "bearer " else {
            return false
        }
        let given = value.byteCount - start
        var difference = given ^ bytes.count
        for index in bytes.indices {
            let byte = index < given ? value[start + index] : 0
            difference |= Int(bytes[index] ^ byte)
        }
        return difference == 0
    }
}
