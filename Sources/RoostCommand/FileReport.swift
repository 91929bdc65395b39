public import RoostJSON

/// What probation found out about a file that passed it.
public struct FileReport: Sendable {
    /// For people, one fact a line.
    public let lines: [String]
    /// The same for programs.
    public let json: JSONValue

    public init(lines: [String], json: JSONValue) {
        self.lines = lines
        self.json = json
    }
}
