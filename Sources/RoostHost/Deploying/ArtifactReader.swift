internal import RoostBasics
internal import RoostELF
internal import RoostFiles
internal import RoostFunctions
internal import RoostJSON

/// Finds out how a stored file can be loaded, by reading it. Belongs on a thread that may wait for the disk.
struct ArtifactReader: Sendable {
    let store: ArtifactStore
    let catalog: RuntimeCatalog
    let functions: Folder

    static let examplesBytesMax = 64 << 20

    /// The ways to load the file, best first: itself for a plugin, else each runtime (or only the one named).
    func artifacts(
        _ stored: StoredFile, of version: VersionID, runtime: String? = nil
    ) throws(RoostError) -> [Artifact] {
        guard let digest = SHA256Digest(hex: stored.digest) else {
            throw RoostError(.system, "\"\(stored.digest)\" is no digest")
        }
        let path = store.path(digest)
        switch stored.kind {
        case .plugin: return [try plugin(path, digest)]
        case .model:
            let examples = try examples(of: version)
            let runtimes = catalog.runtimes.filter { runtime == nil || $0.name == runtime }
            guard !runtimes.isEmpty else {
                throw RoostError(
                    .unavailable,
                    "runtime \(runtime ?? "for model files") is not installed: put its .so beside roost or into ROOST_RUNTIMES"
                )
            }
            return runtimes.map {
                Artifact(
                    plugin: $0.path, modelFile: path, modelSection: nil, flags: $0.flags, runtime: $0.name,
                    examples: examples, digest: digest)
            }
        }
    }

    private func plugin(_ path: String, _ digest: SHA256Digest) throws(RoostError) -> Artifact {
        let file = try FileDescriptor(reading: path)
        do {
            let plugin = try PluginFile(ByteSource(descriptor: file.number))
            let card = try plugin.readCard()
            return Artifact(
                plugin: path, modelFile: nil, modelSection: plugin.model, flags: plugin.flags, runtime: "plugin",
                examples: plugin.examples ?? [], digest: digest, card: card)
        } catch let error as ELFError {
            throw error.asRoostError
        } catch let error as RoostError {
            throw error
        } catch { throw RoostError(.system, "\(error)") }
    }

    /// Golden examples beside a bare model file: the version's own, else the function's; none is fine.
    private func examples(of version: VersionID) throws(RoostError) -> [UInt8] {
        let folder = functions.folder(version.function.text)
        for name in ["examples@\(version.number).jsonl", "examples.jsonl"] {
            do throws(RoostError) {
                return try folder.read(name, limit: Self.examplesBytesMax)
            } catch {
                guard error.code == .notFound else { throw error }
            }
        }
        return []
    }
}

extension PluginFile {
    /// Reads the card, if it carries one.
    /// - Throws: `invalidArgument` for a card that is none.
    func readCard() throws(RoostError) -> Card? {
        guard let card else { return nil }
        do throws(JSONError) { return try Card(try JSONDocument(parsing: card, source: "card")) } catch {
            throw error.asRoostError
        }
    }
}
