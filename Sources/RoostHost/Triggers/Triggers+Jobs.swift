internal import RoostBasics
internal import RoostDelivery
internal import RoostFunctions

/// Items that are whole files: each is a job.
extension Triggers {
    /// Has a file scored, by the job that an earlier run of the same item has begun if there is one, and reports when it
    /// could not be done. An item always names the same output, so a job is recognised by it.
    /// - Parameter then: what a job that is done means.
    func score(
        _ function: FunctionName, _ spec: JobSpec, origin: String, for item: RunningDelivery,
        _ then: @escaping (JobRecord) -> Void
    ) {
        let jobs = host.jobs
        do throws(RoostError) {
            if let known = jobs.all.first(where: { $0.origin == origin && $0.spec.outputPath == spec.outputPath }) {
                // What has failed would fail again; what the world stopped goes on where it was.
                if known.state == .stopped { try jobs.resume(known.id) }
                return try follow(known.id, for: item, then)
            }
            let (version, model) = try host.jobModel(function.text, version: nil)
            try jobs.submit(spec, version, model, origin: origin) { [unowned self] result in
                do throws(RoostError) { try follow(try result.get().id, for: item, then) } catch {
                    item.fail(error.jobFailure)
                }
            }
        } catch { item.fail(error.jobFailure) }
    }

    private func follow(
        _ job: String, for item: RunningDelivery, _ then: @escaping (JobRecord) -> Void
    ) throws(RoostError) {
        let jobs = host.jobs
        item.onStop = { try? jobs.cancel(job, by: "its trigger") }
        try jobs.whenOver(job) { record in
            let reason = "job \(record.id) \(record.state.rawValue): \(record.reason ?? "no reason is known")"
            switch record.state {
            case .done: then(record)
            case .stopped, .queued, .running: item.fail(.transient(reason))
            case .cancelled, .failed: item.fail(.permanent(reason))
            }
        }
    }
}

extension RoostError {
    /// Whether a job that could not begin may begin another time.
    fileprivate var jobFailure: DeliveryFailure {
        switch code {
        case .invalidArgument, .forbidden, .tooLarge, .unsupported, .conflict: .permanent(message)
        case .notFound, .overloaded, .pluginFailed, .system, .unavailable, .deadline: .transient(message)
        }
    }
}

extension JobSpec {
    /// What a trigger's options say of a file.
    init(input: String, output: String, _ options: JobOptions) {
        self.init(input: input, output: output)
        switch options.format {
        case .csv?: format = .csv
        case .jsonl?: format = .jsonl
        case nil: break
        }
        switch options.columns {
        case .all: columns = .all
        case .none: columns = JobSpec.Columns.none
        case .named(let names): columns = .named(names)
        }
        ids = options.id.map { [$0] } ?? []
        switch options.maxErrors {
        case .count(let rows)?: maxErrors = .rows(rows)
        case .percent(let percent)?: maxErrors = .percent(percent)
        case nil: break
        }
    }
}
