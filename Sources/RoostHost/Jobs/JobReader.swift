internal import RoostBasics
internal import RoostCompression
internal import RoostDelivery
internal import RoostELF
internal import RoostFiles
internal import RoostWire

/// A piece of a job's input: whole records.
struct RawChunk: Sendable {
    let bytes: [UInt8]
    /// Of its first line in the file, from 1.
    let firstLine: UInt64
    let records: Int
    /// Where it ends: what has been read when it is written.
    let end: InputPosition
}

/// A place in the input behind whole records, and proof of what lies before it.
struct InputPosition: Sendable {
    /// In bytes, without compression.
    var offset = 0
    /// Of the line that begins there.
    var line: UInt64 = 1
    /// SHA-256 of everything before.
    var digest = ""
}

/// Reads a job's input and cuts it into chunks. Equal input gives equal chunks, wherever the reading began.
///
/// Unchecked: only jobs of the job's reading thread use it, one after the other.
final class JobReader: @unchecked Sendable {
    /// Of a chunk, unless a single record is longer. Two fit into the ring of a channel.
    static let chunkBytes = 192 << 10
    private static let readBytes = 1 << 20

    private let file: FileDescriptor
    private let name: String
    /// As it was when the job began; nil for what is no file and can be read only once.
    private let before: FileStatus?
    private var gzip: GzipDecoder?
    /// Compressed bytes that were read and not decoded.
    private var packed: [UInt8] = []
    private var fileOffset = 0
    private var isFileRead = false
    /// There is no content behind `pending`.
    private var isContentRead = false
    /// Content that is in no chunk yet: from `start` on.
    private var pending: [UInt8] = []
    private var start = 0
    private var splitter: RecordSplitter
    private var position = InputPosition()
    private var hash: SHA256
    /// The size of the file as it lies there, for progress; nil where nobody knows.
    var fileSize: Int? { before?.size }
    /// How much of that has been read.
    var fileBytesRead: Int { fileOffset }
    /// What tells whether the file was changed between two runs; empty for what can be read only once.
    var inputState: String { before.map { "\($0.size) \($0.modified)" } ?? "" }

    /// - Parameter name: for messages.
    init(_ file: FileDescriptor, name: String, isCompressed: Bool, _ plan: BulkPlan) throws(RoostError) {
        self.file = file
        self.name = name
        let status = try file.status()
        before = status.isRegular ? status : nil
        gzip = isCompressed ? try GzipDecoder() : nil
        splitter = RecordSplitter(plan.input, delimiter: plan.delimiter)
        hash = try SHA256()
    }

    /// Reads the beginning: what columns a CSV file has. Then goes on behind the header, or where an earlier run was.
    /// - Throws: `conflict` when the input is not what that run has read.
    func open(_ plan: inout BulkPlan, _ rule: BulkPlan.HeaderRule, resuming checkpoint: JobCheckpoint)
        throws(RoostError)
    {
        guard checkpoint.chunks == 0 || checkpoint.inputState == inputState else { throw changed }
        try fill(4)
        try unpack()
        let beginning = pending
        try skip(RecordSplitter.fileStart(beginning.bytes), lines: 0)
        if plan.input == .csv {
            let first = try boundary(from: 1 << 14, records: 1)
            let content = pending
            try plan.takeFirstRecord(content.bytes.extracting(start..<start + first.end), header: rule)
            if plan.hasHeader { try skip(first.end, lines: first.lines) }
        }
        splitter = RecordSplitter(plan.input, delimiter: plan.delimiter, line: position.line)
        guard checkpoint.chunks > 0 else { return }
        try skipAhead(to: checkpoint)
    }

    /// What begins like gzip is gzip, whatever it is called: no text begins so.
    private func unpack() throws(RoostError) {
        guard gzip == nil, pending.starts(with: [0x1F, 0x8B]) else { return }
        gzip = try GzipDecoder()
        (packed, pending, isContentRead) = (pending, [], false)
        try fill(4)
    }

    /// Behind everything that was cut off so far.
    func end() throws(RoostError) -> InputPosition {
        var end = position
        end.digest = try hash.digestSoFar().description
        return end
    }

    /// The next chunk; nil at the end.
    func next() throws(RoostError) -> RawChunk? {
        while true {
            let line = position.line
            let found = try boundary(from: Self.chunkBytes, records: nil)
            guard found.end > 0 else { return nil }
            var bytes: [UInt8] = []
            let content = pending
            bytes.append(content.bytes.extracting(start..<start + found.end))
            try skip(found.end, lines: found.lines)
            // A run of blank lines is no chunk.
            guard found.records > 0 else { continue }
            return RawChunk(bytes: bytes, firstLine: line, records: found.records, end: try end())
        }
    }

    // MARK: cutting

    /// The end of the last record within so many bytes, or of the first when that is longer.
    private func boundary(from bytes: Int, records: Int?) throws(RoostError) -> RecordSplitter.Boundary {
        var wanted = bytes
        while true {
            try fill(wanted + 1)
            let isLast = aheadCount <= wanted
            var splitter = splitter
            do throws(RoostError) {
                let content = pending
                let part = content.bytes.extracting(start..<start + min(wanted, aheadCount))
                if records == 1 {
                    let first = try splitter.firstRecord(in: part, isAll: isLast)
                    if let first { return first }
                    if isLast { return RecordSplitter.Boundary() }
                } else if isLast {
                    defer { self.splitter = splitter }
                    return try splitter.finish(part)
                } else if let found = try splitter.lastBoundary(in: part) {
                    self.splitter = splitter
                    return found
                }
            } catch { throw RoostError(error.code, "\(name): \(error.message)") }
            wanted *= 2
        }
    }

    private func skipAhead(to checkpoint: JobCheckpoint) throws(RoostError) {
        while position.offset < checkpoint.inputOffset {
            try fill(1)
            let count = min(pending.count - start, checkpoint.inputOffset - position.offset)
            guard count > 0 else { throw changed }
            try skip(count, lines: 0)
        }
        guard try hash.digestSoFar().description == checkpoint.inputDigest else { throw changed }
        position.line = checkpoint.line
        splitter = RecordSplitter(splitter.format, delimiter: splitter.delimiter, line: checkpoint.line)
    }

    private func skip(_ count: Int, lines: Int) throws(RoostError) {
        let content = pending
        try hash.update(content.bytes.extracting(start..<start + count))
        start += count
        position.offset += count
        position.line += UInt64(lines)
    }

    /// Bytes that are in no chunk yet.
    private var aheadCount: Int { pending.count - start }

    // MARK: reading

    /// Makes so many bytes available, or all that there are.
    private func fill(_ wanted: Int) throws(RoostError) {
        guard pending.count - start < wanted else { return }
        if start > 0 {
            pending.removeFirst(start)
            start = 0
        }
        while pending.count < wanted, !isContentRead {
            if let gzip {
                try decode(gzip)
            } else {
                pending += try read(max(wanted - pending.count, Self.readBytes))
                isContentRead = isFileRead
            }
        }
    }

    private func decode(_ gzip: GzipDecoder) throws(RoostError) {
        if packed.isEmpty, !isFileRead { packed = try read(Self.readBytes / 4) }
        let (size, compressed) = (pending.count, packed)
        do throws(RoostError) {
            let used = try gzip.decode(compressed.bytes, into: &pending, limit: Self.readBytes)
            packed.removeFirst(used)
            // The decoder may hold back some of what it has taken: it is at its end when nothing more comes.
            guard isFileRead, packed.isEmpty, pending.count == size else { return }
            try gzip.finish()
            isContentRead = true
        } catch { throw RoostError(error.code, "\(name): \(error.message)") }
    }

    private func read(_ count: Int) throws(RoostError) -> [UInt8] {
        let bytes = try before == nil ? file.readNext(count) : file.read(count, at: fileOffset)
        fileOffset += bytes.count
        isFileRead = before == nil ? bytes.isEmpty : bytes.count < count
        if let before, try file.status() != before { throw changed }
        return bytes
    }

    private var changed: RoostError {
        RoostError(.conflict, "\(name) is not what it was when the job began: begin a new job for the new content")
    }
}
