import CRoost
import class Foundation.Thread
import Glibc
import RoostBasics
import RoostChannel
import Testing

/// Bodies that no ring holds: in the areas, in files, and past each other.
@Suite struct LargeBodyTests {
    private static func ends(ringBytes: Int = 1 << 16) throws -> (HostChannel, InstanceChannel) {
        let host = try HostChannel(ringBytes: ringBytes, replyBytesMax: 1 << 24)
        let copies = host.descriptorsForInstance.map { dup($0) }
        host.handedOver()
        return (host, try InstanceChannel(memory: copies[0], doorbell: copies[1], bodies: copies[2]))
    }

    private static func header(_ slot: UInt32) -> RequestHeader {
        RequestHeader(
            id: RequestID(slot: slot, generation: 1), operation: .infer, contentType: .octets, accept: .json,
            arrived: Instant(nanoseconds: 1), deadline: Instant(nanoseconds: 99))
    }

    /// Of a period that no page and no border has; made by doubling, since tests are not optimised.
    private static let pattern: [UInt8] = {
        var bytes = (0..<4099).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) }
        while bytes.count < 5 << 20 { bytes += bytes }
        return bytes
    }()

    private static func body(_ slot: UInt32, _ size: Int) -> [UInt8] { Array(pattern[Int(slot)..<Int(slot) + size]) }

    /// Answers requests with their own bodies until there are `count`; on a thread of its own, because it waits.
    private static func echo(_ count: Int, on instance: InstanceChannel) {
        nonisolated(unsafe) let instance = instance
        let thread = Thread {
            for _ in 0..<count {
                unsafe instance.wait()
                do {
                    try unsafe instance.takeRequest { header, _, body in
                        let reply = ReplyHeader(id: header.id, status: 200, contentType: .octets, outcome: .ok)
                        do { try unsafe instance.send(reply, contentTypeText: RawSpan(), body: body) } catch {
                            Issue.record(error)
                        }
                    }
                } catch {
                    Issue.record(error)
                    return
                }
                unsafe instance.ring()
            }
        }
        thread.start()
    }

    /// Sizes below and above each border; as many under way as there is room for, so that files of later requests
    /// arrive before those that replies ask for.
    @Test(arguments: [1, 2, 3] as [UInt64])
    func bodiesOfEverySizeComeBackUnchangedAndInOrder(_ seed: UInt64) throws {
        let (host, instance) = try Self.ends()
        var random = SplitMix(state: seed)
        let most = Int(ROOST_AREA_BODY_MAX)
        let borders = [
            0, 1 << 14, (1 << 14) + 1, 100_000, most / 3, most / 2 + 1, most - 1, most, most + 1, most + 99_999,
        ]
        let sizes = (0..<80).map { _ in
            Bool.random(using: &random)
                ? borders[Int.random(in: 0..<borders.count, using: &random)]
                : Int.random(in: 0...300_000, using: &random)
        }
        Self.echo(sizes.count, on: instance)
        var (sent, received) = (0, 0)
        while received < sizes.count {
            if sent < sizes.count, sent - received < 6 {
                let body = Self.body(UInt32(sent), sizes[sent])
                if try host.send(Self.header(UInt32(sent)), contentTypeText: RawSpan(), body: body.bytes) != nil {
                    sent += 1
                }
                host.ring()
            }
            try host.receive { header, _, body in
                let expected = Self.body(UInt32(received), sizes[received])
                let isSame = body.hasSameBytes(as: expected.bytes)
                #expect(header.id.slot == UInt32(received) && isSame, "reply \(received) of \(sizes[received]) bytes")
                received += 1
            }
            sched_yield()
        }
    }

    @Test func whatIsSaidOfABodyTravelsWithIt() throws {
        let (host, instance) = try Self.ends()
        for (jsonBytes, coding) in [(nil, .identity), (0, .gzip), (7, .deflate), (123_456, .identity)]
            as [(Int?, ContentCoding)]
        {
            var header = Self.header(1)
            (header.jsonBytes, header.contentCoding, header.acceptCoding) = (jsonBytes, coding, .deflate)
            header.bodyLimit = 1_000
            let body = [UInt8](repeating: 1, count: 123_456)
            _ = try host.send(header, contentTypeText: RawSpan(), body: body.bytes)
            try host.receive { _, _, _ in }
            nonisolated(unsafe) let ends = (host, instance)
            let thread = Thread {
                try? unsafe ends.1.takeRequest { found, _, _ in
                    #expect(found.jsonBytes == jsonBytes && found.contentCoding == coding && found.bodyLimit == 1_000)
                    #expect(found.acceptCoding == .deflate)
                    var reply = ReplyHeader(id: found.id, status: 200, contentType: .octets, outcome: .ok)
                    (reply.jsonBytes, reply.contentCoding) = (jsonBytes, coding)
                    try? unsafe ends.1.send(reply, contentTypeText: RawSpan(), body: body.bytes)
                }
            }
            thread.start()
            var seen = 0
            while seen == 0 {
                try host.receive { reply, _, _ in
                    #expect(reply.jsonBytes == jsonBytes && reply.contentCoding == coding)
                    seen += 1
                }
                sched_yield()
            }
        }
    }

    /// The part of a reply that is JSON is no longer than the reply; the places of bodies lie in the area.
    @Test func repliesThatContradictThemselvesEndTheChannel() throws {
        for patch in [
            { $0.json_size = 4 }, { $0.content_coding = 3 }, { $0.flags = UInt16(ROOST_FRAME_BODY_IN_AREA) },
            { $0.flags = UInt16(ROOST_FRAME_WANTS_FILE | ROOST_FRAME_NEW_AREA) },
            { frame in
                frame.flags = UInt16(ROOST_FRAME_WANTS_FILE | ROOST_FRAME_NEW_AREA)
                frame.body_size = ROOST_AREA_BYTES + 1
            },
        ] as [(inout roost_reply_frame) -> Void] {
            let (host, instance) = try Self.ends()
            defer { withExtendedLifetime(instance) {} }
            #expect(throws: ChannelError.self) { try Self.publish(to: host, patch) }
        }
    }

    /// An area is granted once, and only what lies in it is read.
    @Test func theAreaForRepliesHasItsBounds() throws {
        let ask: (inout roost_reply_frame) -> Void = { frame in
            frame.flags = UInt16(ROOST_FRAME_WANTS_FILE | ROOST_FRAME_NEW_AREA)
            frame.body_size = ROOST_AREA_BYTES
        }
        for (at, size, isTaken) in [
            (0, ROOST_AREA_BYTES, true), (ROOST_AREA_BYTES - 3, 3, true), (ROOST_AREA_BYTES, 0, true),
            (1, ROOST_AREA_BYTES, false), (ROOST_AREA_BYTES - 3, 4, false), (UInt64.max, 1, false),
            (UInt64.max - 2, 3, false),
        ] as [(UInt64, UInt64, Bool)] {
            let (host, instance) = try Self.ends()
            defer { withExtendedLifetime(instance) {} }
            #expect(try Self.publish(to: host, ask) == 0)
            let answer: (inout roost_reply_frame) -> Void = { frame in
                frame.flags = UInt16(ROOST_FRAME_BODY_IN_AREA)
                (frame.body_at, frame.body_size) = (at, size)
            }
            if isTaken {
                #expect(try Self.publish(to: host, answer) == Int(size))
            } else {
                #expect(throws: ChannelError.self) { try Self.publish(to: host, answer) }
            }
        }
        let (host, instance) = try Self.ends()
        defer { withExtendedLifetime(instance) {} }
        #expect(try Self.publish(to: host, ask) == 0)
        #expect(throws: ChannelError.self) { try Self.publish(to: host, ask) }
    }

    /// Writes a frame into the reply ring as a hostile instance would. Returns the bytes of the body that came of it.
    @discardableResult
    private static func publish(to host: HostChannel, _ patch: (inout roost_reply_frame) -> Void) throws -> Int {
        let size = Int(ROOST_CHANNEL_PAGE) + 2 << 16
        guard
            let memory = unsafe mmap(
                nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, host.descriptorsForInstance[0], 0),
            unsafe memory != MAP_FAILED
        else { return -1 }
        defer { unsafe munmap(memory, size) }
        let page = unsafe memory.assumingMemoryBound(to: roost_channel_page.self)
        let tail = unsafe page.pointee.reply_tail
        var frame = roost_reply_frame()
        let frameBytes = MemoryLayout<roost_reply_frame>.size
        (frame.frame_size, frame.status, frame.json_size) = (UInt32(frameBytes), 200, ROOST_NO_BINARY)
        patch(&frame)
        unsafe memory.storeBytes(
            of: frame, toByteOffset: Int(ROOST_CHANNEL_PAGE) + 1 << 16 + Int(tail), as: roost_reply_frame.self)
        unsafe page.pointee.reply_tail = tail + UInt64(frameBytes)
        var found = 0
        try host.receive { _, _, body in found = body.byteCount }
        return found
    }
}
