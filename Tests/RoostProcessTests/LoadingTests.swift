import Foundation
import RoostBasics
import RoostProcess
import Testing

@Suite(.serialized) struct LoadingTests {
    @Test func aGoodPluginLoadsAndSaysWhatItTook() throws {
        let world = try World()
        let template = try world.start(["LOAD_PRINTS"])
        let report = try world.report(template)
        #expect(report.isForkable)
        #expect(report.threads == 1)
        #expect(report.loadNanoseconds > 0)
        #expect(report.memoryBytes == 256 << 20)
        #expect(report.modelMemoryBytes == (4 << 20) + (40 << 20))
        #expect(
            String(decoding: report.signature, as: UTF8.self)
                == #"{"inputs":[{"name":"features","datatype":"FP32","shape":[-1,2]}],"#
                + #""outputs":[{"name":"predictions","datatype":"FP32","shape":[-1]}],"#
                + #""columns":[{"name":"age","type":"number","missing":"refused"},"#
                + #"{"name":"colour","type":"category","missing":"allowed","categories":["red","gr\"een"]}]}"#)
        try world.run { world.output(template) == "printed 42\nwarning: logged\n" }
        try world.shutDown()
    }

    @Test(arguments: [
        (["LOAD_FAILS"], RoostError.Code.pluginFailed, "load misdeeds@1: tree 7 has a cycle"),
        (["LOAD_OTHER_FORMAT"], .unsupported, "load misdeeds@1: misdeeds does not read files of this format"),
        (["LOAD_CRASHES"], .pluginFailed, "killed by signal 11 (segmentation fault) while loading"),
        (["LOAD_EXITS"], .pluginFailed, "called exit(3) while loading"),
        (["NO_ENTRY"], .pluginFailed, "exports no roost_plugin_entry"),
        (["ABI=9"], .pluginFailed, "built for plugin ABI 9, this host speaks 1: rebuild it"),
        (["SIZE=24"], .pluginFailed, "has 24 bytes, too few"),
        (["NO_LOAD"], .pluginFailed, "has NULL for load"),
        (["NO_PREDICT"], .pluginFailed, "has NULL for predict (or invoke)"),
        (["UNDEFINED"], .pluginFailed, "undefined symbol: nobody_defines_this"),
        (["BAD_SHAPE"], .pluginFailed, "dimension 0 is the batch and must be -1"),
        (["BAD_DTYPE"], .pluginFailed, "has dtype 99"),
        (["TWO_ALIKE"], .pluginFailed, "two inputs are named features"),
        (["LOAD_SOCKET"], .pluginFailed, "Operation not permitted; the sandbox refused: socket"),
        (["LOAD_THREAD=1"], .pluginFailed, "it starts threads: rebuild it with ROOST_NEEDS_THREADS"),
        (["LOAD_THREAD=2"], .pluginFailed, "it starts threads: rebuild it with ROOST_NEEDS_THREADS"),
    ])
    func aBadPluginFailsWithTheRemedy(defines: [String], code: RoostError.Code, words: String) throws {
        let world = try World()
        let failure = try world.failure(world.start(defines))
        #expect(failure.code == code)
        #expect(failure.message.contains(words), "\(failure.message)")
        #expect(try world.report(world.start()).isForkable, "others load all the same")
        try world.shutDown()
    }

    @Test func onlyTheFirstOfAFloodOfRefusedCallsAreToldOf() throws {
        let world = try World()
        _ = try world.load(["LOAD_FLOOD"])
        let announced = world.events.count { if case .callRefused = $0 { true } else { false } }
        #expect(announced == 64)
        try world.shutDown()
    }

    @Test func aHangingLoadEndsWhenKilled() throws {
        let world = try World()
        let template = try world.start(["LOAD_HANGS"])
        world.nursery.kill(template)
        #expect(try world.failure(template).message.contains("killed by signal 9 (kill) while loading"))
        try world.shutDown()
    }

    @Test func aHangingLoadEndsByItselfAfterItsTime() throws {
        let world = try World { ($0.patience, $0.loadPatience) = (.seconds(2), .seconds(1)) }
        let failure = try world.failure(world.start(["LOAD_HANGS"]))
        #expect(failure.code == .pluginFailed)
        #expect(failure.message.contains("it did not finish loading within"))
        try world.shutDown()
    }

    @Test func modelMemoryAboveItsLimitIsRefused() throws {
        let world = try World()
        let template = try world.start { $0.modelMemoryBytes = 1 << 20 }
        #expect(try world.failure(template).message == "load misdeeds@1: no model memory")
        try world.shutDown()
    }

    @Test func aMemoryLimitBelowWhatLoadingTookFailsTheLoad() throws {
        let world = try World()
        let template = try world.start { $0.memoryBytes = 1 << 16 }
        #expect(try world.failure(template).message.contains("limits.memory allows 0 MiB: raise it"))
        try world.shutDown()
    }

    @Test func aModelFileIsMappedAndMayBeOpenedAgain() throws {
        let world = try World()
        let file = try Fixtures.temporaryFile(Array("Q is the first byte".utf8))
        let examples = try Fixtures.temporaryFile(Array("{}\n{}\n{}\n".utf8))
        let template = try world.start {
            $0.model = .file(file)
            $0.examples = examples
        }
        close(file)
        close(examples)
        #expect(try world.report(template).examples == 3)
        #expect(try world.fork(template).ask("first") == "\(UInt8(ascii: "Q")) OK")
        try world.shutDown()
    }

    @Test func aModelInsideThePluginIsMappedInPlace() throws {
        let world = try World()
        let plugin = try Fixtures.plugin([])
        let packed = plugin + ".packed"
        var bytes = try Array(Data(contentsOf: URL(fileURLWithPath: plugin)))
        bytes += [UInt8](repeating: 0, count: 4096 - bytes.count % 4096)
        let offset = bytes.count
        bytes += Array("Z".utf8)
        try Data(bytes).write(to: URL(fileURLWithPath: packed))
        let file = unsafe open(packed, O_RDONLY)
        let template = try world.start {
            $0.plugin = file
            $0.model = .section(offset: UInt64(offset), bytes: 1)
        }
        close(file)
        _ = try world.report(template)
        #expect(try world.fork(template).ask("first") == "\(UInt8(ascii: "Z")) OK")
        try world.shutDown()
    }
}
