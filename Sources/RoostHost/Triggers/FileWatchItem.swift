internal import RoostBasics
internal import RoostDelivery
internal import RoostFunctions
internal import RoostJSON

/// One complete file of a watched folder: the item of a file trigger, as it is kept.
struct FileWatchItem: Hashable, Sendable {
    /// The watched folder; with the item, since the manifest may name another one by the time it runs.
    let folder: DataPath
    let name: String
    let stamp: FileStamp
    /// SHA-256 in hexadecimal digits, of files that are left where they are.
    let digest: String?

    var path: DataPath { folder.appending(name) }

    /// What makes it the same work. A file that is moved away leaves its place for new work, so how it lies there is
    /// enough; one that stays is told by its content, so that a restart, or a copy with its time kept, changes nothing.
    var key: String {
        digest.map { "\(name) \(stamp.modifiedNS) \($0)" }
            ?? "\(name) \(stamp.modifiedNS) \(stamp.size) \(stamp.inode)"
    }

    init(folder: DataPath, name: String, stamp: FileStamp, digest: String?) {
        (self.folder, self.name, self.stamp, self.digest) = (folder, name, stamp, digest)
    }

    var payload: [UInt8] {
        var object = JSONObject([
            ("folder", .string(folder.text)), ("name", .string(name)), ("size", .integer(stamp.size)),
            ("modified", .integer(stamp.modifiedNS)), ("inode", .string(String(stamp.inode))),
        ])
        object["sha256"] = digest.map { .string($0) }
        return Array(JSONValue.object(object).compact.utf8)
    }

    /// Reads what `payload` wrote; nil for anything else.
    init?(payload: [UInt8]) {
        guard let json = try? JSONValue(parsing: payload), let folder = json["folder"]?.stringValue,
            let name = json["name"]?.stringValue, let size = json["size"]?.intValue,
            let modified = json["modified"]?.intValue,
            let inode = json["inode"]?.stringValue.flatMap({ UInt64($0) }),
            let path = folder.isEmpty ? DataPath.root : (try? DataPath(folder))
        else { return nil }
        self.init(
            folder: path, name: name, stamp: FileStamp(size: size, modifiedNS: modified, inode: inode),
            digest: json["sha256"]?.stringValue)
    }
}

extension JobSpec {
    /// What a file trigger wants of a file; the output has the input's name, with the ending of its format.
    /// - Parameter name: of the output, once it is chosen.
    init(_ item: FileWatchItem, _ trigger: FileTrigger, output name: String?) {
        self.init(input: item.path.text, output: nil, trigger.job)
        options.outputFormat = trigger.job.outputFormat ?? inputFormat
        output = trigger.output.appending(name ?? Self.outputName(item.name, inputFormat, writtenFormat)).text
    }

    private static func outputName(_ input: String, _ from: Format, _ to: Format) -> String {
        guard from != to else { return input }
        let name = NumberedName(input)
        let endings = name.endings.hasSuffix(".gz") ? ".gz" : ""
        return "\(name.stem).\(to.rawValue)\(endings)"
    }
}
