import Testing

/// The wake-up protocol, proven by trying everything: no frame is lost, none is read twice or before it is there, and
/// nobody sleeps while there is work, in any interleaving on memory as weak as C11's. And each part of it is needed.
@Suite struct WakeUpTests {
    enum Direction: String, CaseIterable { case requests, replies }

    private func model(_ direction: Direction, frames: UInt8, capacity: UInt8, _ mutation: Mutation?) -> WakeUpModel {
        let programs = Programs(frames: frames, capacity: capacity, mutation: mutation)
        return switch direction {
        case .requests: WakeUpModel(programs.requestProducer, programs.requestConsumer, capacity: capacity)
        case .replies: WakeUpModel(programs.replyProducer, programs.replyConsumer, capacity: capacity)
        }
    }

    /// Frames and the capacity of the ring in frames.
    @Test(arguments: Direction.allCases, [(1, 1), (2, 1), (2, 2), (3, 2)] as [(UInt8, UInt8)])
    func nothingIsLostOrReadTwiceAndNobodyOversleeps(_ direction: Direction, _ size: (UInt8, UInt8)) {
        let found = model(direction, frames: size.0, capacity: size.1, nil).explore()
        guard case .holds(let states) = found else {
            Issue.record("\(direction): \(found)")
            return
        }
        #expect(states > 20, "so few that something was left out")
    }

    @Test(
        arguments: [
            (.requests, .announceWithoutFence, .everybodyWaits), (.replies, .announceWithoutFence, .everybodyWaits),
            (.requests, .claimWithoutFence, .everybodyWaits), (.replies, .claimWithoutFence, .everybodyWaits),
            (.requests, .noSecondLook, .everybodyWaits), (.replies, .noSecondLook, .everybodyWaits),
            (.requests, .publishedOutOfOrder, .wrongFrame), (.replies, .publishedOutOfOrder, .wrongFrame),
            (.requests, .lookedAtOutOfOrder, .wrongFrame), (.replies, .lookedAtOutOfOrder, .wrongFrame),
            (.requests, .claimBeforePublishing, .everybodyWaits), (.replies, .claimBeforePublishing, .everybodyWaits),
            (.requests, .claimLeavesTheWord, .everybodyWaits), (.replies, .claimLeavesTheWord, .everybodyWaits),
            (.replies, .noRingBeforeWaitingForRoom, .everybodyWaits), (.replies, .noWakeForRoom, .everybodyWaits),
        ] as [(Direction, Mutation, WakeUpModel.Finding)])
    func withoutThisPartItFails(_ direction: Direction, _ left: Mutation, _ finding: WakeUpModel.Finding) {
        #expect(model(direction, frames: 2, capacity: 1, left).explore() == finding)
    }
}
