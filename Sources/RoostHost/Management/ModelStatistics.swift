internal import RoostBasics
internal import RoostChannel
internal import RoostFunctions
internal import RoostJSON
internal import RoostLoop

/// What versions have done since the host started, as the statistics extension of the Open Inference Protocol v2 words
/// it: https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_statistics.md
struct ModelStatistics {
    let json: JSONValue

    /// - Parameter target: a function, or one version of it; nil: everything.
    /// - Throws: `notFound`.
    init(_ host: Host, _ target: Endpoint.Target?) throws(RoostError) {
        let machine = host.deploying.machine
        var versions: [VersionDeployment] = []
        if let target {
            guard let name = FunctionName(target.function) else {
                throw RoostError(.notFound, "\"\(target.function)\" is no function's name")
            }
            if let version = target.version {
                versions = [try machine.known(name, version)]
            } else {
                versions = Self.present(try machine.known(name))
            }
        } else {
            versions = machine.functions.values.sorted { $0.name < $1.name }.flatMap(Self.present)
        }
        let (now, unixMilliseconds) = (host.loop.now, Loop.unixMicroseconds / 1000)
        json = [
            "model_stats": .array(
                versions.map { version in
                    let statistics = host.serving.services[version.id]?.statistics ?? VersionStatistics()
                    return Self.entry(version.id, statistics, now, unixMilliseconds)
                })
        ]
    }

    /// Without those whose files are gone.
    private static func present(_ function: FunctionDeployment) -> [VersionDeployment] {
        function.versions.values.filter { $0.state != .retired }.sorted { $0.id < $1.id }
    }

    private static func entry(
        _ id: VersionID, _ statistics: VersionStatistics, _ now: Instant, _ unixMilliseconds: Int64
    ) -> JSONValue {
        let done = statistics.executions
        let ok = statistics.count(.ok)
        let phase = { (nanoseconds: UInt64) in duration(done.requests, nanoseconds) }
        return [
            "name": .string(id.function.text), "version": .string(id.number.description),
            "last_inference": .integer(
                statistics.lastAnswer.map { Int(unixMilliseconds) - Int(clamping: (now - $0).nanoseconds / 1_000_000) }
                    ?? 0),
            "inference_count": .integer(Int(clamping: done.rows)),
            "execution_count": count(done.executions),
            "inference_stats": [
                "success": duration(ok, statistics.okNanoseconds),
                "fail": duration(
                    statistics.requests - ok, statistics.total.totalNanoseconds &- statistics.okNanoseconds),
                "queue": phase(done.queueNanoseconds), "compute_input": phase(done.decodeNanoseconds),
                "compute_infer": phase(done.inferNanoseconds), "compute_output": phase(done.encodeNanoseconds),
                // There is no cache of replies.
                "cache_hit": duration(0, 0), "cache_miss": duration(0, 0),
            ],
            "batch_stats": .array(done.sizes.sorted { $0.rows < $1.rows }.map(batch)),
        ]
    }

    private static func batch(_ size: ExecutionTotals.BatchTotals) -> JSONValue {
        let phase = { (nanoseconds: Double) -> JSONValue in
            ["count": count(size.executions), "ns": count(nanoseconds)]
        }
        return [
            "batch_size": .integer(Int(size.rows)), "compute_input": phase(size.decodeNanoseconds),
            "compute_infer": phase(size.inferNanoseconds), "compute_output": phase(size.encodeNanoseconds),
        ]
    }

    private static func duration(_ count: UInt64, _ nanoseconds: UInt64) -> JSONValue {
        ["count": .integer(Int(clamping: count)), "ns": .integer(Int(clamping: nanoseconds))]
    }

    /// Of a sum of parts: what an instance tells may be anything.
    private static func count(_ sum: Double) -> JSONValue { .integer(Int(exactly: sum.rounded()) ?? .max) }
}
