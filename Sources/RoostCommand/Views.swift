internal import RoostBasics
internal import RoostJSON

/// What the host says of a function. Members that are missing or of another type count as absent: a host of another
/// release is still worth showing.
struct FunctionView {
    let json: JSONValue

    var name: String { json["name"]?.stringValue ?? "?" }
    var origin: String { json["traffic"]?["origin"]?.stringValue ?? "?" }
    var notes: [String] { json["notes"].strings }
    var versions: [VersionView] { (json["versions"]?.arrayValue ?? []).map(VersionView.init) }

    var tags: [String] { json["tags"]?.objectValue?.keys.map(\.self) ?? [] }

    func version(_ number: VersionNumber) -> VersionView? { versions.first { $0.number == number } }
    /// By its number or a tag.
    func version(named name: String) -> VersionView? {
        (VersionNumber(name) ?? json["tags"]?[name]?.stringValue.flatMap { VersionNumber($0) }).flatMap(version)
    }
    func share(of number: VersionNumber) -> Double { json["traffic"]?["shares"]?["\(number)"]?.doubleValue ?? 0 }
    func isPending(_ number: VersionNumber) -> Bool { json["traffic"]?["pending"]?["\(number)"] != nil }
}

/// What the host says of a version.
struct VersionView {
    let json: JSONValue

    var text: String { json["version"]?.stringValue ?? "?" }
    var number: VersionNumber? { VersionNumber(text) }
    /// Nil for a state that this build does not know.
    var state: VersionState? { json["state"]?.stringValue.flatMap(VersionState.init) }
    var stateText: String { json["state"]?.stringValue ?? "?" }
    var reason: String? { json["reason"]?.stringValue }
    var file: String? { json["file"]?.stringValue }
    var digest: String? { json["digest"]?.stringValue }
    var share: Double { json["share"]?.doubleValue ?? 0 }
    var instances: [JSONValue] { json["instances"]?.arrayValue ?? [] }
    func number(_ path: String...) -> Double? { path.reduce(json) { $0[$1] ?? .null }.doubleValue }
}

/// Where a version stands (docs/OPERATIONS.md).
enum VersionState: String {
    case found
    case settling
    case stored
    case verifying
    case ready
    case serving
    case draining
    case retired
    case failed
    case held
    case rejected
}

extension JSONValue? {
    /// The texts of an array; empty for anything else.
    var strings: [String] { (self?.arrayValue ?? []).compactMap(\.stringValue) }
}
