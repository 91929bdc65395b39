internal import RoostBasics
internal import RoostJSON
internal import RoostTraffic

// What a manifest says of traffic, beyond shares.

extension JSONCursor {
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

    /// `"2"`.
    private func versionNumber() throws(JSONError) -> VersionNumber {
        let text = try string()
        guard let number = VersionNumber(text) else { throw error("\(path): \"\(text)\" is no version number") }
        return number
    }

    /// `"header:X-User"`, `"cookie:session"`, `"query:user"`.
    func stickyKey() throws(JSONError) -> StickyKey {
        let text = try string()
        do throws(RoostError) { return try StickyKey(text) } catch { throw self.error("\(path): \(error.message)") }
    }
}
