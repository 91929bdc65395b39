internal import RoostBasics
internal import RoostChannel
internal import RoostDelivery
internal import RoostHTTP
internal import RoostJSON

/// What a trigger asks of a model: as `POST /predict` would.
struct TriggerRequest {
    var contentType: String
    /// Whether the answer is wanted as CSV.
    var wantsCSV = false
    /// Names the prediction for late labels; empty for none.
    var key: [UInt8] = []
    var body: [UInt8]

    /// On the disk: one line of JSON, then the body as it came.
    var stored: [UInt8] {
        var head = JSONObject([("type", .string(contentType))])
        if wantsCSV { head["csv"] = true }
        if !key.isEmpty { head["key"] = .string(String(decoding: key, as: UTF8.self)) }
        return Array(JSONValue.object(head).compact.utf8) + [0x0A] + body
    }

    init(contentType: String, body: [UInt8]) {
        self.contentType = contentType
        self.body = body
    }

    init?(stored: [UInt8]) {
        guard let (head, body) = StoredLines.split(stored), let type = head["type"]?.stringValue else { return nil }
        self.init(contentType: type, body: body)
        wantsCSV = head["csv"] == true
        key = Array((head["key"]?.stringValue ?? "").utf8)
    }
}

/// A model's answer as it is kept.
struct TriggerReply {
    var contentType: String
    var version: String
    var body: [UInt8]

    init(contentType: String, version: String, body: [UInt8]) {
        self.contentType = contentType
        self.version = version
        self.body = body
    }

    init(_ reply: InsideReply) {
        contentType = reply.type.name ?? reply.field("content-type") ?? "application/octet-stream"
        version = reply.field("roost-version") ?? ""
        body = reply.body
    }

    var stored: [UInt8] {
        let head: JSONValue = ["type": .string(contentType), "version": .string(version)]
        return Array(head.compact.utf8) + [0x0A] + body
    }

    init?(stored: [UInt8]) {
        guard let (head, body) = StoredLines.split(stored), let type = head["type"]?.stringValue else { return nil }
        contentType = type
        version = head["version"]?.stringValue ?? ""
        self.body = body
    }
}

/// One line of JSON, and what follows it.
enum StoredLines {
    static func split(_ bytes: [UInt8]) -> (head: JSONValue, body: [UInt8])? {
        guard let end = bytes.firstIndex(of: 0x0A), let head = try? JSONValue(parsing: Array(bytes[..<end])) else {
            return nil
        }
        return (head, Array(bytes[(end + 1)...]))
    }
}

extension ContentType {
    /// Nil when the header fields name it.
    fileprivate var name: String? {
        switch self {
        case .json: "application/json"
        case .csv: "text/csv"
        case .octetStream: "application/octet-stream"
        case .text: "text/plain; charset=utf-8"
        default: nil
        }
    }
}

extension Triggers {
    /// Asks a function's traffic, as a caller without a key would, and reports how it went.
    /// - Parameter then: what a good answer means.
    func ask(
        _ function: FunctionName, _ request: TriggerRequest, for item: RunningDelivery,
        _ then: @escaping (TriggerReply) -> Void
    ) {
        guard let addressee = host.deploying.routes[function]?.nextInside() else {
            let reason = (try? host.whyNothingServes(function.text))?.message ?? "there is no function \(function)"
            return item.fail(.transient(reason))
        }
        let type = Array(request.contentType.utf8)
        let media = MediaType(header: type.bytes)
        let inference = InferenceRequest(
            .predict, contentType: media, accept: request.wantsCSV ? .csv : .json, key: request.key)
        let server = host.server
        let serving = host.serving
        let id = server.openInside { reply in
            guard !item.isOver else { return }
            if let failure = reply.failure { item.fail(failure) } else { then(TriggerReply(reply)) }
        }
        item.onStop = {
            serving.clientGone(id)
            server.dropInside(id)
        }
        serving.submit(
            id, inference, contentTypeText: media == .other ? type.bytes : RawSpan(), body: request.body.bytes,
            to: addressee)
    }
}

extension InsideReply {
    /// Nil for a good answer. The request is to blame for 4xx but for 408 and 429, which another attempt may get
    /// through, as everything else.
    fileprivate var failure: DeliveryFailure? {
        if (200..<300).contains(status) { return nil }
        let reason = (try? JSONValue(parsing: body))?["error"]?.stringValue ?? "status \(status)"
        if (400..<500).contains(status), status != 408, status != 429 { return .permanent(reason) }
        let seconds = field("retry-after").flatMap { UInt64($0) }
        return .transient(reason, retryAfter: seconds.map { .seconds(min($0, 86_400)) })
    }
}
