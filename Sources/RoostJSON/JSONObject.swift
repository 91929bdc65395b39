/// Members of a JSON object in the order in which they were written or added.
///
/// Two objects are equal when they have the same members; order does not count.
public struct JSONObject: Sendable {
    public struct Member: Hashable, Sendable {
        public let key: String
        public fileprivate(set) var value: JSONValue
    }

    public private(set) var members: [Member] = []
    private var index: [String: Int] = [:]

    public init() {}

    /// A repeated key keeps its first place and its last value.
    public init(_ members: some Sequence<(String, JSONValue)>) {
        for (key, value) in members { self[key] = value }
    }

    public var keys: [String] { members.map(\.key) }
    public var count: Int { members.count }
    public var isEmpty: Bool { members.isEmpty }

    /// Setting nil removes the member.
    public subscript(key: String) -> JSONValue? {
        get { index[key].map { members[$0].value } }
        set {
            switch (index[key], newValue) {
            case (let place?, let value?): members[place].value = value
            case (nil, let value?):
                index[key] = members.count
                members.append(Member(key: key, value: value))
            case (let place?, nil):
                members.remove(at: place)
                index.removeAll(keepingCapacity: true)
                for (place, member) in members.enumerated() { index[member.key] = place }
            case (nil, nil): break
            }
        }
    }

    /// Where `key` stands among the members.
    func place(of key: String) -> Int? { index[key] }
}

extension JSONObject: Hashable {
    public static func == (left: Self, right: Self) -> Bool {
        left.count == right.count && left.members.allSatisfy { right[$0.key] == $0.value }
    }

    public func hash(into hasher: inout Hasher) {
        hasher.combine(count)
        hasher.combine(members.reduce(0) { $0 ^ $1.hashValue })
    }
}
