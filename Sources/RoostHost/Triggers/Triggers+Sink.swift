internal import RoostBasics
internal import RoostClient
internal import RoostDelivery
internal import RoostFunctions
internal import RoostLoop
internal import RoostTraffic

/// Outcomes that others are told of. Each is an item of its own, so that a sink that is away neither keeps the trigger
/// nor makes a prediction run again.
extension Triggers {
    /// How long a sink may stay silent.
    private static let patience = Instant.Span.seconds(30)
    /// Calls to one sink at a time.
    private static let callsMax = 4

    func openSink(_ owner: DeliveryOwner, _ url: WebhookURL, retry: RetryPolicy, keep: Instant.Span) {
        var policy = retry
        policy.timeout = nil
        let limits = DeliveryQueue.Limits(concurrency: Self.callsMax, capacity: .max)
        let settings = DeliverySettings(policy: policy, limits: limits, keep: keep)
        let caller = sinkCallers[owner] ?? SinkCaller(on: host.loop)
        sinkCallers[owner] = caller
        deliveries.open(owner, settings) { [unowned self] item in
            let rule = host.rule(for: url)
            let client = Client(.tcp(host: url.host, port: url.port), patience: Self.patience, rule: rule)
            guard let event = try? CloudEvent(json: item.payload) else {
                return item.fail(.permanent("what is stored is no event"))
            }
            let (headers, body) = event.binary
            let request = ClientRequest(
                "POST", url.path, headers: headers.map { HeaderField($0.name, $0.value) }, body: body)
            caller.send(request, to: client) { failure in
                if let failure { item.fail(failure) } else { item.succeed() }
            }
        }
    }
}

/// Calls one sink on threads of its own: one that is slow keeps nobody else waiting.
///
/// Belongs to the loop.
final class SinkCaller {
    private let loop: Loop
    private var threads: [Int: Worker<DeliveryFailure?>] = [:]
    private var callbacks: [Int: (DeliveryFailure?) -> Void] = [:]
    private var idleThreads: [Int] = []

    init(on loop: Loop) { self.loop = loop }

    /// - Parameter then: nil when the sink has taken it.
    func send(_ request: ClientRequest, to client: Client, _ then: @escaping (DeliveryFailure?) -> Void) {
        let number = idleThreads.popLast() ?? threads.count
        if threads[number] == nil {
            threads[number] = try? Worker(on: loop) { [unowned self] failure in
                idleThreads.append(number)
                callbacks.removeValue(forKey: number)?(failure)
            }
        }
        guard let thread = threads[number] else { return then(.transient("no thread could be started")) }
        callbacks[number] = then
        thread.submit {
            do throws(RoostError) {
                let reply = try client.send(request)
                return reply.isSuccess ? nil : reply.failure
            } catch {
                if error.code == .forbidden { return .permanent(error.message) }
                return .transient("\(client.address): \(error.message)")
            }
        }
    }

    /// Nobody waits any more.
    func close() {
        for thread in threads.values { thread.abandon() }
        threads = [:]
        callbacks = [:]
    }
}

extension ClientReply {
    /// Any status may be another one next time. Only whole seconds of `Retry-After` are understood.
    fileprivate var failure: DeliveryFailure {
        let wait = header("retry-after").flatMap { UInt64($0) }.map { Instant.Span.seconds(min($0, 86_400)) }
        return .transient("the sink answered \(status): \(text.prefix(200))", retryAfter: wait)
    }
}
