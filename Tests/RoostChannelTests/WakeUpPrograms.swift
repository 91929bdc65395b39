/// What the two sides of a ring do, step by step, as `roost_channel.h`, `HostChannel` and `InstanceChannel` have it. A
/// change of the protocol there is a change here.
enum Place {
    static let (tail, head, sleeping, roomWanted, firstSlot) = (0, 1, 2, 3, 4)
}

/// What a thread has in its private memory.
struct Locals: Hashable {
    /// Frames that it has published, or is done with.
    var own: UInt8 = 0
    /// The value that was read last.
    var seen: UInt8 = 0
    /// It has published and not rung.
    var unrung = false
}

enum Instruction {
    case label(String)
    case set((inout Locals) -> Void)
    case jump(String, when: (Locals) -> Bool)
    /// Goes on or jumps, whatever the scheduler likes.
    case mayJump(String)
    case load(Int, WeakMemory.Order)
    case store(Int, (Locals) -> UInt8, WeakMemory.Order)
    /// To 0; `seen` is what was there.
    case exchange(Int)
    case fence
    /// The slot of frame `own`; reading another frame there is the end of all trust.
    case readSlot, writeSlot
    /// Sleeps while the word is 1.
    case futexWait(Int)
    case futexWake(Int)
    /// Does other things until there is room.
    case awaitRoom
    /// The eventfd behind its edge-triggered epoll.
    case ringDoorbell, awaitDoorbell
    case end
}

/// What is left out of the protocol, to see that it is needed.
enum Mutation: String, CaseIterable {
    case announceWithoutFence, claimWithoutFence, noSecondLook, publishedOutOfOrder, lookedAtOutOfOrder
    case claimBeforePublishing, claimLeavesTheWord, noRingBeforeWaitingForRoom, noWakeForRoom
}

struct Programs {
    let frames: UInt8
    let capacity: UInt8
    let mutation: Mutation?

    private func unless(_ left: Mutation, _ steps: [Instruction]) -> [Instruction] { mutation == left ? [] : steps }
    private var publishing: WeakMemory.Order { mutation == .publishedOutOfOrder ? .relaxed : .ordered }
    private var looking: WeakMemory.Order { mutation == .lookedAtOutOfOrder ? .relaxed : .ordered }

    /// roost_announce_sleep.
    private func announce(_ word: Int) -> [Instruction] {
        [.store(word, { _ in 1 }, .relaxed)] + unless(.announceWithoutFence, [.fence])
    }

    /// roost_claim_wake, and what its callers do when they are the ones to wake.
    private func claim(_ word: Int, _ wake: Instruction, _ name: String) -> [Instruction] {
        unless(.claimWithoutFence, [.fence]) + [.load(word, .relaxed), .jump(name, when: { $0.seen == 0 })]
            + unless(.claimLeavesTheWord, [.exchange(word), .jump(name, when: { $0.seen != 1 })])
            + [wake, .label(name)]
    }

    private func publish() -> [Instruction] {
        [
            .writeSlot, .set { $0.own += 1 }, .store(Place.tail, { $0.own }, publishing),
            .set { $0.unrung = true },
        ]
    }

    private func ring(_ word: Int, _ wake: Instruction, _ name: String) -> [Instruction] {
        [.jump(name, when: { !$0.unrung }), .set { $0.unrung = false }] + claim(word, wake, name)
    }

    /// The producer of either ring; what it does when there is no room differs.
    private func producer(room: [Instruction], _ wake: Instruction) -> [Instruction] {
        let (frames, early) = (frames, mutation == .claimBeforePublishing)
        let ring = ring(Place.sleeping, wake, "rung")
        return [.label("next"), .jump("last", when: { $0.own == frames })] + room
            + (early ? [.set { $0.unrung = true }] + ring + publish() : publish() + [.mayJump("next")] + ring)
            + [.jump("next", when: { _ in true }), .label("last")]
            + (early ? [] : self.ring(Place.sleeping, wake, "lastRung")) + [.end]
    }

    /// HostChannel.send and ring. Where there is no room the host has other things to do and looks again.
    var requestProducer: [Instruction] {
        let capacity = capacity
        return producer(
            room: [
                .load(Place.head, .ordered), .jump("space", when: { $0.own - $0.seen < capacity }),
            ] + ring(Place.sleeping, .futexWake(Place.sleeping), "full") + [
                .awaitRoom, .label("space"),
            ], .futexWake(Place.sleeping))
    }

    /// InstanceChannel.wait and takeRequest.
    var requestConsumer: [Instruction] {
        let frames = frames
        return [.label("wait"), .load(Place.tail, looking), .jump("take", when: { $0.seen > $0.own })]
            + announce(Place.sleeping)
            + unless(
                .noSecondLook, [.load(Place.tail, looking), .jump("wait", when: { $0.seen > $0.own })])
            + [
                .futexWait(Place.sleeping), .jump("wait", when: { _ in true }),
                .label("take"), .store(Place.sleeping, { _ in 0 }, .relaxed),
                .label("more"), .load(Place.tail, looking), .jump("wait", when: { $0.seen <= $0.own }),
                .readSlot, .set { $0.own += 1 }, .store(Place.head, { $0.own }, .ordered),
                .jump("more", when: { $0.own < frames }), .end,
            ]
    }

    /// InstanceChannel.send, waitForRoom and ring.
    var replyProducer: [Instruction] {
        let capacity = capacity
        return producer(
            room: [
                .label("room"), .load(Place.head, .ordered), .jump("space", when: { $0.own - $0.seen < capacity }),
            ] + unless(.noRingBeforeWaitingForRoom, ring(Place.sleeping, .ringDoorbell, "told"))
                + announce(Place.roomWanted)
                + unless(
                    .noSecondLook,
                    [.load(Place.head, .ordered), .jump("room", when: { $0.own - $0.seen < capacity })])
                + [
                    .futexWait(Place.roomWanted), .jump("room", when: { _ in true }),
                    .label("space"), .store(Place.roomWanted, { _ in 0 }, .relaxed),
                ], .ringDoorbell)
    }

    /// HostChannel.receive and prepareToSleep, and the turn of the loop around them.
    var replyConsumer: [Instruction] {
        let frames = frames
        return [.label("sleep")] + announce(Place.sleeping)
            + unless(
                .noSecondLook,
                [
                    .load(Place.tail, looking), .jump("deep", when: { $0.seen == $0.own }),
                    .store(Place.sleeping, { _ in 0 }, .relaxed), .jump("receive", when: { _ in true }),
                    .label("deep"),
                ])
            + [
                .awaitDoorbell,
                .label("receive"), .load(Place.tail, looking), .jump("sleep", when: { $0.seen == $0.own }),
                .label("one"), .readSlot, .set { $0.own += 1 }, .jump("one", when: { $0.own < $0.seen }),
                .store(Place.head, { $0.own }, .ordered),
            ] + unless(.noWakeForRoom, claim(Place.roomWanted, .futexWake(Place.roomWanted), "woken"))
            + [.jump("receive", when: { $0.own < frames }), .end]
    }
}
