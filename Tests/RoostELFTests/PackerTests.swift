import Foundation
import RoostABI
import RoostBasics
import RoostELF
import Testing

@Suite struct PackerTests {
    let model = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 8) }

    @Test func whatIsPackedIsReadBackAtAlignedPlaces() throws {
        let packed = try Fixture.pack("roundtrip") {
            $0.add(model: ByteSource(model))
            $0.add(card: Array(#"{"task": "test"}"#.utf8))
            $0.add(examples: Array("{}\n".utf8))
        }
        let plugin = try PluginFile(ByteSource(packed.bytes))
        let place = try #require(plugin.model)
        #expect(place.lowerBound % 4096 == 0)
        #expect(Array(packed.bytes[place]) == model)
        #expect(plugin.card == Array(#"{"task": "test"}"#.utf8))
        #expect(plugin.examples == Array("{}\n".utf8))
        #expect(plugin.flags == .forkSafe)
        #expect(plugin.isPacked)
        try plugin.checkDigest()
        #expect(try FileStructure.examine(ByteSource(packed.bytes), fileName: "a.so") == .sealed)
        for name in [".roost.model", ".roost.card", ".roost.examples", ".roost.digest"] {
            let section = try #require(try ELFFile(ByteSource(packed.bytes)).section(named: name))
            #expect(section.offset % 4096 == 0)
        }
    }

    @Test func readelfFindsNothingToComplainAbout() throws {
        let packed = try Fixture.pack("readelf") { $0.add(model: ByteSource(model)) }
        let (status, text) = try Fixture.run("readelf", ["-a", "-W", packed.path])
        #expect(status == 0)
        #expect(text.contains(".roost.model") && text.contains(".roost.digest"))
        #expect(!text.lowercased().contains("warning") && !text.lowercased().contains("error"), "\(text)")
    }

    @Test func thePackedFileIsLoadedAndAnswers() throws {
        let packed = try Fixture.pack("dlopen") { $0.add(model: ByteSource(model)) }
        let handle = unsafe dlopen(packed.path, RTLD_NOW | RTLD_LOCAL)
        let library = unsafe try #require(handle, "\(unsafe String(cString: dlerror()))")
        let symbol = unsafe try #require(unsafe dlsym(library, "roost_plugin_entry"))
        typealias Entry = @convention(c) () -> UnsafePointer<roost_plugin>?
        let entry = unsafe unsafeBitCast(symbol, to: Entry.self)
        let table = unsafe try #require(unsafe entry())
        #expect(unsafe table.pointee.abi_version == ROOST_ABI_VERSION)
        #expect(unsafe String(cString: table.pointee.name) == "fixture")
    }

    @Test func anyChangedOrMissingByteIsNoticed() throws {
        let packed = try Fixture.pack("changed") { $0.add(model: ByteSource(model)) }.bytes
        var random = SplitMix(state: 7)
        let place = try #require(try PluginFile(ByteSource(packed)).model)
        for _ in 0..<20 {
            var bytes = packed
            bytes[Int.random(in: place, using: &random)] ^= 1
            guard case .growing = try FileStructure.examine(ByteSource(bytes), fileName: "a.so") else {
                Issue.record("a changed byte went unnoticed")
                return
            }
            let cut = Array(packed.prefix(Int.random(in: 64..<packed.count, using: &random)))
            guard case .growing = try FileStructure.examine(ByteSource(cut), fileName: "a.so") else {
                Issue.record("a truncation went unnoticed")
                return
            }
        }
    }

    @Test func theDigestIsThatOfAllOtherBytes() throws {
        let packed = try Fixture.pack("digest") { $0.add(card: Array("{}".utf8)) }.bytes
        #expect(try SHA256.digest(of: packed.dropLast(32)).bytes == Array(packed.suffix(32)))
    }

    @Test func anEmptyModelAndAPackedRuntimeAreHandled() throws {
        let empty = try Fixture.pack("empty") { $0.add(model: ByteSource([])) }
        #expect(try PluginFile(ByteSource(empty.bytes)).model?.isEmpty == true)
        let error = try #require(throws: ELFError.self) { try Packer(runtime: ByteSource(empty.bytes)) }
        #expect(error.message.contains("packed already"))
        #expect(throws: RoostError.self) { try Packer(runtime: ByteSource(Fixture.plugin)).write(to: -1) }
    }
}
