public import RoostBasics
public import RoostTraffic

extension FunctionDeployment {
    /// Who is on trial, and who vouches for it; nil while nothing serves.
    public var roles: TrafficRoles? { route.map(TrafficRoles.init) }

    /// What each tag that is defined now stands for; first those that traffic defines, then the manifest's by name.
    /// A version that the manifest names need not be there.
    public var tags: [(tag: VersionTag, version: VersionNumber)] {
        var tags: [(tag: VersionTag, version: VersionNumber)] = []
        if let stable = roles?.stable { tags.append((.stable, stable)) }
        if let canary = roles?.canary { tags.append((.canary, canary)) }
        for (tag, version) in manifestTags.sorted(by: { $0.key < $1.key }) { tags.append((tag, version)) }
        return tags
    }

    /// The version that a number or a tag stands for, whether there is such a version or not.
    /// - Throws: `.notFound`, naming the tags that there are.
    public func number(named text: String) throws(RoostError) -> VersionNumber {
        if let number = VersionNumber(text) { return number }
        guard let tag = VersionTag(text) else {
            throw RoostError(.notFound, "\"\(text)\" is neither a version number nor a tag")
        }
        if let found = tags.first(where: { $0.tag == tag }) { return found.version }
        let known = tags.map(\.tag.text).joined(separator: ", ")
        let rest = known.isEmpty ? "there are no tags" : "there is \(known)"
        switch tag {
        case .stable: throw RoostError(.notFound, "\(name) has no stable version now: nothing serves (\(rest))")
        case .canary: throw RoostError(.notFound, "\(name) has no canary now: nobody has a smaller share (\(rest))")
        default: throw RoostError(.notFound, "\(name) has no tag \"\(tag)\" (\(rest))")
        }
    }

    /// What is wrong with the manifest's tags at the moment, for `status`.
    public var tagProblems: [String] {
        manifestTags.sorted { $0.key < $1.key }.compactMap { tag, number in
            let state = versions[number]?.state ?? .retired
            guard !state.takesRequests else { return nil }
            let why = versions[number] == nil ? "is not there" : "is \(state.word)"
            return "tag \(tag) names version \(number), which \(why)"
        }
    }
}
