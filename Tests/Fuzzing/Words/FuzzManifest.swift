import RoostBasics
import RoostDelivery
import RoostFunctions
import RoostJSON

/// The first byte chooses what is read: a manifest, any document, a path, a name in the drop folder.
func fuzzManifest(_ input: [UInt8]) throws {
    var choices = Choices(input)
    let kind = choices.number(below: 4)
    let bytes = choices.rest
    let text = String(decoding: bytes, as: UTF8.self)
    switch kind {
    case 0: try checkManifest(bytes)
    case 1: try checkDocument(bytes)
    case 2: try checkPath(text)
    default: try checkName(text)
    }
}

private func checkManifest(_ bytes: [UInt8]) throws {
    let document: JSONDocument
    do { document = try JSONDocument(parsing: bytes, source: "functions/f.json") } catch {
        return try expect(error.place.line > 0 && error.place.column > 0, "an error at no place: \(error)")
    }
    do {
        let manifest = try Manifest(document)
        try expect(try Manifest(document) == manifest, "read twice, two manifests")
        try expect(manifest.timeout.nanoseconds > 0 && manifest.scale.queue > 0 && manifest.batch.maxSize > 0, "zeros")
        try expect(manifest.scale.max.map { $0 >= max(1, manifest.scale.min) } ?? true, "more at least than at most")
        try expect(manifest.batch.maxDelay < manifest.timeout, "it waits for longer than a request may take")
        try expect(manifest.threshold.map { (0...1).contains($0) } ?? true, "threshold")
        for trigger in manifest.triggers { try expect(!trigger.name.isEmpty, "a trigger without a name") }
        if let name = FunctionName("f") { _ = manifest.audit(name, from: Manifest()) }
    } catch let error as JSONError {
        try expect(error.place.line > 0 && error.place.column > 0, "an error at no place: \(error)")
    }
}

/// What is written is read as the same.
private func checkDocument(_ bytes: [UInt8]) throws {
    guard let value = try? JSONValue(parsing: bytes) else { return }
    try expect(try JSONValue(parsing: value.compact) == value, "on one line it is something else: \(value.compact)")
    try expect(try JSONValue(parsing: value.pretty) == value, "on several lines it is something else")
}

/// A path below the data folder never leads out of it, whatever its letters look like.
private func checkPath(_ text: String) throws {
    if let path = try? DataPath(text) { try checkInside(path.text) }
    if let pattern = try? FilePattern(text) {
        if !pattern.folder.text.isEmpty { try checkInside(pattern.folder.text) }
        try expect(
            !pattern.name.utf8.contains(UInt8(ascii: "/")), "a name of several parts: \(pattern.name.debugDescription)")
        _ = pattern.matches(text)
    }
    if let template = try? OutputTemplate(text) { try checkInside(template.path(due: 1_700_000_000, in: .utc)) }
    let name = NumberedName(text)
    try expect(name.name(1) == text && name.name(2) != text, "a numbered name: \(name.name(2))")
}

private func checkInside(_ path: String) throws {
    let parts = path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).map { Array($0) }
    try expect(
        !parts.contains(Array("..".utf8)) && parts.allSatisfy { !$0.isEmpty } && !path.utf8.contains(0),
        "the path \(path.debugDescription) leads elsewhere")
}

private func checkName(_ text: String) throws {
    switch DropName(text) {
    case .version(let id, let ending): try expect("\(id).\(ending)" == text, "\(id).\(ending)")
    case .unversioned(let function, let ending): try expect("\(function).\(ending)" == text, "\(function).\(ending)")
    case .note(let file): try expect(file + DropName.noteSuffix == text, "a note for \(file)")
    case .unparsable(let reason): try expect(!reason.isEmpty, "refused without a word")
    case .ignored: break
    }
    if let number = VersionNumber(text) { try expect("\(number)" == text, "the version \(number)") }
    if let zone = TimeZoneName(text) { try checkInside(zone.text) }
    if let span = Instant.Span(text) { try expect(Instant.Span("\(span)") != nil, "\(span) is no span of time") }
    if let count = ByteCount(text) { try expect(ByteCount("\(count)") == count, "\(count) is another size") }
}
