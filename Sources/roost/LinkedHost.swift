internal import RoostBasics
internal import RoostCommand

/// The host's own code, as this binary carries it.
struct LinkedHost: HostWithin {
    private static let absent = RoostError(.unavailable, "this binary carries no host")

    func serve(_ settings: ServeSettings) -> Int32 { 1 }
    func verify(file: String, examples: String?, home: String?) throws(RoostError) -> FileReport { throw Self.absent }
    func predict(
        file: String, body: [UInt8], contentType: String, accept: String?, home: String?
    ) throws(RoostError) -> (status: Int, body: [UInt8]) { throw Self.absent }
    func runtime(_ name: String?, for model: String, home: String?) throws(RoostError) -> String { throw Self.absent }
}
