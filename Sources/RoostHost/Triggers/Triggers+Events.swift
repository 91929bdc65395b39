internal import RoostBasics
internal import RoostDelivery
internal import RoostELF
internal import RoostFunctions
internal import RoostJSON

/// What comes with events is scored.
extension Triggers {
    func open(_ event: EventTrigger, _ spec: TriggerSpec, of function: FunctionName) {
        let owner = DeliveryOwner(function, spec.name, .event)
        let sink = DeliveryOwner(function, spec.name, .sink)
        let settings = DeliverySettings(policy: spec.retry, limits: event.limits, keep: event.keep)
        if let url = event.sink {
            openSink(sink, url, retry: spec.retry, keep: event.keep)
        } else {
            deliveries.stop(sink)
        }
        deliveries.open(owner, settings) { [unowned self] item in
            guard let found = try? CloudEvent(json: item.payload) else {
                return item.fail(.permanent("what is stored is no event"))
            }
            let succeed = { (answer: TriggerReply) in
                var output = DeliveryOutput(result: answer.stored)
                do throws(RoostError) {
                    if event.sink != nil {
                        let outcome = try CloudEvent(outcome: answer, of: found, for: owner, event)
                        output.then = [DeliverySubmission(owner: sink, key: outcome.id, payload: outcome.json)]
                    }
                    item.succeed(output)
                } catch { item.fail(.transient(error.message)) }
            }
            switch event.input {
            case .data: ask(function, found, for: item, succeed)
            case .file(let member, let folder, let options):
                score(found, member, into: folder, options, owner, for: item, succeed)
            }
        }
    }

    func stopEvent(_ spec: TriggerSpec, of function: FunctionName) {
        deliveries.stop(DeliveryOwner(function, spec.name, .event))
        deliveries.stop(DeliveryOwner(function, spec.name, .sink))
    }

    /// The data are rows.
    private func ask(
        _ function: FunctionName, _ event: CloudEvent, for item: RunningDelivery,
        _ then: @escaping (TriggerReply) -> Void
    ) {
        guard let data = event.data else { return item.fail(.permanent("the event has no data")) }
        var request = TriggerRequest(contentType: event.dataContentType ?? "application/json", body: data.bytes)
        let key = Array(event.id.utf8)
        if key.count <= InferenceRequest.keyBytesMax { request.key = key }
        ask(function, request, for: item, then)
    }

    /// The data name a file.
    private func score(
        _ event: CloudEvent, _ member: String, into folder: DataPath, _ options: JobOptions,
        _ owner: DeliveryOwner, for item: RunningDelivery, _ then: @escaping (TriggerReply) -> Void
    ) {
        do throws(RoostError) {
            guard case .json(let text)? = event.data, let data = try? JSONValue(parsing: text),
                let path = data[member]?.stringValue
            else { throw RoostError(.invalidArgument, "the event's data are no JSON object with a text \"\(member)\"") }
            let input = try DataPath(path)
            guard !input.text.isEmpty else { throw RoostError(.invalidArgument, "\"\(member)\" names no file") }
            let digest = try CloudEvent.digest([owner.trigger, event.key])
            let output = folder.appending(Self.outputName(of: input.name, digest))
            let spec = JobSpec(input: input.text, output: output.text, options)
            score(spec, for: item, of: owner) { job, _ in
                let body = Array(job.json.compact.utf8)
                then(TriggerReply(contentType: "application/json", version: job.version.description, body: body))
            }
        } catch { item.fail(.permanent(error.message)) }
    }

    /// `rows.csv` becomes `rows-3f2a….csv`: the same event always has the same output, and no other has it.
    static func outputName(of input: String, _ digest: String) -> String {
        let name = NumberedName(input)
        return "\(name.stem)-\(digest.prefix(12))\(name.endings)"
    }
}

extension CloudEvent {
    /// What a trigger says of its outcome. Made from the same event again it has the same id, so that who receives it
    /// twice can tell.
    init(
        outcome: TriggerReply, of event: CloudEvent, for owner: DeliveryOwner, _ trigger: EventTrigger
    ) throws(RoostError) {
        self.init(
            id: try Self.digest([owner.trigger, event.key]), source: "/functions/\(owner.function)", type: trigger.emit)
        subject = event.id
        dataContentType = outcome.contentType
        extensions["roostversion"] = outcome.version.isEmpty ? nil : .string(outcome.version)
        let isJSON = outcome.contentType.hasPrefix("application/json") && (try? JSONValue(parsing: outcome.body)) != nil
        data = isJSON ? .json(outcome.body) : .binary(outcome.body)
    }

    /// 128 bits of SHA-256 over these words, as hexadecimal digits.
    static func digest(_ words: [String]) throws(RoostError) -> String {
        let text = JSONValue.array(words.map { .string($0) }).compact
        return String(try SHA256.digest(of: Array(text.utf8)).description.prefix(32))
    }
}
