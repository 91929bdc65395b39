import Foundation
import RoostBasics
import RoostELF
import Testing

@Suite struct PluginFileTests {
    func failure(_ bytes: [UInt8]) throws -> ELFError {
        try #require(throws: ELFError.self) { try PluginFile(ByteSource(bytes)) }
    }

    @Test func aCompiledPluginIsReadWithoutLoadingIt() throws {
        let plugin = try PluginFile(ByteSource(Fixture.plugin))
        #expect(plugin.abiVersion == 1)
        #expect(plugin.flags == .forkSafe)
        #expect(plugin.card == nil && plugin.examples == nil && plugin.model == nil)
        #expect(!plugin.isPacked)
        try plugin.checkDigest()
    }

    @Test func itIsReadThroughADescriptorToo() throws {
        _ = Fixture.plugin
        let file = try #require(FileHandle(forReadingAtPath: Fixture.folder.appending(path: "plugin.so").path))
        #expect(try PluginFile(ByteSource(descriptor: file.fileDescriptor)).flags == .forkSafe)
        let folder = unsafe open("/tmp", O_RDONLY)
        defer { close(folder) }
        #expect(throws: ELFError.self) { try ByteSource(descriptor: folder) }
        #expect(throws: ELFError.self) { try ByteSource(descriptor: -1) }
    }

    @Test func flagsOfSeveralRecordsAreJoined() throws {
        let record = { (name: String, version: Int, flags: Int) in
            "__attribute__((section(\".roost.abi\"), used)) static const roost_plugin_record \(name) = "
                + "{{'R','O','O','S','T','A','B','I'}, \(version), sizeof(roost_plugin_record), \(flags)};\n"
        }
        let source = { (records: String) in
            "#include \"roost_plugin.h\"\n\(records)const roost_plugin *roost_plugin_entry(void) { return 0; }"
        }
        let two = Fixture.compile("two", source(record("a", 1, 1) + record("b", 1, 2)))
        #expect(try PluginFile(ByteSource(two)).flags == [.forkSafe, .needsThreads])
        let mixed = Fixture.compile("mixed", source(record("a", 1, 1) + record("b", 2, 1)))
        #expect(try failure(mixed).message.contains("different plugin ABIs"))
        let future = Fixture.compile("future", source(record("a", 2, 1)))
        #expect(try failure(future).message.contains("built for plugin ABI 2, this host speaks 1"))
    }

    @Test func whatIsMissingIsNamed() throws {
        let plain = Fixture.compile("plain", "int answer(void) { return 42; }")
        #expect(try failure(plain).message.contains("not a Roost plugin"))
        let header = "#include \"roost_plugin.h\"\nROOST_PLUGIN_RECORD(0);\n"
        let hidden = Fixture.compile("hidden", header + "int other(void) { return (int)roost_plugin_record_.flags; }")
        #expect(try failure(hidden).message.contains("does not export roost_plugin_entry"))
        let imported = Fixture.compile(
            "imported", header + "const roost_plugin *other(void) { return roost_plugin_entry(); }")
        #expect(try failure(imported).message.contains("does not export roost_plugin_entry"))
        let program = Fixture.compile("program", "int main(void) { return 0; }", ["-static"])
        #expect(try failure(program).message.contains("not a shared object"))
    }

    /// A table of names is no longer in memory for being pointed into by many sections.
    @Test func aNameOfMegabytesForEachOfManySections() throws {
        let (count, nameBytes) = (5000, 4 << 20)
        var header = Array(Fixture.plugin.prefix(64))
        header.replaceSubrange(32..<40, with: [UInt8](repeating: 0, count: 8))
        header.replaceSubrange(56..<58, with: [0, 0])  // no program headers
        header.replaceSubrange(40..<48, with: [64, 0, 0, 0, 0, 0, 0, 0])
        header.replaceSubrange(60..<64, with: [UInt8(count & 255), UInt8(count >> 8), 1, 0])
        var table: [UInt8] = []
        for index in 0..<count {
            var section = [UInt8](repeating: 0, count: 64)
            section[4] = index == 1 ? 3 : 8  // SHT_STRTAB, SHT_NOBITS
            let (offset, size) = index == 1 ? (64 + count * 64, nameBytes) : (0, 0)
            for byte in 0..<4 {
                section[24 + byte] = UInt8(truncatingIfNeeded: offset >> (8 * byte))
                section[32 + byte] = UInt8(truncatingIfNeeded: size >> (8 * byte))
            }
            table += section
        }
        let file = try ELFFile(ByteSource(header + table + [UInt8](repeating: UInt8(ascii: "a"), count: nameBytes)))
        #expect(file.sections.count == count && file.sections.allSatisfy { $0.name.utf8.count == 255 })
    }

    @Test func anotherArchitectureIsNamed() throws {
        var bytes = Fixture.plugin
        let other: ELFFile.Architecture = ELFFile.Architecture.host == .amd64 ? .aarch64 : .amd64
        bytes[18] = UInt8(other.rawValue)
        let error = try failure(bytes)
        #expect(error.kind == .unsuitable)
        #expect(error.message.contains("built for \(other), this host is \(ELFFile.Architecture.host)"))
        bytes[18] = 243
        #expect(try failure(bytes).message.contains("built for riscv"))
        bytes[4] = 1
        #expect(try failure(bytes).message.contains("32-bit"))
    }

    @Test func everyTruncationIsIncompleteOrNoELF() throws {
        let whole = Fixture.plugin
        for count in Array(0..<200) + stride(from: 200, to: whole.count, by: 97) + [whole.count - 1] {
            let error = try failure(Array(whole.prefix(count)))
            #expect(error.kind == (count == 0 ? .broken : .incomplete), "\(count) of \(whole.count) bytes: \(error)")
        }
    }

    @Test func hostileBytesNeverTrap() throws {
        let seed: UInt64 = 0xE1F0_0001
        print("seed \(seed)")
        var random = SplitMix(state: seed)
        let packed = try Fixture.pack("hostile") { $0.add(card: Array("{}".utf8)) }.bytes
        let interesting: [UInt8] = [0, 1, 0x7F, 0x80, 0xFF]
        let headerStart = packed.count - 4096 - 4096
        for round in 0..<4000 {
            var bytes = round % 2 == 0 ? Fixture.plugin : packed
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                // Half of the hits go to the ELF header, program headers, and section table.
                let inHeader = Bool.random(using: &random)
                let start = round % 2 == 0 ? bytes.count - 2048 : headerStart
                let place =
                    inHeader
                    ? Int.random(in: 4..<1024, using: &random) : Int.random(in: start..<bytes.count, using: &random)
                bytes[place] = interesting.randomElement(using: &random) ?? 0
            }
            _ = try? PluginFile(ByteSource(bytes)).checkDigest()
            _ = try? FileStructure.examine(ByteSource(bytes), fileName: "x.so")
        }
    }
}
