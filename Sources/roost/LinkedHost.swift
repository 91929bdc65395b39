internal import RoostBasics
internal import RoostCommand
internal import RoostHost
internal import RoostShell

/// The host's own code, as this binary carries it.
struct LinkedHost: HostWithin {
    let release = RoostVersion.current

    func serve(_ settings: ServeSettings) throws(RoostError) -> Int32 {
        var options = ServeOptions()
        options.home = settings.home
        options.listen = (host: settings.listen.host, port: settings.listen.port)
        options.hosts = settings.hostNames
        options.bodyBytesMax = settings.bodyMax.bytes
        options.heldBodyBytesMax = settings.bodiesInMemoryMax?.bytes
        options.drain = settings.drain
        options.rescan = settings.rescan
        options.loadMemory = settings.loadMemory
        options.keep = settings.keep
        options.cores = availableCores()
        options.binaries = programFolder() ?? options.binaries
        options.runtimeFolders = environmentVariable("ROOST_RUNTIMES")?.split(separator: ":").map(String.init) ?? []
        if let user = settings.user {
            guard let number = userNumber(of: user) else {
                throw RoostError(
                    .notFound, "serve: there is no user \"\(user)\": name one of this machine, or a number")
            }
            options.user = number
        }
        return RoostHost.serve(options)
    }

    func verify(file: String, examples: String?, home: String?) throws(RoostError) -> FileReport {
        throw RoostError(.unavailable, "verify \(file): waits for the host's probation")
    }

    func predict(
        file: String, body: [UInt8], contentType: String, accept: String?, home: String?
    ) throws(RoostError) -> (status: Int, body: [UInt8]) {
        throw RoostError(.unavailable, "predict \(file): waits for the host's probation")
    }

    func runtime(_ name: String?, for model: String, home: String?) throws(RoostError) -> String {
        throw RoostError(.unavailable, "pack \(model): waits for the host's list of runtimes")
    }
}
