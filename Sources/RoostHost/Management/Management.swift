internal import RoostBasics
internal import RoostFunctions
internal import RoostHTTP
internal import RoostJSON
internal import RoostLoop

/// The calls that are not inference: health, metadata, status, and what changes the host.
final class Management {
    unowned let host: Host
    /// Who waits for functions to be loaded.
    let loads: LoadWaiters

    init(_ host: Host) throws {
        self.host = host
        let loads = try LoadWaiters(on: host.loop)
        self.loads = loads
        host.deploying.onLoaded = { [unowned loads] in loads.loaded($0, $1) }
    }

    /// Answers, now or later.
    func answer(
        _ endpoint: Endpoint, _ head: borrowing RequestHead, _ body: RawSpan, _ id: RequestID
    ) throws(RoostError) {
        switch endpoint {
        case .infer, .predict: preconditionFailure("the dispatcher answers these")
        case .root: reply(id, .text, Array(Overview(host).text.utf8))
        case .metrics:
            do {
                try MetricsPage.make(host) { [unowned self] in send(id, .prometheus, $0) }
            } catch { throw RoostError(.unavailable, "\(error)") }
        case .serverLive: send(id, .json, Array(#"{"live":true}"#.utf8))
        case .serverReady: ready(id, host.isReady, "the first scan is not done yet")
        case .serverMetadata:
            let extensions: JSONValue = ["binary_tensor_data", "model_repository", "statistics"]
            reply(id, ["name": "roost", "version": .string(RoostVersion.current), "extensions": extensions])
        case .modelMetadata(let target): reply(id, try ModelMetadata(host, target).json)
        case .modelReady(let target): try modelReady(target, id)
        case .modelStatistics(let target): reply(id, try ModelStatistics(host, target).json)
        case .repositoryIndex: try repositoryIndex(body, id)
        case .loadFunction(let name): try loadFunction(name, head, body, id)
        case .unloadFunction(let name): try unloadFunction(name, head, body, id)
        case .functions: reply(id, StatusReport(host).all)
        case .function(let name): reply(id, try StatusReport(host).function(named: name))
        case .logs(let name): try logs(name, head.query.text, id)
        case .upload(let name, let version): try upload(name, version, head, body, id)
        case .restart(let target):
            let (version, who) = (try versionID(target), Self.who(head))
            try host.deploying.command { machine throws(RoostError) in
                try machine.restart(version, by: who, at: self.now)
            }
            confirm(id, try StatusReport(host).version(version))
        case .allow(let target):
            let (version, who) = (try versionID(target), Self.who(head))
            _ = try host.deploying.machine.known(version)
            try host.deploying.command { machine throws(RoostError) in
                machine.allowIncompatible(version, by: who, at: self.now)
            }
            confirm(id, try StatusReport(host).version(version))
        case .traffic(let name): try setTraffic(name, head, body, id)
        case .rollback(let name): try rollBack(name, head, id)
        case .rollout(let name): try showRollout(name, head.query.text, id)
        case .startRollout(let name): try startRollout(name, head, body, id)
        case .steerRollout(let name, let command): try steerRollout(name, command, head, body, id)
        case .audit(let name): try audit(name, head.query.text, id)
        case .feedback(let name): try takeLabels(name, head, body, id)
        case .quality(let name): try quality(name, head.query.text, id)
        case .jobs: try listJobs(head.query.text, id)
        case .job(let job): try showJob(job, head.query.text, id)
        case .cancelJob(let job): try cancelJob(job, head, id)
        case .resumeJob(let job): try resumeJob(job, id)
        case .startJob(let target): try startJob(target, head, body, id)
        case .events: try takeEvents(head, body, id)
        case .submitAsync(let name): try submitAsync(name, head, body, id)
        case .asyncItems(let name): try listAsync(name, head.query.text, id)
        case .asyncItem(let name, let item): try showAsync(name, item, head.query.text, id)
        case .cancelAsync(let name, let item): try cancelAsync(name, item, head, id)
        case .replayAsync(let name, let item): try replayAsync(name, item, head.query.text, id)
        }
    }

    var now: Instant { host.loop.now }

    /// As the caller names itself; nobody checks it.
    static func who(_ head: borrowing RequestHead) -> String {
        let text = head.text(of: "Roost-User") ?? ""
        return text.isEmpty ? "api" : String(text.prefix(64))
    }

    // MARK: reading

    private func ready(_ id: RequestID, _ isReady: Bool, _ reason: String) {
        guard isReady else {
            return reply(id, ["ready": false, "error": .string(reason)], status: 503, fields: "Retry-After: 1\r\n")
        }
        reply(id, ["ready": true])
    }

    private func modelReady(_ target: Endpoint.Target, _ id: RequestID) throws(RoostError) {
        let name = try functionName(target.function)
        _ = try host.deploying.machine.known(name)
        do throws(RoostError) {
            _ = try host.version(target)
            ready(id, true, "")
        } catch {
            guard error.code == .unavailable else { throw error }
            ready(id, false, error.message)
        }
    }

    private func logs(_ name: String, _ query: String, _ id: RequestID) throws(RoostError) {
        let parameters = try Query(query, known: ["version", "offset"])
        let name = try functionName(name)
        let offset = try parameters.number("offset") ?? 0
        let log: OutputLog
        if let text = parameters["version"] {
            let version = try versionID(Endpoint.Target(function: name.text, version: text))
            log = host.deploying.log(of: try host.deploying.machine.known(version).id)
        } else {
            let known = try host.deploying.machine.known(name)
            guard let number = known.route?.leading ?? known.versions.keys.max() else { return reply(id, .text, []) }
            log = host.deploying.log(of: VersionID(name, number))
        }
        reply(id, .text, log.suffix(from: offset), fields: "Roost-Log-Offset: \(log.end)\r\n")
    }

    // MARK: changing

    private func setTraffic(
        _ name: String, _ head: borrowing RequestHead, _ body: RawSpan, _ id: RequestID
    ) throws(RoostError) {
        let who = Self.who(head)
        let name = try functionName(name)
        let document = try parse(body)
        if document.value["origin"] == "latest", document.value.objectValue?.count == 1 {
            try host.deploying.command { machine throws(RoostError) in
                try machine.followLatest(name, by: who, at: self.now)
            }
        } else {
            let shares: TrafficShares
            do throws(JSONError) { shares = try document.root.shares() } catch { throw error.asRoostError }
            try host.deploying.command { machine throws(RoostError) in
                try machine.setTraffic(name, shares, by: who, at: self.now)
            }
        }
        confirm(id, StatusReport(host).wantedTraffic(try host.deploying.machine.known(name)))
    }

    private func rollBack(_ name: String, _ head: borrowing RequestHead, _ id: RequestID) throws(RoostError) {
        let who = Self.who(head)
        let name = try functionName(name)
        let before = try host.deploying.machine.known(name).route?.versions.last
        try host.deploying.command { machine throws(RoostError) in try machine.rollBack(name, by: who, at: self.now) }
        // The new route may still wait for its load, so the rule is asked, not the route.
        let after = try host.deploying.machine.known(name)
        confirm(
            id,
            [
                "from": before.map { .string($0.description) } ?? .null,
                "to": (after.route ?? after.wantedRoute).map { .string($0.leading.description) } ?? .null,
            ])
    }

    private func upload(
        _ name: String, _ version: String, _ head: borrowing RequestHead, _ body: RawSpan, _ id: RequestID
    ) throws(RoostError) {
        let name = try functionName(name)
        let file = try UploadedFile(name, version: version, extension: head.text(of: "Roost-File-Extension"), body)
        host.deploying.drop(file) { [self] error in
            if let error { return fail(id, error) }
            reply(id, ["file": .string(file.name)], status: 202)
        }
    }

    // MARK: replies

    /// Answers a command that changed something.
    func confirm(_ id: RequestID, _ json: JSONValue) {
        host.deploying.journal.whenDurable { [self] error in
            guard let error else { return send(id, .json, Array(json.compact.utf8)) }
            fail(id, RoostError(.system, "it is in force, but a restart would undo it: \(error)"))
        }
    }

    func fail(_ id: RequestID, _ error: RoostError) {
        reply(id, .json, ErrorReply.body(error.message), status: ErrorReply.status(error.code))
    }

    func reply(_ id: RequestID, _ json: JSONValue, status: Int = 200, fields: String = "") {
        reply(id, .json, Array(json.compact.utf8), status: status, fields: fields)
    }

    /// What anybody is told is on the disk first: a host that is killed a moment later comes back with it.
    func reply(_ id: RequestID, _ type: ContentType, _ body: [UInt8], status: Int = 200, fields: String = "") {
        host.deploying.journal.whenDurable { [self] _ in send(id, type, body, status: status, fields: fields) }
    }

    private func send(_ id: RequestID, _ type: ContentType, _ body: [UInt8], status: Int = 200, fields: String = "") {
        host.server.reply(to: id, status: status, type: type, fields: Array(fields.utf8).bytes, body: body.bytes)
    }

    // MARK: words

    func parse(_ body: RawSpan) throws(RoostError) -> JSONDocument {
        var bytes: [UInt8] = []
        bytes.append(body)
        do throws(JSONError) { return try JSONDocument(parsing: bytes, source: "body") } catch {
            throw error.asRoostError
        }
    }

    func functionName(_ text: String) throws(RoostError) -> FunctionName {
        guard let name = FunctionName(text) else {
            throw RoostError(.notFound, "\"\(text)\" is no function's name")
        }
        return name
    }

    private func versionID(_ target: Endpoint.Target) throws(RoostError) -> VersionID {
        let name = try functionName(target.function), version = target.version ?? ""
        // A number may be told of before there is such a version; what a tag stands for has to be known.
        if let number = VersionNumber(version) { return VersionID(name, number) }
        return VersionID(name, try host.deploying.machine.known(name).number(named: version))
    }
}
