internal import RoostBasics
internal import RoostDelivery
internal import RoostFunctions

/// Requests that are answered later.
extension Triggers {
    func open(_ queue: QueueTrigger, _ spec: TriggerSpec, of function: FunctionName) {
        let settings = DeliverySettings(policy: spec.retry, limits: queue.limits, keep: queue.keep)
        deliveries.open(DeliveryOwner(function, spec.name, .queue), settings) { [unowned self] item in
            guard let request = TriggerRequest(stored: item.payload) else {
                return item.fail(.permanent("what is stored is no request"))
            }
            ask(function, request, for: item) { item.succeed(DeliveryOutput(result: $0.stored)) }
        }
    }
}
