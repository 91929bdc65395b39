internal import RoostBasics
internal import RoostDelivery
internal import RoostJSON
internal import RoostTraffic

extension FileTrigger {
    private enum AfterWord: String, CaseIterable {
        case move, leave
    }

    init(_ object: JSONCursor) throws(JSONError) {
        watch = try object.required("watch").text(FilePattern.init)
        output = try object["output"]?.text(DataPath.init) ?? .outbox
        job = try JobOptions(object)
        let folders = (
            done: try object["done"]?.text(DataPath.init), failed: try object["failed"]?.text(DataPath.init)
        )
        switch try object["after"]?.word() ?? AfterWord.move {
        case .move: after = .move(done: folders.done ?? .done, failed: folders.failed ?? .failed)
        case .leave:
            if let place = object["done"] ?? object["failed"] {
                throw place.error("\(place.path) is for after: \"move\"; with \"leave\" nothing is moved")
            }
            after = .leave
        }
        try check(object)
    }

    /// What is written into the watched folder could be taken for new work.
    private func check(_ object: JSONCursor) throws(JSONError) {
        var folders = [("output", output)]
        if case .move(let done, let failed) = after { folders += [("done", done), ("failed", failed)] }
        for (key, folder) in folders where folder == watch.folder {
            throw (object[key] ?? object).error(
                "\(object.path).\(key) is the watched folder \"\(folder)/\": what is written there would be new work")
        }
    }
}

extension DataPath {
    /// Defaults of a file trigger.
    static let outbox = root.appending("outbox"), done = root.appending("done"), failed = root.appending("failed")
}

extension ScheduleTrigger {
    init(_ object: JSONCursor) throws(JSONError) {
        cron = try object.required("cron").text(CronSchedule.init)
        timeZone =
            try object["timezone"]?.text { (text) throws(RoostError) in
                guard let name = TimeZoneName(text) else {
                    throw RoostError(.invalidArgument, "\"\(text)\" is no name of a time zone like \"Europe/Berlin\"")
                }
                return name
            } ?? .utc
        missed = try object["missed"]?.word() ?? .skip
        input = try object.required("input").text(DataPath.init)
        output = try object.required("output").text(OutputTemplate.init)
        job = try JobOptions(object)
        force = try object["force"]?.bool() ?? false
        guard output.text != input.text else {
            throw object.error("\(object.path).output is the input: \"\(input)\"")
        }
    }
}

extension EventTrigger {
    init(_ object: JSONCursor) throws(JSONError) {
        filter = try object["filter"].map { (cursor) throws(JSONError) in try EventFilter(cursor) } ?? EventFilter()
        input = try Self.input(object)
        sink = try object["sink"]?.text(WebhookURL.init)
        reply = try object["reply"]?.bool() ?? (sink == nil)
        emit = try object["emit"]?.string() ?? (input == .data ? "roost.prediction" : "roost.job.finished")
        if emit.isEmpty, let place = object["emit"] { throw place.error("\(place.path) must not be empty") }
        limits = try TriggerSpec.limits(object)
        keep = try TriggerSpec.keep(object)
    }

    private static func input(_ object: JSONCursor) throws(JSONError) -> Input {
        if let input = object["input"], input.value.stringValue != "data" {
            guard input.value.objectValue != nil else {
                throw input.error("\(input.path) must be \"data\" or {\"file\": \"NAME\"}, got \(input.value.compact)")
            }
            let place = try input.object(known: ["file"]).required("file"), member = try place.string()
            guard !member.isEmpty else { throw place.error("\(place.path) must name a member of the event's data") }
            let output = try object["output"]?.text(DataPath.init) ?? .outbox
            return .file(member: member, output: output, try JobOptions(object))
        }
        for key in JobOptions.keys + ["output"] {
            guard let place = object[key] else { continue }
            throw place.keyError("\(place.path) is for files: the input of this trigger is the event's data")
        }
        return .data
    }
}
