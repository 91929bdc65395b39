internal import RoostBasics
internal import RoostClient
internal import RoostEvaluation
internal import RoostFeedback
internal import RoostFunctions
internal import RoostJSON
internal import RoostLoop
internal import RoostTraffic

/// What the machine wants for a rollout: counting, looking, asking others.
extension Deploying {
    /// Copies of what stable answers that go to the canary, in percent.
    private static let shadowPercent = 10

    func collect(_ name: FunctionName, _ wanted: Collection) {
        if wanted.evidence == nil, let watch = watches[name] { return watch.evidence.beginStratum() }
        unwatch(name)
        let watch = RolloutWatch(
            canary: wanted.canary, stable: wanted.stable, since: wanted.since,
            wanted.evidence ?? Evidence())
        watches[name] = watch
        for number in [wanted.canary, wanted.stable] {
            guard let service = service(VersionID(name, number)) else { continue }
            service.watch(by: watch)
            apply(manifests[name], to: service)
        }
        rolloutShadows[name] = ShadowPlan(version: wanted.canary.description, percent: Self.shadowPercent)
    }

    func stopCollecting(_ name: FunctionName) {
        replays.removeValue(forKey: name)?.cancel()
        unwatch(name)
    }

    private func unwatch(_ name: FunctionName) {
        guard let watch = watches.removeValue(forKey: name) else { return }
        rolloutShadows[name] = nil
        for number in [watch.canary, watch.stable] {
            guard let service = serving.services[VersionID(name, number)] else { continue }
            service.watch(by: nil)
            apply(manifests[name], to: service)
        }
    }

    /// Labels are looked up on the recorder's thread; without them the rest counts.
    func observe(_ name: FunctionName) {
        guard let watch = watches[name] else { return tell(.observed(name, Evidence())) }
        guard let metric = machine.functions[name]?.liveRollout?.plan.analysis.quality.metric else {
            return tell(.observed(name, watch.evidence))
        }
        do throws(RoostError) {
            try serving.recorder.outcomes(
                of: name, [watch.canary, watch.stable], since: Int64(watch.since) * 1_000_000
            ) { [unowned self] found in
                // Of another comparison by now: its own answer is on its way, or not asked for yet.
                guard watches[name] === watch else { return }
                if case .success(let qualities) = found {
                    for quality in qualities {
                        let labels = Labels.OfVersion(quality, metric)
                        if quality.version == watch.canary {
                            watch.evidence.labels.canary = labels
                        } else {
                            watch.evidence.labels.stable = labels
                        }
                    }
                }
                tell(.observed(name, watch.evidence))
            }
        } catch { tell(.observed(name, watch.evidence)) }
    }

    /// Asks on a thread of its own: a gate that is slow to answer keeps no other one waiting.
    func ask(_ name: FunctionName, _ question: RolloutGateCall) {
        var body = question.body.objectValue ?? JSONObject()
        body["function"] = .string(name.text)
        let request = ClientRequest(
            "POST", question.gate.url.path, headers: [HeaderField("Content-Type", "application/json")],
            body: Array(JSONValue.object(body).compact.utf8))
        let url = question.gate.url
        let client = Client(
            .tcp(host: url.host, port: url.port), patience: question.gate.timeout, rule: addressRule(url))
        gateCalls += 1
        let thread = try? Worker<RolloutGateAnswer>(on: loop) { [unowned self, number = gateCalls] answer in
            gateThreads.removeValue(forKey: number)?.close()
            tell(.gateAnswered(name, call: question.call, answer))
        }
        guard let thread else {
            return tell(.gateAnswered(name, call: question.call, .failed(reason: "no thread could be started")))
        }
        gateThreads[gateCalls] = thread
        thread.submit {
            do throws(RoostError) {
                let reply = try client.send(request)
                return reply.isSuccess
                    ? .passed : .failed(reason: "status \(reply.status): \(reply.text.prefix(200))")
            } catch { return .failed(reason: "\(error)") }
        }
    }

    /// How many recorded requests a new version is scored against.
    private static let replayRequests = 500

    func replay(_ name: FunctionName, canary: VersionNumber, stable: VersionNumber, call: Int) {
        replays.removeValue(forKey: name)?.cancel()
        let answer = { [unowned self] (result: RolloutReplayResult) in
            replays[name] = nil
            tell(.replayed(name, call: call, result))
        }
        guard manifests[name].replay != nil else {
            return answer(.unavailable(reason: "no requests are recorded"))
        }
        do throws(RoostError) {
            try serving.recorder.requests(of: name, atMost: Self.replayRequests) { [unowned self] found in
                guard case .success(let requests) = found, !requests.isEmpty else {
                    return answer(.unavailable(reason: "no requests are recorded yet"))
                }
                guard let canary = addressed(VersionID(name, canary)), let stable = addressed(VersionID(name, stable))
                else { return answer(.unavailable(reason: "one of the versions takes no requests")) }
                let settings = machine.functions[name]?.liveRollout?.plan.analysis ?? AnalysisSettings()
                let run = ReplayRun(requests.map(\.body), stable: stable, canary: canary, settings, on: serving, answer)
                replays[name] = run
                run.begin()
            }
        } catch { answer(.unavailable(reason: error.message)) }
    }
}

extension Labels.OfVersion {
    fileprivate init(_ quality: VersionQuality, _ metric: QualityMetric) {
        self.init(
            recorded: quality.coverage.recorded, labelled: quality.coverage.labelled,
            estimate: quality.figures.first { $0.metric == metric }?.estimate)
    }
}
