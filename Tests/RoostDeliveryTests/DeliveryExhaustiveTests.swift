import RoostBasics
import RoostDelivery
import Testing

/// All orders of events to a depth, random ones beyond: crash between any write and any act, the same key submitted
/// again, replies and results in any order, clocks that jump. Each state that comes up is then left in peace, and
/// everything that was accepted must come to exactly one end.
@Suite struct DeliveryExhaustiveTests {
    static let policy: RetryPolicy = {
        var policy = RetryPolicy()
        (policy.attempts, policy.freeInterruptions, policy.timeout) = (2, 1, .seconds(10))
        return policy
    }()

    struct Fault: Error, CustomStringConvertible {
        let description: String
    }

    /// Breadth first; a state that was seen is not looked at again.
    private func explore(
        _ limits: DeliveryQueue.Limits, keys: Int, depth: Int, crashes: Bool, people: Bool
    ) throws -> Int {
        var edge: [(world: DeliveryWorld, way: [WorldEvent])] = [(DeliveryWorld(Self.policy, limits), [])]
        var seen: Set<DeliveryWorld> = []
        for _ in 0..<depth {
            var next: [(world: DeliveryWorld, way: [WorldEvent])] = []
            for (world, way) in edge {
                for event in world.possible(keys: keys, crashes: crashes, people: people) {
                    var after = world
                    after.apply(event)
                    guard seen.insert(after).inserted else { continue }
                    var rested = after
                    rested.settle()
                    if let fault = rested.restFault { throw Fault(description: "\(fault) after \(way + [event])") }
                    next.append((after, way + [event]))
                }
            }
            edge = next
        }
        return seen.count
    }

    @Test func oneItemSurvivesEveryOrderOfEvents() throws {
        let limits = DeliveryQueue.Limits(concurrency: 1, capacity: 4)
        let count = try explore(limits, keys: 1, depth: 12, crashes: true, people: false)
        #expect(count > 10_000)
    }

    @Test func oneItemAndAPersonSurviveEveryOrderOfEvents() throws {
        let limits = DeliveryQueue.Limits(concurrency: 1, capacity: 4)
        let count = try explore(limits, keys: 1, depth: 9, crashes: true, people: true)
        #expect(count > 10_000)
    }

    @Test(arguments: [1, 2])
    func twoItemsSurviveEveryOrderOfEvents(_ concurrency: Int) throws {
        let limits = DeliveryQueue.Limits(concurrency: concurrency, capacity: 4)
        let count = try explore(limits, keys: 2, depth: 8, crashes: true, people: false)
        #expect(count > 10_000)
    }

    @Test func randomHistoriesEndWell() throws {
        for seed in 1...400 as ClosedRange<UInt64> {
            var dice = SplitMix(state: seed)
            let limits = DeliveryQueue.Limits(
                concurrency: .random(in: 1...3, using: &dice), capacity: .random(in: 3...8, using: &dice))
            var world = DeliveryWorld(Self.policy, limits)
            for _ in 0..<200 {
                // One event in fifty is a calamity or a person, else the host would never get anywhere.
                let isRare = Int.random(in: 0..<50, using: &dice) == 0
                let events = world.possible(keys: 6, crashes: isRare, people: isRare)
                guard let event = events.randomElement(using: &dice) else { break }
                world.apply(event)
            }
            world.settle(by: { dice.unit() < 0.5 ? .succeed($0) : .fail($0) })
            #expect(world.restFault == nil, "seed \(seed)")
        }
    }

    /// What ends the host each time that it runs becomes a dead letter, and does not end it for ever.
    @Test func whatEndsTheHostBecomesADeadLetter() {
        var world = DeliveryWorld(Self.policy, DeliveryQueue.Limits(concurrency: 1, capacity: 4))
        world.apply(.submit(key: 0))
        world.settle(by: { _ in .crash })
        #expect(world.restFault == nil)
        let row = world.disk[DeliveryID(rawValue: 0)]
        #expect(row?.record.phase == .dead && row?.record.cause == .exhausted)
        #expect(row?.begun == Self.policy.attempts + Self.policy.freeInterruptions)
        #expect(row?.record.reason == "the host ended while it ran, 3 times")
    }
}
