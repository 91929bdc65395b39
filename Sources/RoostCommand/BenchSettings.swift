internal import RoostBasics
internal import RoostLoad

/// The options of `roost bench` beside those that find the host.
enum BenchOption {
    static let rate = Option("rate", value: "N", "requests a second (default: 100)")
    static let duration = Option("for", value: "TIME", "how long requests become due (default: 10s)")
    static let from = Option("from", value: "FILE", "rows to send, in turn; - reads the standard input")
    static let rows = Option("rows-per-request", value: "N", "rows in each request (default: 1)")
    static let arrivals = Option(
        "arrivals", value: "PATTERN", "constant distances (default), or poisson: at random, as many callers come")
    static let seed = Option("seed", value: "N", "of what is random: arrivals and made rows (default: 1)")
    static let connections = Option("connections", value: "N", "open at most so many connections (default: 64)")
    static let timeout = Option(
        "timeout", value: "TIME", "give a request up so long after it was due (default: 60s)")
    static let `protocol` = Option(
        "protocol", value: "v2|predict", "the endpoint (default: predict for rows, v2 for made requests)")
    static let all = [rate, duration, from, rows, arrivals, seed, connections, timeout, `protocol`]
}

/// What a run is told to do.
struct BenchSettings {
    /// An endpoint's way to take rows.
    enum Endpoint: String {
        case v2
        case predict
    }

    var arrivals: Arrivals
    /// A file with rows, or `-`; nil: rows are made.
    var from: String?
    var rowsPerRequest = 1
    var seed: UInt64 = 1
    var connections = 64
    var timeout = Instant.Span.seconds(60)
    var `protocol`: Endpoint?

    static let rateMax = 1_000_000.0
    static let connectionsMax = 65_536
    static let rowsMax = 1_000_000

    init(arrivals: Arrivals) { self.arrivals = arrivals }

    init(_ call: Call) throws {
        let rate =
            try call.value(of: BenchOption.rate, as: "a number of requests a second, above 0 and up to 1000000") {
                text in
                Double(text).flatMap { $0 > 0 && $0 <= Self.rateMax ? $0 : nil }
            } ?? 100
        let duration = try Self.time(call, BenchOption.duration) ?? .seconds(10)
        let words = Arrivals.Pattern.allCases.map(\.rawValue).joined(separator: " or ")
        let pattern = try call.value(of: BenchOption.arrivals, as: words) { Arrivals.Pattern(rawValue: $0) }
        seed = try call.value(of: BenchOption.seed, as: "a whole number") { UInt64($0) } ?? seed
        arrivals = Arrivals(rate: rate, duration: duration, pattern: pattern ?? .constant, seed: seed)
        from = call.value(of: BenchOption.from)
        rowsPerRequest = try Self.count(call, BenchOption.rows, max: Self.rowsMax) ?? rowsPerRequest
        connections = try Self.count(call, BenchOption.connections, max: Self.connectionsMax) ?? connections
        timeout = try Self.time(call, BenchOption.timeout) ?? timeout
        `protocol` = try call.value(of: BenchOption.protocol, as: "v2 or predict") { Endpoint(rawValue: $0) }
    }

    private static func time(_ call: Call, _ option: Option) throws -> Instant.Span? {
        try call.value(of: option, as: "a time like 250ms, 30s or 10m, above 0") { text in
            Instant.Span(text).flatMap { $0 > .zero ? $0 : nil }
        }
    }

    private static func count(_ call: Call, _ option: Option, max: Int) throws -> Int? {
        try call.value(of: option, as: "a whole number from 1 to \(max)") { text in
            Int(text).flatMap { (1...max).contains($0) ? $0 : nil }
        }
    }
}
