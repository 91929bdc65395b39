internal import Glibc
internal import RoostBasics
internal import RoostCommand
internal import RoostHost

/// The host's own code, as this binary carries it.
struct LinkedHost: HostWithin {
    func serve(_ settings: ServeSettings) -> Int32 {
        var options = ServeOptions()
        options.home = settings.home
        options.listen = (host: "127.0.0.1", port: 8080)
        return RoostHost.serve(options)
    }
    func verify(file: String, examples: String?, home: String?) throws(RoostError) -> FileReport { throw RoostError(.unavailable, "x") }
    func predict(
        file: String, body: [UInt8], contentType: String, accept: String?, home: String?
    ) throws(RoostError) -> (status: Int, body: [UInt8]) { throw RoostError(.unavailable, "x") }
    func runtime(_ name: String?, for model: String, home: String?) throws(RoostError) -> String { throw RoostError(.unavailable, "x") }
}
