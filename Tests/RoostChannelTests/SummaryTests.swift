import CRoost
import Glibc
import RoostBasics
import RoostChannel
import Testing

/// Summaries through a channel, and what a hostile instance may write in their place.
@Suite struct SummaryTests {
    private static func full() -> ReplySummary {
        var summary = ReplySummary()
        summary.id = Array("loan-1742 é".utf8)
        (summary.rows, summary.width, summary.rowElements) = (2, 3, 20)
        summary.values = [0.25, -1e300, 1e-300, 0, 1, .infinity]
        summary.labels = .texts(["setosa", "a class whose name is much longer than a label may be"])
        summary.record = Array(#"{"inputs":[]}"#.utf8)
        return summary
    }

    @Test func whatIsWrittenIsReadAndWhatIsNotFiniteIsNaN() throws {
        var bytes: [UInt8] = []
        Self.full().encode(into: &bytes)
        let read = try #require(decoded(bytes))
        #expect(read.id == Self.full().id && read.record == Self.full().record)
        #expect((read.rows, read.width, read.rowElements) == (2, 3, 20))
        #expect(Array(read.values.dropLast()) == [0.25, -1e300, 1e-300, 0, 1] && read.values[5].isNaN)
        #expect(read.labels == .texts(["setosa", "a class whose name is much longe"]))
    }

    @Test func textIsCutBetweenCharacters() throws {
        var summary = ReplySummary()
        summary.rows = 1
        summary.labels = .texts([String(repeating: "é", count: 15) + "a" + "é"])
        var bytes: [UInt8] = []
        summary.encode(into: &bytes)
        #expect(decoded(bytes)?.labels == .texts([String(repeating: "é", count: 15) + "a"]))
    }

    /// A class may be named so, and anybody may write it.
    @Test func anEmptyTextIsALabel() throws {
        var summary = ReplySummary()
        summary.rows = 2
        summary.labels = .texts(["", "a"])
        var bytes: [UInt8] = []
        summary.encode(into: &bytes)
        #expect(decoded(bytes)?.labels == .texts(["", "a"]))
    }

    @Test func numbersAndNoLabelsComeBack() throws {
        for labels in [ReplySummary.Labels.none, .numbers([.min, .max])] {
            var summary = ReplySummary()
            summary.rows = 2
            summary.labels = labels
            var bytes: [UInt8] = []
            summary.encode(into: &bytes)
            #expect(decoded(bytes)?.labels == labels)
        }
    }

    @Test func everyShorterOrLongerFormIsRefused() {
        var bytes: [UInt8] = []
        Self.full().encode(into: &bytes)
        for count in 0..<bytes.count { #expect(decoded(Array(bytes[..<count])) == nil) }
        #expect(decoded(bytes + [UInt8](repeating: 0, count: 7)) != nil, "frames are padded")
        #expect(decoded(bytes + [UInt8](repeating: 0, count: 8)) == nil)
    }

    /// Offset in the encoded form, bytes there, and what is wrong with them.
    @Test(
        arguments: [
            (0, [1, 0, 1, 0], "a record beyond its limit"), (8, [65, 0], "too many rows"),
            (10, [17, 0], "rows too wide"),
            (10, [3, 0, 65, 0], "an id beyond its limit"), (14, [3, 0], "labels of no kind"),
            (4, [2, 0, 0, 0], "more values told than there are"),
        ] as [(Int, [UInt8], String)])
    func lengthsBeyondTheirLimitsAreRefused(_ at: Int, _ patch: [UInt8], _ what: String) {
        var bytes: [UInt8] = []
        Self.full().encode(into: &bytes)
        bytes.replaceSubrange(at..<at + patch.count, with: patch)
        // Enough behind it for whatever it claims.
        bytes += [UInt8](repeating: 0, count: 1 << 17)
        #expect(decoded(bytes) == nil, "\(what)")
    }

    @Test func randomBytesNeverTrap() {
        var generator = SplitMix(state: 44)
        for _ in 0..<20_000 {
            // Small numbers at the front, so that many get past the first checks.
            var bytes = (0..<16).map { $0 % 2 == 0 ? UInt8.random(in: 0...20, using: &generator) : 0 }
            bytes += (0..<Int.random(in: 0...400, using: &generator)).map { _ in .random(in: 0...255, using: &generator)
            }
            guard let summary = decoded(bytes) else { continue }
            #expect(summary.values.count == summary.rows * summary.width && summary.id.count <= ReplySummary.idBytesMax)
        }
    }

    @Test(arguments: [0, 1, 8, 3001, 16_000])
    func aSummaryTravelsBehindItsReplyAndOnlyThere(_ bodyBytes: Int) throws {
        let ends = try ChannelEnds()
        let body = [UInt8](repeating: 9, count: bodyBytes)
        for slot in 0..<40 as Range<UInt32> {
            let wants: SummaryWish = slot % 3 == 0 ? [.outputs, .record] : slot % 3 == 1 ? .outputs : []
            try ends.send(slot, wants, privateFields: Array("ssn\0name\0".utf8))
            var told: [UInt8] = []
            try ends.instance.takeRequest { header, _, sent in
                #expect(header.wants == wants && sent.byteCount == 5)
                if wants.contains(.record) { #expect(ends.instance.privateFields == Array("ssn\0name\0".utf8)) }
                if !wants.isEmpty { Self.full().encode(into: &told) }
                let reply = ReplyHeader(id: header.id, status: 200, contentType: .json, outcome: .ok)
                do {
                    try ends.instance.send(reply, contentTypeText: RawSpan(), body: body.bytes, summary: told.bytes)
                } catch { Issue.record(error) }
            }
            try ends.host.receive { header, _, body in
                #expect(body.byteCount == bodyBytes && header.hasSummary == !wants.isEmpty)
                if header.hasSummary { #expect(ends.host.summary.id == Self.full().id) }
            }
        }
    }

    @Test func aFrameWhoseSummaryIsNonsenseEndsTheChannel() throws {
        let ends = try ChannelEnds()
        for told in [[UInt8](repeating: 0xFF, count: 64), [1]] {
            try ends.send(1, .outputs)
            try ends.instance.takeRequest { header, _, _ in
                let reply = ReplyHeader(id: header.id, status: 200, contentType: .json, outcome: .ok)
                try? ends.instance.send(reply, contentTypeText: RawSpan(), body: RawSpan(), summary: told.bytes)
            }
            #expect(throws: ChannelError.self) {
                do { try ends.host.receive { _, _, _ in Issue.record("it was handed over") } } catch { throw error }
            }
        }
    }
}

private func decoded(_ bytes: [UInt8]) -> ReplySummary? { ReplySummary(decoding: bytes.bytes) }

/// Both ends in one process.
private struct ChannelEnds {
    let host: HostChannel
    let instance: InstanceChannel

    init() throws {
        host = try HostChannel(ringBytes: 1 << 16)
        let copies = host.descriptorsForInstance.map { dup($0) }
        host.handedOver()
        instance = try InstanceChannel(memory: copies[0], doorbell: copies[1], bodies: copies[2])
    }

    func send(_ slot: UInt32, _ wants: SummaryWish, privateFields: [UInt8] = []) throws {
        var header = RequestHeader(
            id: RequestID(slot: slot, generation: 1), operation: .infer, contentType: .json, accept: .json,
            arrived: Instant(nanoseconds: 1), deadline: Instant(nanoseconds: 99))
        header.wants = wants
        let sent = try host.send(
            header, contentTypeText: RawSpan(), body: [1, 2, 3, 4, 5].bytes, privateFields: privateFields.bytes)
        #expect(sent != nil)
    }
}
