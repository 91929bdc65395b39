internal import RoostBasics
public import RoostCommand
internal import RoostDelivery
public import RoostEvaluation
internal import RoostFiles
internal import RoostFunctions
public import RoostHost
internal import RoostJSON
internal import RoostShell

/// The host's own code, as this binary carries it.
struct LinkedHost: HostWithin {
    func serve(_ settings: ServeSettings) -> Int32 {
        do throws(RoostError) {
            return RoostHost.serve(try ServeOptions(settings))
        } catch {
            Console.warn("roost: \(error)")
            return error.code == .invalidArgument ? 2 : 1
        }
    }

    func verify(file: String, examples: String?, home: String?) throws(RoostError) -> FileReport {
        let proof = try RoostHost.verify(file: file, examples: examples, options: try .here(home: home))
        return FileReport(lines: proof.lines, json: proof.json)
    }

    func predict(
        file: String, body: [UInt8], contentType: String, accept: String?, home: String?
    ) throws(RoostError) -> (status: Int, body: [UInt8]) {
        try RoostHost.predict(
            file: file, body: body, contentType: contentType, accept: accept, options: try .here(home: home))
    }

    func open(file: String, home: String?) throws(RoostError) -> any OpenModel {
        try FileModel(file, options: try .here(home: home))
    }

    func score(
        file: String, _ spec: JobSpec, home: String?, onProgress: @escaping (JSONValue) -> Void
    ) throws(RoostError) -> JSONValue {
        try RoostHost.score(file: file, spec, options: try .here(home: home), onProgress: onProgress)
    }

    func runtime(_ name: String?, for model: String, home: String?) throws(RoostError) -> String {
        try RoostHost.runtime(named: name, for: model, options: try .here(home: home))
    }
}

extension FileModel: OpenModel {
    public var task: TaskDescription? { card?.task }
}

extension ServeOptions {
    /// What follows from where the program is and what it may use.
    static func here(home: String?) throws(RoostError) -> ServeOptions {
        var options = ServeOptions()
        if let home { options.home = home }
        options.binaries = try ThisProcess.programFolder().path
        options.cores = ThisProcess.cores
        options.heldBodyBytesMax = ThisProcess.memoryBytes / 8
        let folders = environmentVariable("ROOST_RUNTIMES") ?? ""
        options.runtimeFolders = folders.split(separator: ":").map(String.init)
        // For tests and debugging of the sandbox itself.
        options.allowsForks = environmentVariable("ROOST_SANDBOX") == "no-fork-rule"
        return options
    }

    init(_ settings: ServeSettings) throws(RoostError) {
        self = try .here(home: settings.home)
        listen = try Self.place(settings.listen)
        hosts = settings.hostNames
        tokenFile = settings.tokenFile
        bodyBytesMax = settings.bodyMax.bytes
        if let held = settings.bodiesInMemoryMax { heldBodyBytesMax = held.bytes }
        drain = settings.drain
        rescan = settings.rescan
        dataFolders = settings.dataFolders
        loadMemory = settings.loadMemory
        warmMemory = settings.warmMemory
        instancesMax = settings.instancesMax ?? 128 * cores
        loadTimeout = settings.loadTimeout
        keep = settings.keep
        guard let name = settings.user else { return }
        guard let number = ThisProcess.userNumber(name) else {
            throw RoostError(.invalidArgument, "--user \(name): there is no such user on this machine")
        }
        user = number
    }

    /// `HOST:PORT`, `[ADDRESS]:PORT`.
    private static func place(_ text: String) throws(RoostError) -> (host: String, port: UInt16) {
        guard let colon = text.lastIndex(of: ":"), let port = UInt16(text[text.index(after: colon)...]),
            colon > text.startIndex
        else { throw RoostError(.invalidArgument, "--listen \(text): expected HOST:PORT, like 127.0.0.1:8080") }
        var host = String(text[..<colon])
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        return (host == "localhost" ? "127.0.0.1" : host, port)
    }
}
