internal import RoostBasics
internal import RoostELF
internal import RoostFiles
internal import RoostFunctions

/// All that a process needs to load one version: files in the store, and what was read from them without running code.
struct Artifact: Sendable {
    /// The plugin to dlopen: the version's own file, or an installed runtime.
    let plugin: String
    /// A model file of its own, or nil.
    let modelFile: String?
    /// The model inside the plugin's file, or nil.
    let modelSection: Range<Int>?
    let flags: PluginFlags
    /// For people: the plugin's or runtime's name.
    let runtime: String
    /// Golden examples, JSON Lines; empty when there are none.
    let examples: [UInt8]
    /// Of the stored file; what probation was recorded for.
    let digest: SHA256Digest
    /// What the file says of itself; nil for a bare model file.
    var card: Card?
}

/// A runtime that loads model files: a plugin without a model of its own.
struct InstalledRuntime: Sendable {
    let name: String
    let path: String
    let flags: PluginFlags
}

/// The runtimes that were found at start, in order of name.
struct RuntimeCatalog: Sendable {
    private(set) var runtimes: [InstalledRuntime] = []
    /// Files that look like runtimes and cannot be used, with the reason.
    private(set) var warnings: [String] = []

    /// Looks into the folders in turn; of runtimes with one name the first is taken.
    init(folders: [Folder]) {
        for folder in folders {
            guard let entries = try? folder.list() else { continue }
            for entry in entries.sorted(by: { $0.name < $1.name }) where entry.name.hasSuffix(".so") {
                add(folder, entry.name)
            }
        }
        runtimes.sort { $0.name < $1.name }
    }

    private mutating func add(_ folder: Folder, _ file: String) {
        let stem = file.dropLast(3)
        let name = String(stem.hasPrefix("lib") ? stem.dropFirst(3) : stem)
        guard !runtimes.contains(where: { $0.name == name }) else { return }
        do throws(RoostError) {
            let descriptor = try FileDescriptor(reading: folder.path(file))
            let plugin = try Self.read(descriptor)
            guard plugin.model == nil else { return }
            runtimes.append(InstalledRuntime(name: name, path: folder.path(file), flags: plugin.flags))
        } catch {
            warnings.append("runtime \(folder.path(file)) is left out: \(error)")
        }
    }

    private static func read(_ file: FileDescriptor) throws(RoostError) -> PluginFile {
        do { return try PluginFile(ByteSource(descriptor: file.number)) } catch { throw error.asRoostError }
    }

    func runtime(named name: String) -> InstalledRuntime? { runtimes.first { $0.name == name } }
}
