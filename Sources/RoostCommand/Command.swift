internal import RoostShell

/// One command of `roost`: what it does, and all that its help page says.
struct Command: Sendable {
    let name: String
    /// As the usage line shows them: `TARGET [FILE|-]`.
    let operands: String
    /// One line, for the list of commands.
    let summary: String
    /// Paragraphs for the command's own page.
    let details: [String]
    let options: [Option]
    let examples: [Example]
    /// Returns the exit code; `UsageError` becomes 2, any other error 1.
    let run: @Sendable (Call) throws -> Int32
}

/// One option of a command, as its page shows it.
struct Option: Sendable {
    let name: OptionName
    /// What the value is called; empty for an option without one.
    let value: String
    let text: String
    /// Named by the design, brought by a later release: refused until then, and left out of the page.
    let isLater: Bool

    init(_ long: String, letter: Character? = nil, value: String = "", isLater: Bool = false, _ text: String) {
        name = OptionName(long, letter: letter, takesValue: !value.isEmpty)
        self.value = value
        self.text = text
        self.isLater = isLater
    }

    static func later(_ long: String, value: String = "") -> Self { Self(long, value: value, isLater: true, "") }

    static let help = Option("help", letter: "h", "this page")
    static let home = Option("home", value: "DIR", "the host's home folder (default: the current one)")
    static let url = Option(
        "url", value: "URL", "a host elsewhere: http://HOST:PORT (also from the environment: ROOST_URL)")
    static let json = Option("json", "print what the host answered, as JSON")
    static let tokenFile = Option(
        "token-file", value: "FILE",
        "with --url: a file with the host's management token (also from the environment: ROOST_TOKEN_FILE)")
    /// For every command that asks a running host.
    static let host = [home, url, tokenFile]
}

/// A line to copy, and what it does.
struct Example: Sendable {
    let line: String
    let text: String

    init(_ line: String, _ text: String) {
        self.line = line
        self.text = text
    }
}

/// A command line that cannot be understood: one line, and where to look.
struct UsageError: Error, Hashable, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }

    static func later(_ what: String) -> Self { Self("\(what) is not supported by this build") }
}

/// What went wrong, where the error alone would not say enough.
struct Failure: Error, Hashable, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
