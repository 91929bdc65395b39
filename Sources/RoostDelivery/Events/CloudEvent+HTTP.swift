public import RoostBasics

/// What one HTTP request carries: one event, or some (HTTP binding 1.0.2).
public struct CloudEventMessage: Hashable, Sendable {
    public enum Mode: String, Hashable, Sendable, CaseIterable {
        /// Attributes are headers, the body is the data.
        case binary
        /// `application/cloudevents+json`: the body is the event.
        case structured
        /// `application/cloudevents-batch+json`: the body is an array of events.
        case batch
    }

    public let mode: Mode
    /// Exactly one but for batches, which may be empty.
    public let events: [CloudEvent]

    /// Events that one batch may have unless somebody says otherwise.
    public static let eventsMax = 1000

    /// - Parameter headers: all of the request, in any case.
    /// - Throws: `invalidArgument`, naming the attribute; `unsupported` for formats other than JSON; `tooLarge` for
    ///   batches of more than `eventsMax`.
    public init(
        headers: some Sequence<(name: String, value: String)>, body: [UInt8], eventsMax: Int = Self.eventsMax
    ) throws(RoostError) {
        let headers = headers.map { (name: $0.name.lowercased(), value: $0.value) }
        let contentType = headers.first { $0.name == "content-type" }?.value
        let media = contentType.flatMap { MediaType($0) }
        guard let media, media.name.hasPrefix("application/cloudevents") else {
            mode = .binary
            events = [try CloudEvent(headers: headers, contentType: contentType, media, body: body)]
            return
        }
        guard media.charset ?? "utf-8" == "utf-8" else {
            throw RoostError(.unsupported, "events in charset \(media.charset ?? "") are not read: use utf-8")
        }
        switch media.name {
        case CloudEvent.structuredType: (mode, events) = (.structured, [try CloudEvent(json: body)])
        case CloudEvent.batchType:
            (mode, events) = (.batch, try CloudEvent.batch(json: body, countMax: eventsMax))
        default:
            throw RoostError(
                .unsupported,
                "\(media.name) is not read: use \(CloudEvent.structuredType) or \(CloudEvent.batchType)")
        }
    }
}

extension CloudEvent {
    /// The media type of one event as JSON.
    public static let structuredType = "application/cloudevents+json"
    /// The media type of some events as JSON.
    public static let batchType = "application/cloudevents-batch+json"
    private static let prefix = "ce-"

    /// Binary mode; `headers` have lower-case names.
    fileprivate init(
        headers: [(name: String, value: String)], contentType: String?, _ media: MediaType?, body: [UInt8]
    ) throws(RoostError) {
        self.init(id: "", source: "", type: "")
        var names: Set<String> = []
        for (header, value) in headers where header.hasPrefix(Self.prefix) {
            let name = String(header.dropFirst(Self.prefix.count))
            guard names.insert(name).inserted else { throw Self.refusal(name, "is there twice") }
            guard name != "datacontenttype" else {
                throw Self.refusal(name, "stands in Content-Type, not in \(header)")
            }
            guard let text = PercentCoding.decode(value) else { throw Self.refusal(name, "is not UTF-8") }
            try set(name, to: .string(text))
        }
        guard !names.isEmpty else {
            throw RoostError(
                .invalidArgument,
                "no CloudEvent: there are no ce- headers, and Content-Type is not \(Self.structuredType)")
        }
        try Self.check(names)
        if let contentType { try set("datacontenttype", to: .string(contentType)) }
        guard !body.isEmpty else { return }
        guard media?.isJSON == true else {
            data = .binary(body)
            return
        }
        guard JSONOutline.isValue(body), String(validating: body, as: UTF8.self) != nil else {
            throw RoostError(.invalidArgument, "the data of CloudEvent \(id) is not JSON, as its Content-Type says")
        }
        data = .json(body)
    }

    /// Binary mode: headers and body.
    public var binary: (headers: [(name: String, value: String)], body: [UInt8]) {
        var headers = [(name: "ce-specversion", value: Self.specVersion)]
        for name in Self.order where name != "datacontenttype" {
            if let value = self[name] { headers.append((Self.prefix + name, PercentCoding.encode(value))) }
        }
        for (name, value) in extensions.sorted(by: { $0.key < $1.key }) {
            headers.append((Self.prefix + name, PercentCoding.encode(value.description)))
        }
        var contentType = dataContentType
        if contentType == nil, case .json = data { contentType = "application/json" }
        if let contentType { headers.append(("content-type", contentType)) }
        return (headers, data?.bytes ?? [])
    }
}
