internal import RoostBasics
internal import RoostCompression

/// Decompresses requests and compresses replies, inside of the sandbox and beside the other instances. What it needs
/// for that is made when it is needed first, since most callers send and take bodies as they are.
final class BodyCompression {
    private var inflater: BodyInflater?
    private var deflaters: [ContentCoding: BodyDeflater] = [:]

    /// Lends the body as it was before it was compressed, for the length of the call.
    /// - Throws: what is wrong with it, `.tooLarge` if it becomes larger than `limit`; and what `use` throws.
    func plain<Result>(
        _ body: RawSpan, _ coding: ContentCoding, limit: Int, _ use: (RawSpan) throws(RoostError) -> Result
    ) throws(RoostError) -> Result {
        guard coding != .identity else { return try use(body) }
        let inflater: BodyInflater
        if let made = self.inflater { inflater = made } else { inflater = try BodyInflater() }
        self.inflater = inflater
        defer { inflater.removeAll() }
        try inflater.inflate(body, coding, limit: limit)
        return try inflater.withBytes(use)
    }

    /// Lends the body compressed, if that makes it smaller; false if not.
    func compressed(_ body: RawSpan, _ coding: ContentCoding, _ use: (RawSpan) -> Void) -> Bool {
        if deflaters[coding] == nil { deflaters[coding] = try? BodyDeflater(coding) }
        guard let deflater = deflaters[coding], deflater.deflate(body) else { return false }
        deflater.withBytes(use)
        deflater.removeAll()
        return true
    }

    /// Whether bodies of this media type are text, which others mostly are not worth the time.
    static func isText(_ mediaType: String) -> Bool {
        let name = mediaType.prefix { $0 != ";" }.lowercased()
        return name.hasPrefix("text/") || name.hasSuffix("json") || name.hasSuffix("xml")
    }
}
