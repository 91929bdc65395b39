internal import RoostShell

/// The pages that `--help` prints.
enum HelpPage {
    private static let width = 88

    static func overview(of commands: [Command]) -> String {
        let column = commands.map { $0.name.count + $0.operands.count }.max() ?? 0
        var lines = [
            "roost hosts machine-learning models: drop a file into a folder, get an HTTP endpoint.", "",
            "usage: roost COMMAND [OPTIONS]", "", "commands:",
        ]
        for command in commands {
            let usage = "\(command.name) \(command.operands)"
            lines.append("  \(padded(usage, to: column + 3))\(command.summary)")
        }
        lines += ["", "to begin:"]
        lines += table([
            ("roost serve --home demo", "a host in the folder demo/, on http://127.0.0.1:8080"),
            ("cp model.ubj demo/plugins/credit.ubj", "this is a deployment"),
            ("roost status --home demo", "what is there, and how it does"),
            ("roost predict credit rows.csv --home demo", "ask it"),
        ])
        lines += ["", "`roost COMMAND --help` says more. `roost --version` prints the version."]
        lines += wrapped(
            """
            TARGET is a function (credit: the version that traffic chooses), a version (credit@3), or a path to a file. \
            The host is found by --home DIR (default: the current folder), else by --url URL or ROOST_URL.
            """)
        lines += ["Exit codes: 0 success, 1 failure, 2 wrong usage, 3 finished with bad rows."]
        return lines.joined(separator: "\n") + "\n"
    }

    static func page(of command: Command) -> String {
        var lines = ["usage: roost \(command.name) \(command.operands)", "", command.summary + "."]
        for paragraph in command.details { lines += [""] + wrapped(paragraph) }
        let options = (command.options + [.help]).filter { !$0.isLater }
        lines += ["", "options:"] + table(options.map { (usage(of: $0), $0.text) })
        if !command.examples.isEmpty {
            lines += ["", "examples:"] + table(command.examples.map { ($0.line, $0.text) })
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func usage(of option: Option) -> String {
        let letter = option.name.letter.map { "-\($0), " } ?? ""
        return "\(letter)--\(option.name.long)\(option.value.isEmpty ? "" : " \(option.value)")"
    }

    /// Two columns; the second is wrapped beside the first.
    private static func table(_ rows: [(String, String)]) -> [String] {
        let column = (rows.map(\.0.count).max() ?? 0) + 4
        return rows.flatMap { left, right in
            wrapped(right, width: max(30, width - column)).enumerated().map { place, line in
                padded(place == 0 ? "  " + left : "", to: column) + line
            }
        }
    }

    static func wrapped(_ text: String, width: Int = width) -> [String] {
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ") {
            if !line.isEmpty && line.count + 1 + word.count > width {
                lines.append(line)
                line = ""
            }
            line += line.isEmpty ? word : " " + word
        }
        return lines + [line]
    }

    static func padded(_ text: String, to width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}
