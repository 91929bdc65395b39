import RoostBasics
import RoostDelivery

/// The first byte chooses the mode. In binary mode lines `name: value` stand before an empty one, and the rest is data.
func fuzzEvents(_ input: [UInt8]) throws {
    var choices = Choices(input)
    let mode = choices.number(below: 3)
    let bytes = choices.rest
    if mode == 0 {
        if let event = try? CloudEvent(json: bytes) { try check(event) }
        return
    }
    if mode == 1 {
        guard let events = try? CloudEvent.batch(json: bytes, countMax: 20) else { return }
        let again = try CloudEvent.batch(json: CloudEvent.json(batch: events), countMax: 20)
        try expect(again == events && events.count <= 20, "a batch is written otherwise")
        return
    }
    let (headers, body) = binary(bytes)
    guard let message = try? CloudEventMessage(headers: headers, body: body, eventsMax: 20) else { return }
    try expect(message.mode == .batch || message.events.count == 1, "\(message.events.count) events")
    for event in message.events { try expect(event.json.count > 0 && !event.key.isEmpty, "nothing") }
}

private func binary(_ bytes: [UInt8]) -> (headers: [(name: String, value: String)], body: [UInt8]) {
    var headers: [(name: String, value: String)] = []
    var rest = bytes[...]
    while !rest.isEmpty {
        let line = rest.prefix { $0 != 0x0A }
        rest = rest.dropFirst(line.count + 1)
        if line.isEmpty { break }
        let parts = line.split(separator: UInt8(ascii: ":"), maxSplits: 1, omittingEmptySubsequences: false)
        let value = parts.count > 1 ? String(decoding: parts[1].drop { $0 == 0x20 }, as: UTF8.self) : ""
        headers.append((String(decoding: parts[0], as: UTF8.self), value))
    }
    return (headers, Array(rest))
}

/// An event that came as JSON is the same after it was written, and says the same in binary mode.
private func check(_ event: CloudEvent) throws {
    let again = try CloudEvent(json: event.json)
    try expect(again == event, "written: \(event.json.shown)")
    // What calls its data a CloudEvent is one in structured mode.
    if event.dataContentType?.lowercased().hasPrefix("application/cloudevents") == true { return }
    let binary = event.binary
    let message = try CloudEventMessage(headers: binary.headers, body: binary.body)
    try expect(message.mode == .binary && message.events.count == 1, "in binary mode it is something else")
    let read = message.events[0]
    for name in ["id", "source", "type", "subject", "time", "dataschema"] + Array(event.extensions.keys) {
        try expect(read[name] == event[name], "\(name) is \(read[name] ?? "") in binary mode, was \(event[name] ?? "")")
    }
    try expect(read.data?.bytes ?? [] == event.data?.bytes ?? [], "other data in binary mode")
}
