internal import RoostBasics
internal import RoostDelivery
internal import RoostFunctions
internal import RoostHTTP
internal import RoostJSON

/// Jobs over HTTP.
extension Management {
    /// `POST /functions/{f}/jobs`: answers 202 with the job once it is on the disk.
    func startJob(
        _ target: Endpoint.Target, _ head: borrowing RequestHead, _ body: RawSpan, _ id: RequestID
    ) throws(RoostError) {
        let who = Self.who(head)
        let document = try parse(body)
        let spec: JobSpec
        var version = target.version
        do throws(JSONError) {
            let root = try document.root.object(known: JobSpec.keys + ["version"])
            spec = try JobSpec(root)
            if let named = try root["version"]?.string() { version = named }
        } catch { throw error.asRoostError }
        let (versionID, model) = try host.jobModel(target.function, version: version)
        try host.jobs.submit(spec, versionID, model, origin: who) { [unowned self] result in
            switch result {
            case .success(let record):
                reply(id, status(of: record), status: 202, fields: "Location: /jobs/\(record.id)\r\n")
            case .failure(let error): fail(id, error)
            }
        }
    }

    /// `GET /jobs`, newest first, with `?limit=`, `?state=` and `?function=`.
    func listJobs(_ query: String, _ id: RequestID) throws(RoostError) {
        let query = try Query(query, known: ["limit", "state", "function"])
        let limit = min(1_000, try query.number("limit") ?? 100)
        var state: JobState?
        if let word = query["state"] {
            state = JobState(rawValue: word)
            guard state != nil else {
                let known = JobState.allCases.map(\.rawValue).joined(separator: ", ")
                throw RoostError(.invalidArgument, "state=\(word): the states are \(known)")
            }
        }
        let function = query["function"]
        let found = host.jobs.all.lazy.filter { job in
            (state == nil || job.state == state) && (function == nil || job.function.text == function)
        }
        reply(id, ["jobs": .array(found.prefix(limit).map { status(of: $0) })])
    }

    /// `GET /jobs/{id}`; with `?wait=1` answers when the job is over.
    func showJob(_ job: String, _ query: String, _ id: RequestID) throws(RoostError) {
        let waits = try Query(query, known: ["wait"]).number("wait") ?? 0
        guard waits > 0 else { return reply(id, status(of: try host.jobs.job(job))) }
        try host.jobs.whenOver(job) { [unowned self] in reply(id, status(of: $0)) }
    }

    /// `DELETE /jobs/{id}`: stops it; what is written stays for `resume`.
    func cancelJob(_ job: String, _ head: borrowing RequestHead, _ id: RequestID) throws(RoostError) {
        try host.jobs.cancel(job, by: Self.who(head))
        reply(id, status(of: try host.jobs.job(job)), status: 202)
    }

    func resumeJob(_ job: String, _ id: RequestID) throws(RoostError) {
        try host.jobs.resume(job)
        reply(id, status(of: try host.jobs.job(job)), status: 202)
    }

    /// The record, and while it runs how fast it is.
    private func status(of record: JobRecord) -> JSONValue {
        record.state == .running ? host.jobs.runs[record.id]?.status ?? record.json : record.json
    }
}

extension Host {
    /// What a job of a version is scored with.
    /// - Parameter version: nil for the one that has most of the traffic.
    func jobModel(_ function: String, version: String?) throws(RoostError) -> (VersionID, Jobs.Model) {
        let found = try self.version(Endpoint.Target(function: function, version: version))
        guard let service = deploying.addressed(found.id) else {
            throw RoostError(.unavailable, "\(found.id) takes no requests now")
        }
        return (found.id, jobModel(service.artifact, of: found.id.function))
    }

    func jobModel(_ artifact: Artifact, of function: FunctionName) -> Jobs.Model {
        let manifest = deploying.manifests[function]
        return Jobs.Model(
            artifact: artifact, settings: LoadSettings(manifest), timeout: manifest.timeout,
            threshold: manifest.threshold ?? .nan, share: manifest.jobsShare)
    }

    /// For a job of an earlier host: its version may be gone from the functions, but not from the store.
    func jobModel(of record: JobRecord) throws(RoostError) -> Jobs.Model {
        let parts = record.artifact.split(separator: ":").map(String.init)
        guard parts.count == 2 else { throw RoostError(.system, "\"\(record.artifact)\" names no stored file") }
        let isPlugin = parts[0] == "plugin"
        let stored = StoredFile(digest: parts[1], size: 0, kind: isPlugin ? .plugin : .model)
        let found = try deploying.disk.reader.artifacts(
            stored, of: record.versionID, runtime: isPlugin ? nil : parts[0])
        guard let artifact = found.first else {
            throw RoostError(.notFound, "the file of \(record.versionID) is not in the store any more")
        }
        return jobModel(artifact, of: record.function)
    }
}
