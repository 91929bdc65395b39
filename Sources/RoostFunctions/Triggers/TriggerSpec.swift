public import RoostBasics
public import RoostDelivery
public import RoostTraffic

/// One entry of the manifest's `triggers`: what makes a function score without being called.
public struct TriggerSpec: Hashable, Sendable {
    /// What its items on the disk belong to, and what `status` calls it. Unless written, the type and its number among
    /// those of the same type: `file-1`. Who removes or reorders entries gives them names.
    public let name: String
    public let kind: Kind
    /// How often an item is tried. Its `timeout` is for one attempt: unless written, that of the function for single
    /// predictions, and none for jobs.
    public let retry: RetryPolicy

    public enum Kind: Hashable, Sendable {
        case file(FileTrigger)
        case schedule(ScheduleTrigger)
        case event(EventTrigger)
        case queue(QueueTrigger)
    }

    public enum TypeName: String, Hashable, Sendable, CaseIterable {
        case file, schedule, event, queue
    }

    public var type: TypeName {
        switch kind {
        case .file: .file
        case .schedule: .schedule
        case .event: .event
        case .queue: .queue
        }
    }
}

/// Scores each file that comes into a folder.
public struct FileTrigger: Hashable, Sendable {
    public let watch: FilePattern
    /// The folder for outputs, each named like its input. Default: `outbox`.
    public let output: DataPath
    /// Default: move, to `done` and `failed`.
    public let after: After
    public let job: JobOptions

    /// What becomes of a file that was scored.
    public enum After: Hashable, Sendable {
        /// It goes to one of these folders, so that whatever appears anew is new work.
        case move(done: DataPath, failed: DataPath)
        /// It stays, and is scored again when its name, time and content change.
        case leave
    }
}

/// Scores a file whenever it is time.
public struct ScheduleTrigger: Hashable, Sendable {
    public let cron: CronSchedule
    /// Default: UTC.
    public let timeZone: TimeZoneName
    /// Default: skip.
    public let missed: ScheduleMachine.Missed
    public let input: DataPath
    public let output: OutputTemplate
    public let job: JobOptions
    /// Whether an output that is there already is replaced: for a path without the due time. Default: no.
    public let force: Bool
}

/// Scores what comes with an event.
public struct EventTrigger: Hashable, Sendable {
    /// Default: every event.
    public let filter: EventFilter
    /// Default: the event's data.
    public let input: Input
    /// Whether the caller who posts an event waits for the reply event. Default: unless there is a sink.
    public let reply: Bool
    /// Who is sent the outcome as an event; nil: nobody.
    public let sink: WebhookURL?
    /// The type of that event. Default: `roost.prediction`, and `roost.job.finished` for files.
    public let emit: String
    /// Default: 16 at a time, 10,000 in all.
    public let limits: DeliveryQueue.Limits
    /// How long outcomes are remembered, and with them which events were there. Default: 24 hours.
    public let keep: Instant.Span

    public enum Input: Hashable, Sendable {
        /// The event's data are rows.
        case data
        /// The member of this name in the event's data is the path of a file below `data/`.
        case file(member: String, output: DataPath, JobOptions)
    }
}

/// Takes requests, and answers them later.
public struct QueueTrigger: Hashable, Sendable {
    /// Default: 16 at a time, 10,000 in all.
    public let limits: DeliveryQueue.Limits
    /// How long results can be fetched. Default: 24 hours.
    public let keep: Instant.Span
}
