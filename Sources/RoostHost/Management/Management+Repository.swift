internal import RoostBasics
internal import RoostFunctions
internal import RoostHTTP
internal import RoostJSON

/// The model repository extension of the Open Inference Protocol v2:
/// https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_model_repository.md
///
/// A function is a model. Its versions come and go with their files, so `load` takes neither a configuration nor files:
/// it takes a function back into service, and waits until what serves is in memory. `unload` takes it out of service.
extension Management {
    /// `POST /v2/repository/index`: every version whose file is there, or those that answer now.
    func repositoryIndex(_ body: RawSpan, _ id: RequestID) throws(RoostError) {
        var isReadyOnly = false
        if let document = try parseUnlessEmpty(body) {
            do throws(JSONError) {
                isReadyOnly = try document.root.object(known: ["ready"])["ready"]?.bool() ?? false
            } catch { throw error.asRoostError }
        }
        let functions = host.deploying.machine.functions.values.sorted { $0.name < $1.name }
        let entries = functions.flatMap(RepositoryEntry.of).filter { !isReadyOnly || $0.state == .ready }
        reply(id, .array(entries.map(\.json)))
    }

    /// `POST /v2/repository/models/{f}/load`
    func loadFunction(
        _ name: String, _ head: borrowing RequestHead, _ body: RawSpan, _ id: RequestID
    ) throws(RoostError) {
        let who = Self.who(head)
        let name = try functionName(name)
        let parameters = try repositoryParameters(body)
        if let key = parameters.keys.first {
            let remedy =
                "PUT /functions/\(name)/versions/N brings a version, functions/\(name).json is its configuration"
            throw RoostError(.invalidArgument, "load takes no \"\(key)\" here: \(remedy)")
        }
        try host.deploying.command { machine throws(RoostError) in try machine.load(name, by: who, at: self.now) }
        let numbers = host.deploying.machine.functions[name]?.route?.versions ?? []
        let services = numbers.compactMap { host.serving.services[VersionID(name, $0)] }
        guard !services.isEmpty else { throw try host.whyNothingServes(name.text) }
        let cold = services.filter { $0.warmth == .cold }
        guard !cold.isEmpty else { return confirm(id, entries(of: name)) }
        loads.wait(for: Set(cold.map(\.id)), atMost: host.options.loadTimeout) { [unowned self] error in
            if let error { return fail(id, error) }
            confirm(id, entries(of: name))
        }
        for service in cold { host.serving.prepare(service) }
    }

    /// `POST /v2/repository/models/{f}/unload`: answers as soon as no new request is taken; what was taken is answered.
    func unloadFunction(
        _ name: String, _ head: borrowing RequestHead, _ body: RawSpan, _ id: RequestID
    ) throws(RoostError) {
        let who = Self.who(head)
        let name = try functionName(name)
        let parameters = try repositoryParameters(body)
        // A function depends on no other, so that there is nothing to do for true or false.
        for (key, value) in parameters.members.map({ ($0.key, $0.value) })
        where key != "unload_dependents" || value.boolValue == nil {
            throw RoostError(.invalidArgument, "unload takes true or false as \"unload_dependents\", not \"\(key)\"")
        }
        try host.deploying.command { machine throws(RoostError) in try machine.unload(name, by: who, at: self.now) }
        loads.absent(name)
        confirm(id, entries(of: name))
    }

    /// Triton answers with nothing, and its clients look at the status only; people want to see what came of it.
    private func entries(of name: FunctionName) -> JSONValue {
        let function = host.deploying.machine.functions[name]
        return ["versions": .array(function.map(RepositoryEntry.of)?.map(\.json) ?? [])]
    }

    private func repositoryParameters(_ body: RawSpan) throws(RoostError) -> JSONObject {
        guard let document = try parseUnlessEmpty(body) else { return JSONObject() }
        do throws(JSONError) {
            guard let parameters = try document.root.object(known: ["parameters"])["parameters"] else {
                return JSONObject()
            }
            _ = try parameters.members()
            return parameters.value.objectValue ?? JSONObject()
        } catch { throw error.asRoostError }
    }

    private func parseUnlessEmpty(_ body: RawSpan) throws(RoostError) -> JSONDocument? {
        body.isEmpty ? nil : try parse(body)
    }
}

/// One version as an index of the repository shows it.
struct RepositoryEntry {
    /// Triton's words.
    enum State: String {
        case ready = "READY"
        case loading = "LOADING"
        case unloading = "UNLOADING"
        case unavailable = "UNAVAILABLE"
    }

    let id: VersionID
    let state: State
    /// Why it is not ready; empty when it is.
    let reason: String

    /// Those whose files are there, the oldest first.
    static func of(_ function: FunctionDeployment) -> [RepositoryEntry] {
        function.versions.values.filter { $0.state != .retired }.sorted { $0.id < $1.id }.map { version in
            RepositoryEntry(version, of: function)
        }
    }

    init(_ version: VersionDeployment, of function: FunctionDeployment) {
        id = version.id
        let isAbsent = function.absence != nil
        switch version.state {
        case .stored, .verifying:
            (state, reason) = (.loading, function.problem(of: version) ?? "it is \(version.state.word)")
        case .draining where isAbsent: (state, reason) = (.unloading, "unloaded")
        case .ready, .serving, .draining: (state, reason) = isAbsent ? (.unavailable, "unloaded") : (.ready, "")
        case .failed, .held, .rejected:
            (state, reason) = (.unavailable, "\(version.state.word): \(version.state.reason ?? "")")
        case .retired: (state, reason) = (.unavailable, "its file is gone")
        }
    }

    var json: JSONValue {
        [
            "name": .string(id.function.text), "version": .string(id.number.description),
            "state": .string(state.rawValue), "reason": .string(reason),
        ]
    }
}
