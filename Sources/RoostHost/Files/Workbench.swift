internal import RoostBasics
internal import RoostELF
internal import RoostFiles
internal import RoostFunctions
internal import RoostLoop
internal import RoostProcess

/// What is needed to try one file without a host: a loop, a nursery, and the runtimes that are installed.
final class Workbench {
    let loop: Loop
    let processes: Processes
    let catalog: RuntimeCatalog
    let options: ServeOptions

    init(_ options: ServeOptions) throws(RoostError) {
        self.options = options
        let binaries = Folder(options.binaries)
        catalog = RuntimeCatalog(
            folders: options.runtimeFolders.map { Folder($0) } + [
                Folder(options.home).folder("runtimes"), binaries.folder("../lib/roost/runtimes"), binaries,
            ])
        do throws(UVError) { loop = try Loop() } catch { throw RoostError(.system, "\(error)") }
        var settings = NurserySettings(binary: binaries.path("roost-instance"))
        (settings.user, settings.group, settings.allowsForks) = (options.user, options.user, options.allowsForks)
        if let memory = options.loadMemory { settings.loadMemoryBytes = UInt64(memory.bytes) }
        processes = try Processes(on: loop, settings: settings) { Console.warn("roost: warning: \($0)") }
    }

    /// The ways to load a file, with the refusals that its first bytes deserve.
    /// - Parameter examples: a file of golden examples; nil: those in the plugin.
    func artifacts(_ path: String, examples: String?) throws(RoostError) -> [Artifact] {
        let name = String(path.split(separator: "/").last ?? "")
        let file = try FileDescriptor(reading: path)
        let given = try examples.map { (path) throws(RoostError) -> [UInt8] in
            let file = try FileDescriptor(reading: path)
            return try file.read(try file.status().size, at: 0)
        }
        do {
            let source = try ByteSource(descriptor: file.number)
            switch try FileStructure.examine(source, fileName: name) {
            case .growing(let reason), .broken(let reason): throw RoostError(.invalidArgument, "\(path): \(reason)")
            case .sealed, .whole: break
            }
            let digest = try source.digest()
            guard try FileKind(head: source.readUpTo(FileKind.headBytes, at: 0)) == .elf else {
                return try models(path, given ?? [], digest)
            }
            let plugin = try PluginFile(source)
            let card = try plugin.readCard()
            return [
                Artifact(
                    plugin: path, modelFile: nil, modelSection: plugin.model, flags: plugin.flags, runtime: "plugin",
                    examples: given ?? plugin.examples ?? [], digest: digest, card: card)
            ]
        } catch let error as ELFError {
            throw RoostError(error.asRoostError.code, "\(path): \(error)")
        } catch let error as RoostError {
            throw error
        } catch {
            throw RoostError(.system, "\(path): \(error)")
        }
    }

    private func models(_ path: String, _ examples: [UInt8], _ digest: SHA256Digest) throws(RoostError) -> [Artifact] {
        guard !catalog.runtimes.isEmpty else {
            throw RoostError(
                .unavailable, "no runtime is installed: put its .so beside roost or name its folder in ROOST_RUNTIMES")
        }
        return catalog.runtimes.map {
            Artifact(
                plugin: $0.path, modelFile: path, modelSection: nil, flags: $0.flags, runtime: $0.name,
                examples: examples, digest: digest)
        }
    }

    /// Puts the file through probation.
    func prove(_ path: String, examples: String?) throws(RoostError) -> Probation.Result {
        let candidates = try artifacts(path, examples: examples)
        var settings = LoadSettings()
        settings.examplesMax = .max
        var outcome: Result<Probation.Result, RoostError>?
        do {
            let probation = try Probation(
                label(of: path), candidates, settings: settings, patience: options.loadTimeout,
                hostBuild: options.build, processes: processes, on: loop
            ) { [loop] result, printed in
                outcome = result
                let text = printed.suffix(from: 0)
                if !text.isEmpty { Console.warn(String(text.bytes)) }
                loop.stop()
            }
            probation.start()
            if outcome == nil { loop.run() }
        } catch let error as RoostError {
            throw error
        } catch {
            throw RoostError(.system, "\(error)")
        }
        guard let outcome else { throw RoostError(.system, "\(path): probation ended without a verdict") }
        return try outcome.get()
    }

    /// `credit@3` for `some/where/credit@3.so`; what a process is called in its own messages.
    func label(of path: String) -> String {
        let name = String(path.split(separator: "/").last ?? "file")
        switch DropName(name) {
        case .version(let id, _): return id.description
        case .unversioned(let function, _): return "\(function)@1"
        case .ignored, .note, .unparsable: return "file@1"
        }
    }

    /// Ends every process that was started.
    func close() {
        processes.shutDown { [loop] in loop.stop() }
        loop.run()
    }
}
