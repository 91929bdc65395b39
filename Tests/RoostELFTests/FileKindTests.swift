import RoostELF
import Testing

@Suite struct FileKindTests {
    static let table: [(String, [UInt8], FileKind)] = [
        ("empty", [], .empty), ("allocated", [0, 0, 0, 0], .zeroes), ("ELF", [0x7F, 0x45, 0x4C, 0x46, 2], .elf),
        ("JSON", Array(" \n{ \"a\": 1}".utf8), .json), ("JSON, empty", Array("{}".utf8), .json),
        ("UBJSON by XGBoost", [0x7B, 0x4C, 0, 0, 0, 0, 0, 0, 0, 7], .ubjson), ("UBJSON", [0x7B, 0x69, 7], .ubjson),
        ("pickle 2", [0x80, 0x02, 0x7D], .pickle), ("pickle 5", [0x80, 0x05, 0x95, 0], .pickle),
        ("pickle 0", Array("ccopy_reg\n_rec".utf8), .pickle), ("npz, torch", Array("PK\u{3}\u{4}abc".utf8), .zip),
        ("HDF5", [0x89, 0x48, 0x44, 0x46, 0x0D], .hdf5), ("gzip", [0x1F, 0x8B, 8], .gzip),
        ("joblib with zlib", [0x78, 0x9C, 0x0B], .zlib), ("ONNX", [0x08, 0x08, 0x12, 0x07], .onnx),
        ("LightGBM", Array("tree\nversion=v4\n".utf8), .lightGBM),
        ("XGBoost binary", Array("binf0".utf8), .xgboostBinary),
        ("numpy", [0x93] + Array("NUMPY".utf8), .npy), ("HTML", Array("\n<!DOCTYPE html><html>".utf8), .html),
        ("text", Array("hello, wörld".utf8), .text), ("Mach-O", [0xCF, 0xFA, 0xED, 0xFE, 7], .machO),
        ("noise", [0xDE, 0xAD, 0xBE, 0xEF, 0x01], .unknown),
    ]

    @Test(arguments: table)
    func isRecognisedByItsFirstBytes(_ name: String, _ head: [UInt8], _ kind: FileKind) {
        #expect(FileKind(head: head) == kind, "\(name)")
    }

    @Test func refusalsSayTheRemedy() throws {
        #expect(
            FileKind.pickle.refusal(fileName: "credit@3.pkl")
                == "a Python pickle can run any code and is refused: save the model with model.save_model(\"credit.ubj\")"
        )
        for kind in FileKind.allCases {
            #expect((kind.refusal(fileName: "x.bin") == nil) == [.elf, .json, .ubjson].contains(kind))
        }
    }

    @Test func structureTellsWholeFromGrowing() throws {
        let examine = { (bytes: [UInt8]) in try FileStructure.examine(ByteSource(bytes), fileName: "credit.ubj") }
        #expect(try examine(Array("{\"a\": [1, 2]}\n".utf8)) == .whole)
        for bytes in [Array("{\"a\": [1, 2".utf8), [], [0, 0, 0], Array([0x7B, 0x4C, 0, 0] as [UInt8])] {
            guard case .growing = try examine(bytes) else {
                Issue.record("\(bytes) is not whole")
                continue
            }
        }
        guard case .broken(let reason) = try examine([0x80, 4, 0x95]) else {
            Issue.record("a pickle is refused")
            return
        }
        #expect(reason.contains("pickle"))
    }

    @Test func digestsMatchPublishedValues() throws {
        #expect(
            try SHA256.digest(of: Array("abc".utf8)).description
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        var running = try SHA256()
        for _ in 0..<1000 { try running.update([UInt8](repeating: UInt8(ascii: "a"), count: 1000)) }
        let million = try running.finish()
        #expect(million.description == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
        #expect(SHA256Digest(hex: million.description.uppercased()) == million)
        #expect(SHA256Digest(hex: "12") == nil)
        #expect(SHA256Digest(hex: String(repeating: "g", count: 64)) == nil)
    }
}
