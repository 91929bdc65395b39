internal import RoostBasics
internal import RoostFiles
internal import RoostJSON

/// A request as an instance recorded it, with private fields blank.
struct RecordedRequest: Hashable, Sendable {
    /// The version that answered it.
    let version: String
    /// Microseconds since 1970.
    let at: Int64
    /// A v2 infer request on one line.
    let body: [UInt8]

    /// Nil when the bytes could be taken for something else than one line of a record: instances may write anything.
    init?(version: String, at: Int64, body: [UInt8]) {
        guard body.first == UInt8(ascii: "{"), body.last == UInt8(ascii: "}"), !body.contains(where: { $0 < 0x20 })
        else { return nil }
        self.version = version
        self.at = at
        self.body = body
    }

    /// `{"at":1763740000123456,"version":"3","request":{…}}`
    var line: [UInt8] { Array("{\"at\":\(at),\"version\":\"\(version)\",\"request\":".utf8) + body + [0x7D, 0x0A] }

    /// Reads a line without its end; nil when it is none that `line` wrote, such as the torn last one after a crash.
    init?(line: some RandomAccessCollection<UInt8>) {
        let opening = Array("{\"at\":".utf8), naming = Array(",\"version\":\"".utf8)
        let asking = Array("\",\"request\":".utf8)
        guard line.starts(with: opening), line.last == UInt8(ascii: "}") else { return nil }
        var rest = line.dropFirst(opening.count)
        let digits = rest.prefix { $0 != UInt8(ascii: ",") }
        rest = rest.dropFirst(digits.count)
        guard let at = Int64(String(decoding: digits, as: UTF8.self)), rest.starts(with: naming) else { return nil }
        rest = rest.dropFirst(naming.count)
        let version = rest.prefix { $0 != UInt8(ascii: "\"") }
        rest = rest.dropFirst(version.count)
        guard rest.starts(with: asking) else { return nil }
        self.init(
            version: String(decoding: version, as: UTF8.self), at: at,
            body: Array(rest.dropFirst(asking.count).dropLast()))
    }
}

/// The recorded requests of functions that ask for it: `state/replay/NAME/`, JSON Lines in segments of which the
/// oldest goes when the space is used up. Each segment says first which fields are private in it.
///
/// Unchecked: only jobs of the recorder's thread use it, one after the other.
final class ReplayStore: @unchecked Sendable {
    /// What a function's manifest asks for.
    struct Settings: Hashable, Sendable {
        var sizeMax: Int
        var privateFields: [String]
    }

    private let folder: Folder
    private var settings: [String: Settings] = [:]
    private var open: [String: Segment] = [:]

    /// The one that is being written.
    private struct Segment {
        let name: String
        let file: FileDescriptor
        var size: Int
    }

    /// Of the whole space, for one segment.
    private static let segmentsPerFunction = 8
    private static let segmentBytesMax = 32 << 20

    init(_ folder: Folder) { self.folder = folder }

    // MARK: policy

    /// Takes over the policy of all functions. What no policy asks for is removed, and so is what shows a field that
    /// has become private.
    func apply(_ all: [String: Settings]) throws(RoostError) {
        let before = settings
        settings = all
        open = open.filter { all[$0.key] == before[$0.key] }
        guard try folder.status(of: ".") != nil else { return }
        for (function, _) in try folder.list() {
            let own = folder.folder(function)
            for segment in try Self.segments(own) where !(try isAllowed(segment.name, in: own, all[function])) {
                try own.remove(segment.name)
            }
            if let settings = all[function] {
                try shrink(own, to: settings.sizeMax)
            } else {
                try folder.removeFolder(function)
            }
        }
    }

    private func isAllowed(_ segment: String, in own: Folder, _ settings: Settings?) throws(RoostError) -> Bool {
        guard let settings else { return false }
        let file = try FileDescriptor(reading: own.path(segment))
        let start = try file.read(Self.headerBytesMax, at: 0)
        guard let end = start.firstIndex(of: 0x0A),
            let header = try? JSONValue(parsing: Array(start[..<end]), source: segment)
        else { return false }
        let hidden = Set((header["private"]?.arrayValue ?? []).compactMap(\.stringValue))
        return hidden.isSuperset(of: settings.privateFields)
    }

    /// A thousand names of a kibibyte, and what stands around them.
    private static let headerBytesMax = 3 << 20

    // MARK: writing

    /// Adds requests of one function; without a policy for it nothing is written.
    func append(_ requests: [RecordedRequest], of function: String) throws(RoostError) {
        guard let settings = settings[function] else { return }
        let own = folder.folder(function)
        for request in requests {
            let line = request.line
            if let segment = open[function], segment.size + line.count > Self.segmentBytes(settings) {
                open[function] = nil
            }
            if open[function] == nil {
                open[function] = try Self.begin(own, settings)
                try shrink(own, to: settings.sizeMax - Self.segmentBytes(settings))
            }
            try open[function]?.file.write(line.bytes)
            open[function]?.size += line.count
        }
    }

    private static func segmentBytes(_ settings: Settings) -> Int {
        min(segmentBytesMax, settings.sizeMax / segmentsPerFunction)
    }

    private static func begin(_ own: Folder, _ settings: Settings) throws(RoostError) -> Segment {
        try own.create(mode: 0o700)
        let last = try segments(own).last.flatMap { Int($0.name.dropLast(6)) } ?? 0
        let digits = String(last + 1)
        let name = String(repeating: "0", count: max(0, 8 - digits.count)) + digits + ".jsonl"
        let file = try FileDescriptor(creating: own.path(name), mode: 0o600)
        let header: JSONValue = ["private": .array(settings.privateFields.map { .string($0) })]
        let line = Array(header.compact.utf8) + [0x0A]
        try file.write(line.bytes)
        return Segment(name: name, file: file, size: line.count)
    }

    /// Removes the oldest segments until the rest takes at most `sizeMax` bytes; the newest stays.
    private func shrink(_ own: Folder, to sizeMax: Int) throws(RoostError) {
        var segments = try Self.segments(own)
        var total = segments.reduce(0) { $0 + $1.size }
        while total > sizeMax, segments.count > 1 {
            let oldest = segments.removeFirst()
            try own.remove(oldest.name)
            total -= oldest.size
        }
    }

    /// The oldest first.
    private static func segments(_ own: Folder) throws(RoostError) -> [(name: String, size: Int)] {
        try own.list().filter { $0.name.hasSuffix(".jsonl") }.map { ($0.name, $0.status.size) }.sorted { $0.0 < $1.0 }
    }

    // MARK: reading

    /// The newest requests of a function, the newest first: at most so many, of at most so many bytes together.
    func newest(_ countMax: Int, of function: String, bytesMax: Int) throws(RoostError) -> [RecordedRequest] {
        guard try folder.status(of: ".") != nil, try folder.status(of: function) != nil else {
            return []
        }
        let own = folder.folder(function)
        var found: [RecordedRequest] = []
        var bytes = 0
        for segment in try Self.segments(own).reversed() {
            let content = try own.read(segment.name, limit: 2 * Self.segmentBytesMax)
            for line in content.split(separator: 0x0A).dropFirst().reversed() {
                guard let request = RecordedRequest(line: line) else { continue }
                bytes += request.body.count
                guard found.count < countMax, bytes <= bytesMax else { return found }
                found.append(request)
            }
        }
        return found
    }
}
