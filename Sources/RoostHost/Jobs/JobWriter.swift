internal import RoostBasics
internal import RoostCompression
internal import RoostDelivery
internal import RoostELF
internal import RoostFiles
internal import RoostWire

/// What the writing thread has put into the files so far.
struct OutputPosition: Sendable {
    var outputBytes = 0
    var errorBytes = 0
}

/// Writes a job's output, in files that nobody sees until they are complete.
///
/// Unchecked: only jobs of the job's writing thread use it, one after the other.
final class JobWriter: @unchecked Sendable {
    private let place: JobPlaces.Place
    private let id: String
    private let isCompressed: Bool
    private let replaces: Bool
    let output: FileDescriptor
    let errors: FileDescriptor
    private var hash: SHA256
    private(set) var position = OutputPosition()

    private var outputName: String { Self.outputName(place, id) }
    private var errorsName: String { Self.errorsName(place, id) }

    /// Under which names the files of a job lie until they are complete.
    static func outputName(_ place: JobPlaces.Place, _ id: String) -> String { ".\(place.name).\(id).partial" }
    static func errorsName(_ place: JobPlaces.Place, _ id: String) -> String { ".\(place.name).\(id).errors.partial" }

    /// Opens the hidden files, and cuts them to what an earlier run is known to have written.
    /// - Throws: `conflict` when the output is there already and may not be replaced; `notFound` when what the earlier
    ///   run wrote is gone: then the job has to begin anew.
    init(
        _ place: JobPlaces.Place, id: String, isCompressed: Bool, replaces: Bool, resuming checkpoint: JobCheckpoint
    ) throws(RoostError) {
        (self.place, self.id, self.isCompressed, self.replaces) = (place, id, isCompressed, replaces)
        let held = try place.holdFolder(makingMissing: true)
        (output, errors) = try held.act { folder throws(RoostError) in
            if !replaces, try folder.status(of: place.name) != nil {
                throw RoostError(
                    .conflict, "\(place.full) is there already: choose another output, or say that it may be replaced")
            }
            return (
                try FileDescriptor(appending: folder.path(Self.outputName(place, id))),
                try FileDescriptor(appending: folder.path(Self.errorsName(place, id)))
            )
        }
        hash = try SHA256()
        for (file, bytes) in [(output, checkpoint.outputBytes), (errors, checkpoint.errorBytes)] {
            guard try file.status().size >= bytes else {
                throw RoostError(.notFound, "what was written of \(place.full) is gone")
            }
            try file.truncate(to: bytes)
        }
        position = OutputPosition(outputBytes: checkpoint.outputBytes, errorBytes: checkpoint.errorBytes)
        try hashAgain(checkpoint.outputBytes)
    }

    private func hashAgain(_ count: Int) throws(RoostError) {
        var offset = 0
        while offset < count {
            let slice = try output.read(min(1 << 20, count - offset), at: offset)
            try hash.update(slice)
            offset += slice.count
        }
    }

    /// Appends the header, or the parts of one chunk.
    func append(_ parts: [ScoredPiece]) throws(RoostError) {
        var rows: [UInt8] = []
        var bad: [UInt8] = []
        for part in parts {
            let reply = try BulkReply(part.reply.bytes)
            rows.append(reply.output)
            bad.append(reply.errors)
        }
        if !rows.isEmpty {
            // One member a chunk, so that equal chunks give equal bytes.
            if isCompressed { rows = try GzipMember.encode(rows) }
            try hash.update(rows)
            try output.write(rows.bytes)
            position.outputBytes += rows.count
        }
        if !bad.isEmpty {
            try errors.write(bad.bytes)
            position.errorBytes += bad.count
        }
    }

    /// Everything is on the disk afterwards, still under hidden names.
    func finish() throws(RoostError) -> String {
        if isCompressed, position.outputBytes == 0 {
            let member = try GzipMember.encode([])
            try hash.update(member)
            try output.write(member.bytes)
            position.outputBytes = member.count
        }
        try output.sync()
        try errors.sync()
        return try hash.digestSoFar().description
    }

    /// Gives the files their names: first what explains the output, then the output, which is what people wait for.
    /// - Throws: `conflict` when the output's name was taken meanwhile.
    func commit(meta: [UInt8]) throws(RoostError) {
        // Where the folder is now: files that it took along when somebody moved it away are in nobody's way.
        try place.holdFolder().act { folder throws(RoostError) in try commit(meta, in: folder) }
    }

    private func commit(_ meta: [UInt8], in folder: Folder) throws(RoostError) {
        let errorsFinal = "\(place.name).errors.jsonl"
        if position.errorBytes > 0 {
            try folder.rename(errorsName, to: errorsFinal)
        } else {
            try folder.remove(errorsName)
            if replaces { try folder.remove(errorsFinal) }
        }
        try folder.write(meta, to: "\(place.name).meta.json")
        if replaces {
            try folder.rename(outputName, to: place.name)
        } else {
            try folder.renameWithoutReplacing(outputName, to: place.name)
        }
    }

    /// Removes what was written and is not complete: the job will not go on there.
    static func discard(_ place: JobPlaces.Place, _ id: String) {
        guard let held = try? place.holdFolder() else { return }
        for name in [outputName(place, id), errorsName(place, id)] {
            try? held.act { folder throws(RoostError) in try folder.remove(name) }
        }
    }
}
