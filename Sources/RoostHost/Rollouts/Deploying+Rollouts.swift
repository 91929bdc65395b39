internal import RoostBasics
internal import RoostClient
internal import RoostFunctions
internal import RoostJSON
internal import RoostLoop
internal import RoostTraffic

/// What the machine wants for a rollout: counting, looking, asking others.
extension Deploying {
    func collect(_ name: FunctionName, _ wanted: Collection) {
        let watch: RolloutWatch
        if let evidence = wanted.evidence {
            watch = RolloutWatch(canary: wanted.canary, stable: wanted.stable, evidence)
        } else {
            watch = watches[name] ?? RolloutWatch(canary: wanted.canary, stable: wanted.stable, Evidence())
            watch.evidence.beginStratum()
        }
        stopCollecting(name)
        watches[name] = watch
        for number in [wanted.canary, wanted.stable] {
            guard let service = service(VersionID(name, number)) else { continue }
            service.watch = watch
            service.isCanary = number == wanted.canary
            apply(manifests[name], to: service)
        }
    }

    func stopCollecting(_ name: FunctionName) {
        guard let watch = watches.removeValue(forKey: name) else { return }
        for number in [watch.canary, watch.stable] {
            guard let service = serving.services[VersionID(name, number)] else { continue }
            service.watch = nil
            service.isCanary = false
            apply(manifests[name], to: service)
        }
    }

    func observe(_ name: FunctionName) {
        guard let watch = watches[name] else { return tell(.observed(name, Evidence())) }
        tell(.observed(name, watch.evidence))
    }

    /// Asks on a thread of its own: a gate that is slow to answer keeps no other one waiting.
    func ask(_ name: FunctionName, _ question: RolloutGateCall) {
        var body = question.body.objectValue ?? JSONObject()
        body["function"] = .string(name.text)
        let request = ClientRequest(
            "POST", question.gate.url.path, headers: [HeaderField("Content-Type", "application/json")],
            body: Array(JSONValue.object(body).compact.utf8))
        let url = question.gate.url
        let client = Client(.tcp(host: url.host, port: url.port), patience: question.gate.timeout)
        var thread: Worker<RolloutGateAnswer>?
        thread = try? Worker(on: loop) { [weak self] answer in
            thread?.close()
            thread = nil
            self?.tell(.gateAnswered(name, call: question.call, answer))
        }
        guard let thread else {
            return tell(.gateAnswered(name, call: question.call, .failed(reason: "no thread could be started")))
        }
        thread.submit {
            do throws(RoostError) {
                let reply = try client.send(request)
                return reply.isSuccess
                    ? .passed : .failed(reason: "status \(reply.status): \(reply.text.prefix(200))")
            } catch { return .failed(reason: "\(error)") }
        }
    }

    func replay(_ name: FunctionName, call: Int) {
        tell(.replayed(name, call: call, .unavailable(reason: "no requests are recorded")))
    }
}
