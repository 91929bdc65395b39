public import RoostJSON

/// Which events a trigger takes: every condition must hold. The dialects are those of CloudEvents Subscriptions 1.0.
public struct EventFilter: Hashable, Sendable {
    public enum Match: String, Hashable, Sendable, CaseIterable {
        case exact, prefix, suffix
    }

    /// One condition on one attribute, which the event must have.
    public struct Condition: Hashable, Sendable {
        public let attribute: String
        public let match: Match
        public let text: String

        public init(_ attribute: String, _ match: Match, _ text: String) {
            self.attribute = attribute
            self.match = match
            self.text = text
        }
    }

    public let conditions: [Condition]

    /// Takes every event unless there are conditions.
    public init(_ conditions: [Condition] = []) { self.conditions = conditions }

    public func matches(_ event: CloudEvent) -> Bool {
        conditions.allSatisfy { condition in
            guard let value = event[condition.attribute] else { return false }
            // Bytes, since letters that look alike are different ones here.
            switch condition.match {
            case .exact: return value.utf8.elementsEqual(condition.text.utf8)
            case .prefix: return value.utf8.starts(with: condition.text.utf8)
            case .suffix: return value.utf8.reversed().starts(with: condition.text.utf8.reversed())
            }
        }
    }

    /// `{"exact": {"type": "com.example.x"}, "prefix": {"source": "/shop/"}}`; what stands outside of the three is meant
    /// exactly: `{"type": "com.example.x"}`.
    /// - Throws: for names that no attribute has, values that are no text, and conditions that are empty.
    public init(_ cursor: JSONCursor) throws(JSONError) {
        var conditions: [Condition] = []
        for (key, value) in try cursor.members() {
            guard let match = Match(rawValue: key) else {
                conditions.append(try Self.condition(key, .exact, value))
                continue
            }
            for (attribute, value) in try value.members() {
                conditions.append(try Self.condition(attribute, match, value))
            }
        }
        self.init(conditions)
    }

    private static func condition(
        _ attribute: String, _ match: Match, _ cursor: JSONCursor
    ) throws(JSONError) -> Condition {
        guard CloudEvent.isName(attribute) else {
            throw cursor.keyError(
                "\(cursor.path): attributes of events have names of lower-case letters and digits")
        }
        let text = try cursor.string()
        guard !text.isEmpty else { throw cursor.error("\(cursor.path) must not be empty") }
        return Condition(attribute, match, text)
    }
}
