internal import RoostBasics
internal import RoostShell

/// The command line `roost`.
public struct Roost {
    private let surroundings: any Surroundings
    private let host: any HostWithin

    public init(surroundings: any Surroundings, host: any HostWithin) {
        self.surroundings = surroundings
        self.host = host
    }

    static let commands = [
        serveCommand, deployCommand, packCommand, verifyCommand, statusCommand, predictCommand, logsCommand,
        scoreCommand, jobsCommand, deadLettersCommand, trafficCommand, rollbackCommand, rolloutCommand,
        evaluateCommand, diffCommand, auditCommand, benchCommand,
    ]
    static let version = Option("version", "print the version of roost")

    /// Runs one command.
    ///
    /// - Parameter arguments: without the program's name.
    /// - Returns: the exit code: 0 success, 1 failure, 2 a command line that cannot be understood, 3 finished with
    ///   bad rows.
    public func run(_ arguments: [String]) -> Int32 {
        var hint = "roost --help"
        do {
            do {
                return try run(arguments, hint: &hint)
            } catch let error as ArgumentError {
                throw UsageError(error.description)
            }
        } catch let error as UsageError {
            say("\(error) (see `\(hint)`)")
            return 2
        } catch {
            say("\(error)")
            return 1
        }
    }

    /// Nobody is left to tell when this fails too.
    private func say(_ text: String) {
        try? surroundings.write(Array("roost: \(text)\n".utf8), to: .error)
    }

    private func run(_ arguments: [String], hint: inout String) throws -> Int32 {
        let common = [Option.help, Self.version, .home, .url, .tokenFile]
        let before = try Arguments(arguments, options: common.map(\.name), stoppingAtOperand: true)
        if before.has(Self.version.name.long) {
            try surroundings.write(Array("roost \(roostRelease)\n".utf8), to: .output)
            return 0
        }
        let name = before.operands.first
        if name == nil && before.has(Option.help.name.long) || before.operands == ["help"] {
            return try page(HelpPage.overview(of: Self.commands))
        }
        guard let name else { throw UsageError("say what to do") }
        if name == "help", let topic = Self.commands.first(where: { $0.name == before.operands.last }) {
            return try page(HelpPage.page(of: topic))
        }
        guard let command = Self.commands.first(where: { $0.name == name }) else {
            throw UsageError("unknown command \"\(name)\"")
        }
        hint = "roost \(command.name) --help"
        let options = command.options + [.help]
        // What stood before the command counts as if it stood behind it.
        let moved = before.options.map { option in
            common.contains { $0.name.long == option.name && $0.name.takesValue }
                ? "--\(option.name)=\(option.value)" : "--\(option.name)"
        }
        let read = try Arguments(moved + before.operands.dropFirst(), options: options.map(\.name))
        if read.has(Option.help.name.long) { return try page(HelpPage.page(of: command)) }
        if let later = options.first(where: { $0.isLater && read.has($0.name.long) }) {
            throw UsageError.later("--\(later.name.long)")
        }
        if let option = options.first(where: { $0.name.takesValue && read.values(of: $0.name.long).contains("") }) {
            throw UsageError("--\(option.name.long) needs a value")
        }
        return try command.run(Call(command: command, arguments: read, surroundings: surroundings, host: host))
    }

    private func page(_ text: String) throws -> Int32 {
        try surroundings.write(Array(text.utf8), to: .output)
        return 0
    }
}
