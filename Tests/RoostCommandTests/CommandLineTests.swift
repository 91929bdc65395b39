import RoostBasics
import Testing

@testable import RoostCommand

@Suite struct CommandLineTests {
    @Test func helpOfTheWholeNamesEveryCommand() {
        let (code, page, error) = roost(["--help"])
        #expect(code == 0 && error.isEmpty)
        for command in Roost.commands { #expect(page.contains("  \(command.name) \(command.operands)")) }
        #expect(roost(["-h"]).output == page)
        #expect(roost(["help"]).output == page)
    }

    @Test(arguments: Roost.commands.map(\.name))
    func everyPageHasUsageOptionsAndAnExampleAndFitsTheScreen(_ name: String) {
        let (code, page, _) = roost([name, "--help"])
        #expect(code == 0)
        #expect(page.hasPrefix("usage: roost \(name)"))
        #expect(page.contains("\noptions:\n") && page.contains("\nexamples:\n  "))
        #expect(page.contains("\n  -h, --help "))
        #expect(page.split(separator: "\n").allSatisfy { $0.count <= 100 })
        #expect(roost(["help", name]).output == page)
    }

    @Test func theVersionIsPrinted() { #expect(roost(["--version"]).output == "roost \(roostRelease)\n") }

    @Test(
        arguments: [
            ([], "say what to do (see `roost --help`)"),
            (["frob"], "unknown command \"frob\" (see `roost --help`)"),
            (["status", "--frob"], "unknown option --frob (see `roost status --help`)"),
            (["--frob", "status"], "unknown option --frob (see `roost --help`)"),
            (["status", "a", "b"], "unexpected argument \"b\" (see `roost status --help`)"),
            (["status", "--home="], "--home needs a value (see `roost status --help`)"),
            (
                ["status", "--home", "x", "--url", "http://a"],
                "--home and --url exclude each other (see `roost status --help`)"
            ),
            (
                ["status", "--url", "a:8080"],
                "--url must be http://HOST:PORT, got \"a:8080\" (see `roost status --help`)"
            ),
            (
                ["status", "--url", "https://a"],
                "https in --url is not supported by this build (see `roost status --help`)"
            ),
            (
                ["predict", "credit@latest"],
                "\"credit@latest\" is no target: give a function (credit), a version (credit@3), or a path to a file (see `roost predict --help`)"
            ),
            (["traffic", "credit"], "shares are missing: 2=90 3=10, or latest (see `roost traffic --help`)"),
            (["traffic", "credit", "2=90", "3=5"], "the shares sum to 95, not 100 (see `roost traffic --help`)"),
            (["traffic", "credit", "2=50", "2=50"], "version 2 has two shares (see `roost traffic --help`)"),
            (
                ["traffic", "credit", "x=1"],
                "\"x=1\" is no share: write VERSION=PERCENT, as in 3=10 (see `roost traffic --help`)"
            ),
            (["serve", "--keep", "0"], "--keep must be 1 or more, got \"0\" (see `roost serve --help`)"),
            (["serve", "--listen", "8080"], "--listen must be HOST:PORT, got \"8080\" (see `roost serve --help`)"),
            (["serve", "--drain", "30"], "--drain must be a time like 30s, got \"30\" (see `roost serve --help`)"),
            (["serve", "--store-max", "1"], "--store-max is not supported by this build (see `roost serve --help`)"),
            (
                ["deploy", "credit@3"],
                "credit@3 is a version, not a file: say --restart or --allow-incompatible, or name a file (see `roost deploy --help`)"
            ),
            (
                ["deploy", "my model.ubj"],
                "\"my model.ubj\": \"my model\" is no function name (letters, digits, _ and -, at most 63, first a letter or digit): name it NAME@VERSION.EXT or NAME.EXT, like credit@3.so or credit.ubj, or say --as credit@3 (see `roost deploy --help`)"
            ),
        ] as [([String], String)])
    func wrongUsageIsOneLineAndExitCodeTwo(_ arguments: [String], _ wanted: String) {
        let (code, output, error) = roost(arguments)
        #expect(code == 2)
        #expect(output.isEmpty)
        #expect(error == "roost: \(wanted)\n")
    }

    @Test func serveReadsItsOptionsWhereverTheyStand() {
        let host = FakeHost()
        let line = [
            "--home", "h", "serve", "--listen=[::1]:0", "--max-body", "1MiB", "--drain", "5s", "--host", "a",
            "--host=b",
            "--keep", "3", "--user", "models", "--load-memory", "2GiB", "--rescan", "30s", "--max-memory-bodies",
            "1GiB",
        ]
        #expect(roost(line, host: host).code == 0)
        var wanted = ServeSettings()
        wanted.home = "h"
        wanted.listen = "[::1]:0"
        wanted.bodyMax = .mebibytes(1)
        wanted.drain = .seconds(5)
        wanted.hostNames = ["a", "b"]
        wanted.keep = 3
        wanted.user = "models"
        wanted.loadMemory = .mebibytes(2048)
        wanted.rescan = .seconds(30)
        wanted.bodiesInMemoryMax = .mebibytes(1024)
        #expect(host.served == wanted)
        #expect(roost(["serve"], host: host).code == 0)
        #expect(host.served == ServeSettings())
    }

    @Test func verifyPrintsItsReportOrTheReason() {
        #expect(roost(["verify", "a.so"]).output == "a.so fits\n2 examples\n")
        #expect(roost(["verify", "a.so", "--json"]).output == "{\n  \"file\": \"a.so\",\n  \"examples\": 2\n}\n")
        let (code, output, error) = roost(["verify", "bad.so"])
        #expect((code, output, error) == (1, "", "roost: bad.so: not a plugin\n"))
    }

    @Test func aFilePredictsWithoutAHost() {
        #expect(roost(["predict", "./a.ubj"], input: "[[1]]").output == "./a.ubj application/json 5")
        #expect(roost(["predict", "a.ubj", "-"], input: "a,b\n1,2\n").output == "a.ubj text/csv 8")
        let (code, _, error) = roost(["predict", "a.ubj", "-"])
        #expect((code, error) == (1, "roost: no rows\n"))
        #expect(roost(["predict", "a.ubj"]).code == 2)
    }

    @Test(
        arguments: [
            ("credit@3.ubj", "credit", "3", "ubj"), ("credit@1.10.json", "credit", "1.10", "json"),
            ("credit.so", "credit", nil, "so"),
        ] as [(String, String, String?, String)])
    func namesOfDroppedFilesAreRead(_ file: String, _ function: String, _ version: String?, _ ending: String) {
        let name = try? DropFile(file)
        #expect(name?.function.text == function)
        #expect(name?.version?.description == version)
        #expect(name?.fileExtension == ending)
        #expect(name?.description == file)
    }

    @Test(arguments: [
        "", "credit", "credit@3", "credit@.ubj", "credit@01.ubj", "a b.ubj", ".ubj", "credit.3", "credit.",
        "credit@3.so.failed", "credit.partial", "credit@x.ubj",
    ])
    func otherNamesAreNotUnderstood(_ file: String) { #expect(throws: UsageError.self) { try DropFile(file) } }
}
