internal import RoostBasics
internal import RoostFunctions
internal import RoostHTTP
internal import RoostJSON
internal import RoostLoop
internal import RoostStore
internal import RoostTraffic

/// Rollouts and the audit log over HTTP.
extension Management {
    /// `GET …/rollout`, and with `?plan=3` what a rollout of that version would take at the present rate.
    func showRollout(_ name: String, _ query: String, _ id: RequestID) throws(RoostError) {
        let name = try functionName(name)
        let function = try host.deploying.machine.known(name)
        if let version = try Query(query, known: ["plan"])["plan"] {
            return reply(id, try RolloutPreview(host, function, version).json)
        }
        guard let rollout = function.rollout else {
            throw RoostError(.notFound, "\(name) has no rollout: begin one with `roost rollout start \(name)@VERSION`")
        }
        reply(id, rollout.status(at: now))
    }

    /// `POST …/rollout` with `{"version": "3"}`, or `{"next": true}`: the next version that becomes ready.
    func startRollout(
        _ name: String, _ head: borrowing RequestHead, _ body: RawSpan, _ id: RequestID
    ) throws(RoostError) {
        let (name, who) = (try functionName(name), Self.who(head))
        let wanted: (version: VersionNumber?, next: Bool)
        let document = try parse(body)
        do throws(JSONError) {
            let root = try document.root.object(known: ["version", "next"])
            let text = try root["version"]?.string()
            wanted = (text.flatMap { VersionNumber($0) }, try root["next"]?.bool() ?? false)
            guard wanted.version != nil || text == nil && wanted.next else {
                throw root.error("say {\"version\": \"3\"}, or {\"next\": true} for the next one to become ready")
            }
        } catch { throw error.asRoostError }
        guard let version = wanted.version else {
            try host.deploying.command { machine throws(RoostError) in
                machine.expectCanary(name)
            }
            return confirm(id, ["expected": true])
        }
        try host.deploying.command { machine throws(RoostError) in
            try machine.startRollout(VersionID(name, version), by: who, at: self.now)
        }
        try confirmRollout(of: name, id)
    }

    func steerRollout(
        _ name: String, _ command: RolloutCommand, _ head: borrowing RequestHead, _ body: RawSpan, _ id: RequestID
    ) throws(RoostError) {
        let (name, who) = (try functionName(name), Self.who(head))
        var reason = ""
        if body.byteCount > 0 {
            let document = try parse(body)
            do throws(JSONError) {
                reason = try document.root.object(known: ["reason"])["reason"]?.string() ?? ""
            } catch { throw error.asRoostError }
        }
        let now = now
        try host.deploying.command { machine throws(RoostError) in
            try machine.steerRollout(name, at: now) { rollout throws(RoostError) in
                switch command {
                case .promote: try rollout.promote(by: who, at: now)
                case .abort: try rollout.abort(by: who, reason: reason, at: now)
                case .pause: try rollout.pause(by: who, at: now)
                case .resume: try rollout.resume(by: who, at: now)
                }
            }
        }
        try confirmRollout(of: name, id)
    }

    private func confirmRollout(of name: FunctionName, _ id: RequestID) throws(RoostError) {
        confirm(id, try host.deploying.machine.known(name).rollout?.status(at: now) ?? .null)
    }

    /// `GET /audit`, `GET …/audit`, with `?limit=`.
    func audit(_ name: String?, _ query: String, _ id: RequestID) throws(RoostError) {
        var function: FunctionName?
        if let name { function = try functionName(name) }
        let limit = min(10_000, try Query(query, known: ["limit"]).number("limit") ?? 100)
        let (ledger, wanted) = (host.deploying.disk.ledger, function)
        host.deploying.journal.query {
            do throws(DatabaseError) { return .success(try ledger.audit.report(of: wanted, limit: limit)) } catch {
                return .failure(RoostError(.system, "the audit log cannot be read: \(error)"))
            }
        } _: { [unowned self] found in
            switch found {
            case .success(let report): reply(id, report)
            case .failure(let error): fail(id, error)
            }
        }
    }
}

/// How long a rollout would take: `roost rollout plan credit@3`.
struct RolloutPreview {
    let json: JSONValue
    /// So many requests of the stable version have to be known before its errors and latencies are what is expected.
    private static let requestsMin = 2_000

    init(_ host: Host, _ function: FunctionDeployment, _ text: String) throws(RoostError) {
        guard let number = VersionNumber(text) else {
            throw RoostError(.notFound, "\"\(text)\" is no version number")
        }
        _ = try host.deploying.machine.known(VersionID(function.name, number))
        let plan = function.plan ?? .standard()
        let services = host.serving.services.values.filter { $0.id.function == function.name }
        let rate = services.reduce(0) { $0 + $1.statistics.rate(at: host.loop.now) }
        // From a few requests one slow one would tell of a last step without end.
        let stable = host.deploying.watches[function.name].map(\.evidence.stable)
            .flatMap { $0.requests >= Self.requestsMin ? $0 : nil }
        let steps = plan.forecast(rate: rate) { share in
            stable.map { Analysis.samplesNeeded(plan.analysis, nextShare: share, stable: $0) }
                ?? Analysis.samplesNeeded(plan.analysis, nextShare: share)
        }
        json = [
            "version": .string(number.description), "rate": .real(rate), "plan": plan.json,
            "steps": .array(
                steps.map { step in
                    var object = JSONObject([
                        ("share", .integer(step.share)), ("requests", .integer(step.requests)),
                        ("needs_person", .bool(step.needsPerson)),
                    ])
                    object["seconds"] = step.duration.map { .real($0.seconds) }
                    return .object(object)
                }),
        ]
    }
}
