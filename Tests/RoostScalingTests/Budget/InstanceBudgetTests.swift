import RoostBasics
import RoostScaling
import Testing

private func seconds(_ count: UInt64) -> Instant { Instant(nanoseconds: count * 1_000_000_000) }

extension InstanceBudget {
    fileprivate mutating func outcomes(at now: Instant) -> [BudgetAction<Key>] {
        var all: [BudgetAction<Key>] = []
        while let outcome = next(at: now) { all.append(outcome) }
        return all
    }
}

@Suite struct InstanceBudgetTests {
    private var budget = InstanceBudget<String>(limit: 4, turn: .seconds(10))
    private let now = seconds(1)

    /// Claims until the version holds as many.
    private mutating func fill(_ key: String, _ count: Int) {
        for _ in 0..<count { #expect(budget.claim(key, at: now) == .granted) }
    }

    @Test mutating func whatIsFreeIsGrantedAtOnce() {
        fill("a", 4)
        #expect(budget.held(by: "a") == 4)
        #expect(budget.free == 0)
        #expect(budget.claim("a", at: now) == .wait(reclaimFrom: nil), "nobody gives way to itself")
    }

    @Test mutating func theFirstInstanceComesBeforeAnothersSecond() {
        budget.weigh("heavy", 1000)
        fill("heavy", 4)
        #expect(budget.claim("light", at: now) == .wait(reclaimFrom: "heavy"))
        #expect(budget.outcomes(at: now) == [], "one is on its way")
        #expect(budget.held(by: "heavy") == 4, "until it has ended")
        budget.released("heavy")
        #expect(budget.outcomes(at: now) == [.granted("light")])
        #expect(budget.claim("light", at: now) == .wait(reclaimFrom: nil), "heavy has fewer for its weight")
    }

    @Test mutating func equalWeightsMeetInTheMiddleAndStay() {
        fill("a", 4)
        for _ in 0..<2 {
            #expect(budget.claim("b", at: now) == .wait(reclaimFrom: "a"))
            budget.released("a")
            #expect(budget.outcomes(at: now) == [.granted("b")])
        }
        #expect(budget.claim("b", at: now) == .wait(reclaimFrom: nil))
        #expect(budget.claim("a", at: now) == .wait(reclaimFrom: nil))
        #expect(budget.outcomes(at: seconds(1_000_000)) == [])
        #expect(budget.wakeUp == nil)
    }

    @Test mutating func anIdleInstanceIsGivenUpAtOnceAndBeforeBusyOnes() {
        fill("idle", 1)
        fill("busy", 3)
        budget.idle("idle", 1)
        #expect(budget.claim("new", at: now) == .wait(reclaimFrom: "idle"))
        budget.released("idle")
        #expect(budget.outcomes(at: now) == [.granted("new")])
    }

    @Test mutating func anInstanceThatBecomesIdleLaterIsReclaimedThen() {
        fill("a", 2)
        fill("b", 2)
        #expect(budget.claim("a", at: now) == .wait(reclaimFrom: nil))
        budget.idle("b", 2)
        #expect(budget.outcomes(at: now) == [.reclaim(from: "b")], "no more than are waited for")
        budget.idle("b", 1)
        #expect(budget.outcomes(at: now) == [])
    }

    @Test mutating func aWithdrawnClaimIsNotGranted() {
        fill("a", 4)
        #expect(budget.claim("b", at: now) == .wait(reclaimFrom: "a"))
        budget.withdraw("b")
        budget.released("a")
        #expect(budget.outcomes(at: now) == [])
        #expect(budget.free == 1)
        #expect(!budget.isWaiting("b"))
    }

    @Test mutating func whatWasReclaimedForOneThatWithdrewServesTheNext() {
        fill("a", 4)
        #expect(budget.claim("b", at: now) == .wait(reclaimFrom: "a"))
        budget.withdraw("b")
        #expect(budget.claim("c", at: now) == .wait(reclaimFrom: nil))
        budget.released("a")
        #expect(budget.outcomes(at: now) == [.granted("c")])
    }

    @Test mutating func withTooFewPlacesVersionsTakeTurnsInOrderAndByWeight() {
        budget.weigh("c", 3)
        for key in ["a", "b", "c", "d"] { fill(key, 1) }
        #expect(budget.claim("e", at: now) == .wait(reclaimFrom: nil))
        #expect(budget.claim("f", at: now) == .wait(reclaimFrom: nil))
        #expect(budget.outcomes(at: seconds(10)) == [])
        #expect(budget.wakeUp == seconds(11))
        #expect(budget.outcomes(at: seconds(11)) == [.reclaim(from: "a"), .reclaim(from: "b")])
        budget.released("b")
        #expect(budget.outcomes(at: seconds(11)) == [.granted("e")])
        budget.released("a")
        #expect(budget.claim("a", at: seconds(11)) == .wait(reclaimFrom: nil), "its place is f's, which came first")
        #expect(budget.outcomes(at: seconds(11)) == [.granted("f"), .reclaim(from: "d")])
        #expect(budget.claim("g", at: seconds(11)) == .wait(reclaimFrom: nil), "c has a longer turn")
        #expect(budget.outcomes(at: seconds(11)) == [])
        #expect(budget.wakeUp == seconds(21))
    }

    @Test mutating func aVersionThatHasOneWaitsForIdleOnesOnly() {
        for key in ["a", "b", "c", "d"] { fill(key, 1) }
        #expect(budget.claim("a", at: now) == .wait(reclaimFrom: nil))
        #expect(budget.outcomes(at: seconds(1_000_000)) == [], "turns are for those that have none")
        #expect(budget.wakeUp == nil)
    }

    @Test mutating func aForgottenVersionsInstancesCountUntilTheyEnd() {
        budget.weigh("a", 50)
        fill("a", 4)
        budget.forget("a")
        #expect(budget.free == 0)
        for _ in 0..<4 { budget.released("a") }
        #expect(budget.free == 4)
        fill("b", 2)
        fill("a", 2)
        #expect(budget.claim("a", at: now) == .wait(reclaimFrom: nil), "its weight is forgotten, too")
    }

    @Test mutating func nonsenseIsHarmless() {
        budget.released("x")
        budget.withdraw("x")
        budget.idle("x", 7)
        budget.forget("x")
        budget.weigh("x", -3)
        budget.weigh("y", .max)
        fill("x", 4)
        budget.idle("x", 1000)
        #expect(budget.claim("y", at: now) == .wait(reclaimFrom: "x"))
        #expect(budget.claim("y", at: now) == .wait(reclaimFrom: nil), "saying it twice makes no second claim")
        for _ in 0..<9 { budget.released("x") }
        #expect(budget.free == 4)
    }
}
