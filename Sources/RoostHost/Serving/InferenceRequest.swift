internal import RoostBasics
internal import RoostChannel
internal import RoostHTTP

/// An inference request as its head describes it.
struct InferenceRequest {
    var operation: Operation
    var contentType: MediaType
    var accept: MediaType
    /// How the body is compressed, and how the reply may be.
    var contentCoding = ContentCoding.identity
    var acceptCoding = ContentCoding.identity
    /// How much of the body is JSON, by the header `Inference-Header-Content-Length`; binary tensors follow it.
    var jsonBytes: Int?
    /// How long the caller waits, when it said so.
    var timeout: Instant.Span?
    /// What the caller calls the request, by its header `Roost-Key`; empty without.
    var key: [UInt8] = []

    /// The longest `Roost-Key` that is taken.
    static let keyBytesMax = 128

    /// A request of the host itself.
    init(_ operation: Operation, contentType: MediaType, accept: MediaType, key: [UInt8]) {
        self.operation = operation
        self.contentType = contentType
        self.accept = accept
        self.key = key
    }

    private static func jsonBytes(_ head: borrowing RequestHead, _ operation: Operation) throws(RoostError) -> Int {
        let text = head.value(.inferenceHeaderLength).text
        guard !head.isRepeated(.inferenceHeaderLength), !text.isEmpty, text.utf8.allSatisfy({ 0x30...0x39 ~= $0 }),
            let bytes = Int(text)
        else {
            throw RoostError(
                .invalidArgument, "Inference-Header-Content-Length: expected the bytes of the JSON, got \"\(text)\"")
        }
        guard operation == .infer else {
            throw RoostError(
                .invalidArgument, "Inference-Header-Content-Length belongs to tensors: POST /v2/models/…/infer")
        }
        return bytes
    }

    private static func contentCoding(_ head: borrowing RequestHead) throws(RoostError) -> ContentCoding {
        guard let coding = head.contentCoding else {
            throw RoostError(.unsupported, "Content-Encoding: expected gzip, deflate or identity")
        }
        return coding
    }

    /// - Throws: `invalidArgument` or `unsupported`, for the caller.
    init(_ operation: Operation, _ head: borrowing RequestHead) throws(RoostError) {
        self.operation = operation
        contentType = head.has(.contentType) ? MediaType(header: head.value(.contentType)) : .json
        accept = head.has(.accept) && MediaType(header: head.value(.accept)) == .csv ? .csv : .json
        if head.has(.inferenceHeaderLength) { jsonBytes = try Self.jsonBytes(head, operation) }
        if head.has(.contentEncoding) { contentCoding = try Self.contentCoding(head) }
        if head.has(.acceptEncoding) { acceptCoding = head.acceptedCoding }
        if head.has(.roostKey) {
            key.append(head.value(.roostKey))
            guard !key.isEmpty, key.count <= Self.keyBytesMax else {
                throw RoostError(
                    .invalidArgument, "Roost-Key: expected 1 to \(Self.keyBytesMax) bytes, got \(key.count)")
            }
        }
        guard head.has(.roostTimeout) else { return }
        let text = head.value(.roostTimeout).text
        guard let span = Instant.Span(text), span > .zero else {
            throw RoostError(.invalidArgument, "Roost-Timeout: expected a time like 250ms, got \"\(text)\"")
        }
        timeout = span
    }
}

/// Recognises the paths of the hot way without making a String.
enum InferencePath {
    /// The operation and function's name of a path without a version, found without making a String; nil for others.
    static func plain(_ path: borrowing RawSpan) -> (Operation, name: Range<Int>)? {
        if path.starts(with: "/v2/models/"), path.ends(with: "/infer"), path.byteCount > 17 {
            return name(in: path, 11..<path.byteCount - 6).map { (.infer, $0) }
        }
        if path.starts(with: "/functions/"), path.ends(with: "/predict"), path.byteCount > 19 {
            return name(in: path, 11..<path.byteCount - 8).map { (.predict, $0) }
        }
        return nil
    }

    /// Whether a request may be for a model, whose instance then takes its body as it is: by its path, which ends like
    /// all of these and no other.
    static func mayBe(_ head: borrowing RequestHead) -> Bool {
        head.method == .post && (head.path.ends(with: "/infer") || head.path.ends(with: "/predict"))
    }

    private static func name(in path: borrowing RawSpan, _ range: Range<Int>) -> Range<Int>? {
        for index in range where path[index] == UInt8(ascii: "/") { return nil }
        return range
    }
}

extension MediaType {
    /// The first media type of a header value; what stands behind `;` or `,` does not count.
    init(header: RawSpan) {
        // Nearly every request.
        if header.equals("application/json") {
            self = .json
            return
        }
        var end = 0
        while end < header.byteCount, header[end] != UInt8(ascii: ";"), header[end] != UInt8(ascii: ","),
            header[end] != UInt8(ascii: " ")
        {
            end += 1
        }
        let name = header.extracting(first: end)
        self =
            if name.equals("application/json") {
                .json
            } else if name.equals("text/csv") {
                .csv
            } else if name.equals("application/octet-stream") {
                .octets
            } else if name.equals("text/plain") {
                .text
            } else { .other }
    }

    /// As the gateway writes it; what has no number stands in the fields.
    var reply: ContentType {
        switch self {
        case .other: .unstated
        case .json: .json
        case .csv: .csv
        case .octets: .octetStream
        case .text: .text
        }
    }
}
