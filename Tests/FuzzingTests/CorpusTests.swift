import Foundation
import Fuzzing
import PluginTesting
import RoostBasics
import Testing

/// The inputs that fuzzing found worth keeping, among them all that ever broke something (`scripts/fuzz` finds more).
/// What traps ends the test process: its last lines name the target.
@Suite struct CorpusTests {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fuzzing/corpora")

    static func corpus(_ target: String) throws -> [(name: String, bytes: [UInt8])] {
        let folder = folder.appending(path: target)
        return try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted().map { name in
            (name, [UInt8](try Data(contentsOf: folder.appending(path: name))))
        }
    }

    @Test(arguments: FuzzTarget.all) func whatWasFoundHolds(_ target: FuzzTarget) throws {
        let corpus = try Self.corpus(target.name)
        #expect(!corpus.isEmpty)
        for (name, bytes) in corpus {
            do { try target.run(bytes) } catch { Issue.record("corpora/\(target)/\(name): \(error)") }
        }
        try target.run([])
    }

    /// A little of what libFuzzer does, so that a change which breaks much is seen at once.
    @Test(arguments: FuzzTarget.all) func itsNeighboursHold(_ target: FuzzTarget) throws {
        let corpus = try Self.corpus(target.name)
        var random = SplitMix(state: 20_261_121)
        for round in 0..<40 {
            guard let (name, bytes) = corpus.randomElement(using: &random) else { break }
            let mutated = random.mutated(bytes)
            do { try target.run(mutated) } catch {
                Issue.record("corpora/\(target)/\(name), seed 20261121, round \(round): \(error): \(mutated)")
            }
        }
    }

    @Test func everyCorpusHasItsTarget() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path)
        #expect(Set(names) == Set(FuzzTarget.all.map(\.name)))
    }
}
