public import RoostBasics
public import RoostJSON

/// One decision, for the audit log. The log adds the wall clock and the chain of hashes.
public struct AuditEntry: Hashable, Sendable {
    public let function: FunctionName
    /// The version that it is about; nil when it is about the function.
    public let version: VersionNumber?
    /// A person, as the caller of the command named them, or the rule that decided: `rollout`, `latest`, `guard`.
    public let who: String
    /// `traffic`, `rolled_back`, `rejected`, `rollout_advanced`, …
    public let act: String
    public let from: String
    public let to: String
    /// In words.
    public let reason: String
    /// The figures that it is based on; null when there are none.
    public let numbers: JSONValue

    public init(
        _ function: FunctionName, _ version: VersionNumber? = nil, by who: String, _ act: String, from: String = "",
        to: String = "", reason: String = "", numbers: JSONValue = .null
    ) {
        self.function = function
        self.version = version
        self.who = who
        self.act = act
        self.from = from
        self.to = to
        self.reason = reason
        self.numbers = numbers
    }
}
