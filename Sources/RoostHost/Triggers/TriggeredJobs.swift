internal import RoostBasics
internal import RoostDelivery
internal import RoostJSON

/// Runs items of triggers as jobs.
///
/// An item has one job, however often it is tried: whoever runs it finds the job by its key, also after a restart, and
/// follows it, or resumes it where it was stopped. So nothing is scored twice, and no output is written twice. Only who
/// replays a dead letter wants a new job, with the version that serves then.
struct TriggeredJobs {
    let jobs: Jobs
    /// What a function's jobs are scored with now.
    let model: (FunctionName) throws(RoostError) -> (VersionID, Jobs.Model)

    /// What a job that is done means for its item: reports that it has succeeded.
    typealias Done = (JobRecord, RunningDelivery) -> Void

    /// The job's record is the result.
    static func keepRecord(_ job: JobRecord, _ running: RunningDelivery) {
        running.succeed(DeliveryOutput(result: Array(job.json.compact.utf8)))
    }

    /// Follows the job that was begun for this item to its end.
    /// - Returns: false when there is none yet.
    func follow(_ running: RunningDelivery, of owner: DeliveryOwner, _ done: @escaping Done = TriggeredJobs.keepRecord)
        -> Bool
    {
        let origin = owner.jobOrigin
        guard let job = jobs.job(of: owner.function, origin: origin, key: running.jobKey) else { return false }
        let isEnding = job.state.isOver && jobs.runs[job.id] != nil
        switch job.state {
        case .done, .failed: report(job, to: running, done)
        case .cancelled where job.reason != Jobs.word(for: origin): report(job, to: running, done)
        case .stopped where isEnding, .cancelled where isEnding:
            running.fail(.transient("job \(job.id) has not ended yet"))
        case .stopped, .cancelled:
            do throws(RoostError) {
                try jobs.resume(job.id)
                attach(job.id, running, of: owner, done)
            } catch { running.fail(DeliveryFailure(error)) }
        case .queued, .running: attach(job.id, running, of: owner, done)
        }
        return true
    }

    /// Begins the job of an item that has none, and follows it.
    /// - Parameter onConflict: the output is somebody else's by now; the item is still the caller's to run.
    func begin(
        _ spec: JobSpec, _ running: RunningDelivery, of owner: DeliveryOwner,
        _ done: @escaping Done = TriggeredJobs.keepRecord,
        onConflict: (() -> Void)? = nil
    ) {
        do throws(RoostError) {
            let (version, scored) = try model(owner.function)
            try jobs.submit(spec, version, scored, origin: owner.jobOrigin, key: running.jobKey) { result in
                switch result {
                case .success(let job): attach(job.id, running, of: owner, done)
                case .failure(let error): running.fail(DeliveryFailure(error))
                }
            }
        } catch {
            if error.code == .conflict, let onConflict { return onConflict() }
            running.fail(DeliveryFailure(error))
        }
    }

    private func attach(
        _ job: String, _ running: RunningDelivery, of owner: DeliveryOwner, _ done: @escaping Done
    ) {
        guard !running.isOver else { return cancel(job, owner) }
        running.onStop = { cancel(job, owner) }
        do throws(RoostError) {
            try jobs.whenOver(job) { report($0, to: running, done) }
        } catch { running.fail(DeliveryFailure(error)) }
    }

    /// The next attempt resumes it.
    private func cancel(_ job: String, _ owner: DeliveryOwner) { try? jobs.cancel(job, by: owner.jobOrigin) }

    private func report(_ job: JobRecord, to running: RunningDelivery, _ done: Done) {
        let reason = "job \(job.id): \(job.reason ?? job.state.rawValue)"
        switch job.state {
        case .done: done(job, running)
        case .stopped: running.fail(.transient(reason))
        case .failed: running.fail(.permanent(reason))
        case .cancelled: running.fail(.permanent("job \(job.id) was cancelled \(job.reason ?? "")"))
        case .queued, .running: running.fail(.transient("\(reason), and not over"))
        }
    }
}

extension DeliveryOwner {
    /// Who asks for its jobs.
    var jobOrigin: String { "trigger:\(trigger)" }
}

extension RunningDelivery {
    /// One for the life of an item, until a person replays it. Numbers of items begin anew with a new database, so when
    /// it was submitted is part of it.
    fileprivate var jobKey: String { "\(id)-\(record.submittedWallMS)-\(record.replays)" }
}

extension DeliveryFailure {
    /// What kept a job from beginning: it may be there, or have room, another time; unless the words themselves are wrong.
    init(_ error: RoostError) {
        switch error.code {
        case .notFound, .overloaded, .unavailable, .deadline, .pluginFailed, .system: self = .transient(error.message)
        case .invalidArgument, .conflict, .forbidden, .tooLarge, .unsupported: self = .permanent(error.message)
        }
    }
}
