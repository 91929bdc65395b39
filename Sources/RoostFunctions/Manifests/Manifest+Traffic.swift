internal import RoostBasics
internal import RoostJSON
internal import RoostTraffic

// What a manifest says of traffic, beyond shares.

/// Which part of a function's answered requests is copied to a version, for comparison.
public struct ShadowPlan: Hashable, Sendable {
    /// A number or a tag.
    public let version: String
    /// 1 to 100.
    public let percent: Int

    public init(version: String, percent: Int) {
        self.version = version
        self.percent = percent
    }

    static let keys = ["version", "percent"]
}

extension JSONCursor {
    /// `{"version": "canary", "percent": 10}`.
    func shadowPlan() throws(JSONError) -> ShadowPlan {
        let object = try object(known: ShadowPlan.keys)
        let version = try object.required("version")
        let text = try version.string()
        guard VersionNumber(text) != nil || VersionTag(text) != nil else {
            throw version.error("\(version.path): \"\(text)\" is neither a version number nor a tag")
        }
        return ShadowPlan(version: text, percent: try object["percent"]?.integer(in: 1...100) ?? 100)
    }

    /// `{"champion": "2"}`.
    func tags() throws(JSONError) -> [VersionTag: VersionNumber] {
        var tags: [VersionTag: VersionNumber] = [:]
        for (key, value) in try members() {
            guard let tag = VersionTag(key) else {
                throw value.keyError(
                    "\"\(key)\" is no tag: a letter, then letters, digits, _ and -, not latest or next")
            }
            guard !VersionTag.byTraffic.contains(tag) else {
                throw value.keyError("the tag \"\(key)\" follows from traffic: choose another")
            }
            tags[tag] = try value.versionNumber()
        }
        return tags
    }

    /// `"header:X-User"`, `"cookie:session"`, `"query:user"`.
    func stickyKey() throws(JSONError) -> StickyKey {
        let text = try string()
        do throws(RoostError) { return try StickyKey(text) } catch { throw self.error("\(path): \(error.message)") }
    }
}
