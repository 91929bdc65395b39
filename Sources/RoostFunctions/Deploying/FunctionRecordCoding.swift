public import RoostBasics
public import RoostJSON
internal import RoostTensors
internal import RoostTraffic

/// Records as JSON, for a store that keeps text.
extension FunctionRecord {
    public var json: JSONValue {
        var members: [(String, JSONValue)] = [
            ("name", .string(name.text)), ("highest_major", .integer(Int(highestMajor))),
            ("origin", .string(origin.word)),
        ]
        if case .set(let shares) = origin { members.append(("set", shares.json)) }
        if let manifestShares { members.append(("manifest", manifestShares.json)) }
        if let stable { members.append(("stable", .string(stable.description))) }
        if let rollout { members.append(("rollout", rollout.json)) }
        if expectsCanary { members.append(("expects_canary", true)) }
        if let evidence {
            members.append(("evidence", evidence.json))
            members.append(("compared_since", .integer(comparedSince)))
        }
        if let slots { members.append(("slots", .string(slots.description))) }
        if let watch { members.append(("watch", watch.json)) }
        if let absence { members.append(("absence", absence.json)) }
        members.append(("versions", .array(versions.map(\.json))))
        return .object(JSONObject(members))
    }

    public init(_ document: JSONDocument) throws(JSONError) {
        let root = document.root
        guard let name = FunctionName(try root.required("name").string()) else {
            throw try root.required("name").error("not a function name")
        }
        let origin: TrafficOrigin
        switch try root.required("origin").string() {
        case "latest": origin = .latest
        case "manifest": origin = .manifest
        case "set": origin = .set(try root.required("set").shares())
        default: throw try root.required("origin").error("unknown origin")
        }
        var versions: [VersionRecord] = []
        for element in try root.required("versions").elements() { versions.append(try VersionRecord(element)) }
        self.init(
            name: name, highestMajor: UInt32(try root.required("highest_major").integer(in: 0...Int(UInt32.max))),
            origin: origin, manifestShares: try root["manifest"]?.shares(),
            stable: try root["stable"]?.versionNumber(),
            rollout: try root["rollout"].map { cursor throws(JSONError) in try Rollout(cursor, at: .beginning) },
            expectsCanary: try root["expects_canary"]?.bool() ?? false,
            evidence: try root["evidence"].map { cursor throws(JSONError) in try Evidence(cursor) },
            comparedSince: try root["compared_since"]?.integer(in: 0...Int.max) ?? 0,
            slots: try root["slots"].map { cursor throws(JSONError) in try StickySlots(cursor) },
            watch: try root["watch"].map { cursor throws(JSONError) in try GuardRecord(cursor) },
            absence: try root["absence"].map { cursor throws(JSONError) in try FunctionDeployment.Absence(cursor) },
            versions: versions)
    }
}

extension FunctionDeployment.Absence {
    fileprivate var json: JSONValue {
        .object(JSONObject(leading.map { [("leading", .string($0.description))] } ?? []))
    }

    fileprivate init(_ cursor: JSONCursor) throws(JSONError) {
        self.init(leading: try cursor["leading"]?.versionNumber())
    }
}

extension GuardRecord {
    fileprivate var json: JSONValue {
        [
            "successor": .string(successor.description), "stable": .string(stable.description),
            "until": .integer(untilUnix), "window": .integer(window),
        ]
    }

    fileprivate init(_ cursor: JSONCursor) throws(JSONError) {
        self.init(
            successor: try cursor.required("successor").versionNumber(),
            stable: try cursor.required("stable").versionNumber(),
            untilUnix: try cursor.required("until").integer(in: 0...Int.max),
            window: try cursor.required("window").integer(in: 0...Int.max))
    }
}

extension StickySlots {
    fileprivate init(_ cursor: JSONCursor) throws(JSONError) {
        let text = try cursor.string()
        do throws(RoostError) { try self.init(text) } catch { throw cursor.error(error.message) }
    }
}

extension TrafficShares {
    /// `{"2": 90, "3": 10}`.
    public var json: JSONValue {
        .object(JSONObject(entries.map { ($0.version.description, .integer($0.percent)) }))
    }
}

extension VersionRecord {
    var json: JSONValue {
        var members: [(String, JSONValue)] = [
            ("number", .string(number.description)), ("digest", .string(stored.digest)),
            ("size", .integer(stored.size)), ("kind", .string(stored.kind.rawValue)), ("file", .string(fileName)),
            (
                "stamp",
                [.integer(stamp.size), .integer(stamp.modifiedNS), .integer(Int(bitPattern: UInt(stamp.inode)))]
            ),
            ("numbered_by_host", .bool(isNumberedByHost)), ("state", .string(state.word)),
            ("allows_incompatible", .bool(allowsIncompatible)),
        ]
        if let reason = state.reason { members.append(("reason", .string(reason))) }
        if let verification { members.append(("verification", verification.json)) }
        return .object(JSONObject(members))
    }

    init(_ cursor: JSONCursor) throws(JSONError) {
        let kind = try cursor.required("kind")
        let version = try cursor.required("number").versionNumber()
        guard let storedKind = StoredFile.Kind(rawValue: try kind.string()) else { throw kind.error("unknown kind") }
        let everything = Int.min...Int.max
        let stamp = try cursor.required("stamp").elements()
        guard stamp.count == 3 else { throw cursor.error("stamp must be [size, time, inode]") }
        self.init(
            number: version,
            stored: StoredFile(
                digest: try cursor.required("digest").string(),
                size: try cursor.required("size").integer(in: 0...Int.max), kind: storedKind),
            fileName: try cursor.required("file").string(),
            stamp: FileStamp(
                size: try stamp[0].integer(in: everything), modifiedNS: try stamp[1].integer(in: everything),
                inode: UInt64(bitPattern: Int64(try stamp[2].integer(in: everything)))),
            isNumberedByHost: try cursor.required("numbered_by_host").bool(), state: try State(cursor),
            verification: try cursor["verification"].map { cursor throws(JSONError) in try Verification(cursor) },
            allowsIncompatible: try cursor.required("allows_incompatible").bool())
    }
}

extension VersionRecord.State {
    fileprivate var word: String {
        switch self {
        case .stored: "stored"
        case .ready: "ready"
        case .retired: "retired"
        case .failed: "failed"
        case .held: "held"
        case .rejected: "rejected"
        }
    }

    fileprivate var reason: String? {
        switch self {
        case .failed(let reason), .held(let reason), .rejected(let reason): reason
        case .stored, .ready, .retired: nil
        }
    }

    fileprivate init(_ cursor: JSONCursor) throws(JSONError) {
        let state = try cursor.required("state"), reason = try cursor["reason"]?.string() ?? ""
        switch try state.string() {
        case "stored": self = .stored
        case "ready": self = .ready
        case "retired": self = .retired
        case "failed": self = .failed(reason: reason)
        case "held": self = .held(reason: reason)
        case "rejected": self = .rejected(reason: reason)
        default: throw state.error("unknown state")
        }
    }
}

extension Verification {
    fileprivate var json: JSONValue {
        var members: [(String, JSONValue)] = [
            ("host_build", .string(hostBuild)), ("signature", signature.json), ("examples", .integer(exampleCount)),
        ]
        if let runtime { members.append(("runtime", .string(runtime))) }
        return .object(JSONObject(members))
    }

    fileprivate init(_ cursor: JSONCursor) throws(JSONError) {
        self.init(
            hostBuild: try cursor.required("host_build").string(),
            signature: try Signature(try cursor.required("signature")),
            exampleCount: try cursor.required("examples").integer(in: 0...Int.max),
            runtime: try cursor["runtime"]?.string())
    }
}
