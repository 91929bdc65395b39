import RoostShell
import Testing

@Suite struct OptionsTests {
    private let names = [
        OptionName("home", takesValue: true), OptionName("host", takesValue: true),
        OptionName("follow", letter: "f", takesValue: false), OptionName("output", letter: "o", takesValue: true),
    ]

    @Test func optionsMayStandAnywhereAndKeepTheirOrder() throws {
        let read = try Arguments(
            ["a", "--home", "x y", "b", "-f", "--home=z", "-o", "out", "-", "--host="], options: names)
        #expect(read.operands == ["a", "b", "-"])
        #expect(read.values(of: "home") == ["x y", "z"])
        #expect(read.value(of: "home") == "z")
        #expect(read.value(of: "output") == "out")
        #expect(read.value(of: "host")?.isEmpty == true)
        #expect(read.has("follow"))
    }

    @Test func lettersMayBeJoinedWithEachOtherAndTheirValue() throws {
        let read = try Arguments(["-ffoout", "-ffff"], options: names)
        #expect(read.options.count == 7)
        #expect(read.value(of: "output") == "out")
    }

    @Test func twoDashesEndTheOptions() throws {
        let read = try Arguments(["-f", "--", "--home", "-x"], options: names)
        #expect(read.operands == ["--home", "-x"])
        #expect(read.options.map(\.name) == ["follow"])
    }

    @Test func readingCanStopAtTheFirstOperand() throws {
        let read = try Arguments(["--home", "x", "status", "--unheard"], options: names, stoppingAtOperand: true)
        #expect(read.operands == ["status", "--unheard"])
    }

    @Test(arguments: [
        (["a", "--unheard"], ArgumentError.unknown("--unheard")), (["--unheard=3"], .unknown("--unheard=3")),
        (["-x"], .unknown("-x")), (["-fx"], .unknown("-x")), (["--home"], .valueMissing("--home")),
        (["-o"], .valueMissing("--output")), (["--follow=1"], .valueUnwanted("--follow")),
        (["--ho", "x"], .ambiguous("--ho")),
    ])
    func mistakesAreNamed(_ arguments: [String], _ wanted: ArgumentError) {
        #expect(throws: wanted) { try Arguments(arguments, options: names) }
    }

    @Test func abbreviationsWorkWhileTheyAreUnique() throws {
        #expect(try Arguments(["--fol", "--out=3"], options: names).value(of: "output") == "3")
    }

    @Test func readersOnManyThreadsDoNotDisturbEachOther() async {
        await withTaskGroup(of: Bool.self) { group in
            for number in 0..<64 {
                group.addTask { [names] in
                    let read = try? Arguments(["a\(number)", "--home", "h\(number)", "-f"], options: names)
                    return read?.value(of: "home") == "h\(number)" && read?.operands == ["a\(number)"]
                }
            }
            for await right in group { #expect(right) }
        }
    }
}
