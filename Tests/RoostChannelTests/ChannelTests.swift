import CRoost
import class Foundation.Thread
import Glibc
import RoostBasics
import RoostChannel
import Testing

/// Both ends in one process: the instance's end works on duplicates of the host's descriptors.
private struct Ends {
    let host: HostChannel
    let instance: InstanceChannel

    init(ringBytes: Int = 1 << 16, replyBytesMax: Int = 1 << 24) throws {
        host = try HostChannel(ringBytes: ringBytes, replyBytesMax: replyBytesMax)
        let copies = host.descriptorsForInstance.map { dup($0) }
        host.handedOver()
        instance = try InstanceChannel(memory: copies[0], doorbell: copies[1], bodies: copies[2])
    }

    func send(_ slot: UInt32, _ body: [UInt8]) throws -> UInt64? {
        let header = RequestHeader(
            id: RequestID(slot: slot, generation: 7), operation: .infer, contentType: .json, accept: .csv,
            arrived: Instant(nanoseconds: 1), deadline: Instant(nanoseconds: 99))
        return try host.send(header, contentTypeText: RawSpan(), body: body.bytes)
    }

    func echo() throws {
        try instance.takeRequest { header, _, body in
            let reply = ReplyHeader(id: header.id, status: 200, contentType: header.contentType, outcome: .ok)
            do { try instance.send(reply, contentTypeText: RawSpan(), body: body) } catch { Issue.record(error) }
        }
    }
}

@Suite struct ChannelTests {
    @Test func framesOfEverySizeComeBackUnchangedAndInOrder() throws {
        let ends = try Ends()
        var generator = SplitMix(state: 20_261_121)
        var expected: [(UInt32, [UInt8])] = []
        var received = 0
        for slot in 0..<5000 as Range<UInt32> {
            let body = [UInt8](
                repeating: UInt8(truncatingIfNeeded: slot), count: Int.random(in: 0...2000, using: &generator))
            #expect(try ends.send(slot, body) != nil)
            expected.append((slot, body))
            if Bool.random(using: &generator) {
                while ends.instance.hasRequest { try ends.echo() }
                try ends.host.receive { header, _, body in
                    let (slot, sent) = expected[received]
                    #expect(header.id == RequestID(slot: slot, generation: 7))
                    #expect(
                        body.byteCount == sent.count && (0..<sent.count).allSatisfy { body.unsafeLoad($0) == sent[$0] })
                    received += 1
                }
            }
        }
        #expect(received > 4900)
    }

    @Test func aFullRingSaysSoAndTakesMoreOnceDrained() throws {
        let ends = try Ends()
        var sent = 0
        while try ends.send(UInt32(sent), [UInt8](repeating: 1, count: 1000)) != nil { sent += 1 }
        #expect((20...40).contains(sent))
        try ends.echo()
        #expect(try ends.send(1000, [UInt8](repeating: 1, count: 1000)) != nil)
    }

    @Test func aRequestCountsAsTakenWhileItsBodyIsBeingRead() throws {
        let ends = try Ends()
        let first = try #require(try ends.send(1, [1, 2, 3]))
        _ = try ends.send(2, [4])
        #expect(ends.host.taken() == 0)
        try ends.instance.takeRequest { _, _, _ in #expect(ends.host.taken() == first) }
    }

    @Test func largeBodiesTravelAsSealedFilesBothWays() throws {
        let ends = try Ends()
        let big = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        _ = try ends.send(5, big)
        nonisolated(unsafe) let instance = ends.instance
        // A thread of its own: the test threads may all be waiting like this one.
        let thread = Thread {
            try? unsafe instance.takeRequest { header, _, body in
                let reply = ReplyHeader(id: header.id, status: 200, contentType: .json, outcome: .ok)
                try? unsafe instance.send(reply, contentTypeText: RawSpan(), body: body)
            }
        }
        thread.start()
        var answer: [UInt8]?
        while answer == nil {
            try ends.host.receive { _, _, body in
                var bytes: [UInt8] = []
                bytes.append(body)
                answer = bytes
            }
            sched_yield()
        }
        #expect(answer == big)
    }

    @Test func theSleepingHostIsRungOnceAndNoReplySlipsBy() throws {
        let ends = try Ends()
        let bells = try Doorbells()
        try bells.add(ends.host.doorbell, tag: 42)
        #expect(ends.host.prepareToSleep())
        _ = try ends.send(1, [1])
        try ends.echo()
        ends.instance.ring()
        var rung: [UInt32] = []
        bells.takeRung { rung.append($0) }
        #expect(rung == [42])
        #expect(ends.host.prepareToSleep() == false, "a reply waits, so there is no sleeping")
        var count = 0
        try ends.host.receive { _, _, _ in count += 1 }
        #expect(count == 1)
        bells.takeRung { rung.append($0) }
        #expect(rung == [42])
    }

    @Test func whoPublishesAsFastAsItIsReadKeepsNobody() throws {
        let ends = try Ends()
        func publish() {
            let reply = ReplyHeader(id: RequestID(rawValue: 1), status: 200, contentType: .json, outcome: .ok)
            do { try ends.instance.send(reply, contentTypeText: RawSpan(), body: RawSpan()) } catch {
                Issue.record(error)
            }
        }
        publish()
        var read = 0
        // Each one read is followed by another one.
        try ends.host.receive { _, _, _ in
            read += 1
            if read < 100_000 { publish() }
        }
        #expect((2...3000).contains(read), "a ring of 64 KiB has room for 1365 of them")
        #expect(ends.host.prepareToSleep() == false, "and there are more")
    }

    @Test(arguments: [0, 99, 100, 101, 199, 201, 204, 206, 301, 304, 399, 600, 65535] as [UInt16])
    func statusesThatAreNotAnInstancesToSendAreNonsense(_ status: UInt16) throws {
        let ends = try Ends()
        let reply = ReplyHeader(id: RequestID(rawValue: 1), status: status, contentType: .json, outcome: .ok)
        try ends.instance.send(reply, contentTypeText: RawSpan(), body: RawSpan())
        #expect(throws: ChannelError.self) {
            do { try ends.host.receive { _, _, _ in Issue.record("it was handed over") } } catch { throw error }
        }
    }

    @Test func nonsenseInSharedMemoryIsAnErrorAndNothingWorse() throws {
        for seed in 0..<400 { try writeNonsense(seed: UInt64(seed)) }
    }

    private func writeNonsense(seed: UInt64) throws {
        var generator = SplitMix(state: seed)
        let host = try HostChannel(ringBytes: 1 << 16, replyBytesMax: 1 << 20)
        let size = Int(ROOST_CHANNEL_PAGE) + 2 << 16
        guard
            let memory = unsafe mmap(
                nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, host.descriptorsForInstance[0], 0)
        else { return }
        defer { unsafe munmap(memory, size) }
        for _ in 0..<200 {
            // Mostly the words that matter: the control page and the first frames of the reply ring.
            let place =
                Bool.random(using: &generator)
                ? Int.random(in: 64..<512, using: &generator)
                : Int(ROOST_CHANNEL_PAGE) + 1 << 16 + Int.random(in: 0..<256, using: &generator)
            unsafe memory.storeBytes(
                of: Bool.random(using: &generator) ? UInt8.random(in: 0...255, using: &generator) : 0,
                toByteOffset: place, as: UInt8.self)
            do {
                try host.receive { _, text, body in _ = text.byteCount + body.byteCount }
                _ = try host.send(
                    RequestHeader(
                        id: RequestID(slot: 1, generation: 1), operation: .predict, contentType: .json, accept: .json,
                        arrived: Instant(nanoseconds: 1), deadline: Instant(nanoseconds: 1)),
                    contentTypeText: RawSpan(), body: [1, 2, 3].bytes)
                _ = host.taken()
            } catch { return }
        }
    }

    @Test func aPeerCannotShrinkTheSharedMemory() throws {
        let host = try HostChannel()
        #expect(ftruncate(host.descriptorsForInstance[0], 0) == -1)
        #expect(errno == EPERM)
    }
}

extension RawSpan {
    fileprivate func unsafeLoad(_ index: Int) -> UInt8 { unsafe unsafeLoad(fromByteOffset: index, as: UInt8.self) }
}
