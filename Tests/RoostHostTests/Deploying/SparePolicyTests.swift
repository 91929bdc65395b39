import RoostELF
import Testing

@testable import RoostHost

@Suite struct SparePolicyTests {
    /// `now` less so many seconds.
    private func file(_ number: UInt8, age: Int64, bytes: Int = 10) throws -> ArtifactStore.Entry {
        let digest = SHA256Digest(bytes: [number] + [UInt8](repeating: 0, count: 31))
        return ArtifactStore.Entry(digest: try #require(digest), bytes: bytes, modified: (now - age) * 1_000_000_000)
    }

    private let now: Int64 = 1_000_000
    private let policy = SparePolicy(seconds: 1000, filesMax: 3, bytesMax: 100, youngSeconds: 60)

    private func surplus(_ files: [ArtifactStore.Entry]) -> [UInt8] {
        policy.surplus(of: files, nowNS: now * 1_000_000_000).map { $0.digest.bytes[0] }
    }

    @Test func whatIsOldGoes() throws {
        #expect(surplus([try file(1, age: 1001), try file(2, age: 999), try file(3, age: 5000)]) == [3, 1])
    }

    @Test func theOldestOfTooManyGo() throws {
        let files = try (1...6).map { try file($0, age: Int64($0) * 100) }
        #expect(surplus(files) == [6, 5, 4])
    }

    @Test func theOldestOfTooManyBytesGo() throws {
        #expect(surplus([try file(1, age: 100, bytes: 60), try file(2, age: 200, bytes: 60)]) == [2])
        #expect(surplus([try file(1, age: 100, bytes: 101)]) == [1])
    }

    @Test func whatMayBeOnItsWayStays() throws {
        let files = try (1...9).map { try file($0, age: 59, bytes: 1000) }
        #expect(surplus(files).isEmpty)
    }
}
