import RoostBasics
import RoostTraffic
import Testing

@Suite struct StickySlotsTests {
    func shares(_ percents: [UInt32: Int]) throws -> TrafficShares {
        try TrafficShares(Dictionary(uniqueKeysWithValues: percents.map { (VersionNumber($0), $1) }))
    }

    func owners(_ slots: StickySlots) -> [VersionNumber] { (0..<StickySlots.count).map(slots.owner) }

    func counts(_ slots: StickySlots) -> [VersionNumber: Int] {
        owners(slots).reduce(into: [:]) { $0[$1, default: 0] += 1 }
    }

    /// Moves to `new`, and checks what must hold for each change.
    func move(_ slots: inout StickySlots, from old: TrafficShares, to new: TrafficShares) throws {
        let before = owners(slots)
        slots.move(to: new)
        let after = owners(slots)
        var moved = 0
        for slot in before.indices where before[slot] != after[slot] {
            moved += 1
            try #require(new[before[slot]] < old[before[slot]], "slot \(slot) left a version whose share did not fall")
            try #require(new[after[slot]] > old[after[slot]], "slot \(slot) came to a version whose share did not grow")
        }
        let fewest = old.versions.reduce(0) { $0 + max(0, old[$1] - new[$1]) } * 100
        #expect(moved == fewest, "\(moved) slots moved from \(old) to \(new)")
        #expect(counts(slots) == new.entries.reduce(into: [:]) { $0[$1.version] = $1.percent * 100 })
    }

    @Test func noKeyGoesBackWhileAShareGrows() throws {
        var slots = StickySlots(all: VersionNumber(2))
        var before = TrafficShares(all: VersionNumber(2))
        var met: Set<Int> = []
        for percent in 1...100 {
            let now = try shares([2: 100 - percent, 3: percent])
            try move(&slots, from: before, to: now)
            let those = Set((0..<StickySlots.count).filter { slots.owner(of: $0) == VersionNumber(3) })
            #expect(those.isSuperset(of: met))
            (met, before) = (those, now)
        }
        #expect(met.count == StickySlots.count)
    }

    /// The old two shrink at different times; cumulated intervals would move keys between them.
    @Test func noKeyGoesBackAmongThreeVersions() throws {
        var before = try shares([1: 30, 2: 70])
        var slots = StickySlots(before)
        var met: Set<Int> = []
        for percent in 1...100 {
            let first = max(0, 30 - percent / 2)
            let now = try shares([
                1: min(first, 100 - percent), 2: 100 - percent - min(first, 100 - percent), 3: percent,
            ])
            try move(&slots, from: before, to: now)
            let those = Set((0..<StickySlots.count).filter { slots.owner(of: $0) == VersionNumber(3) })
            #expect(those.isSuperset(of: met))
            (met, before) = (those, now)
        }
    }

    @Test func anyChangesMoveTheFewestSlotsAndOnlyFromShrinkingToGrowing() throws {
        var random = SplitMix(state: 7)
        var before = TrafficShares(all: VersionNumber(1))
        var slots = StickySlots(before)
        for _ in 0..<200 {
            var left = 100
            var percents: [UInt32: Int] = [:]
            while left > 0 {
                let part = min(left, Int.random(in: 1...60, using: &random))
                percents[UInt32.random(in: 1...6, using: &random), default: 0] += part
                left -= part
            }
            let now = try shares(percents)
            try move(&slots, from: before, to: now)
            #expect(try StickySlots(slots.description) == slots, "stored and read again")
            before = now
        }
    }

    @Test func aHundredVersionsMayBeReplacedByAHundredOthers() throws {
        let one = try shares(Dictionary(uniqueKeysWithValues: (1...100).map { (UInt32($0), 1) }))
        let two = try shares(Dictionary(uniqueKeysWithValues: (101...200).map { (UInt32($0), 1) }))
        var slots = StickySlots(one)
        try move(&slots, from: one, to: two)
    }

    @Test func theTextIsShortForARollout() throws {
        var slots = StickySlots(all: VersionNumber(2))
        #expect(slots.description == "10000*2")
        for percent in [1, 5, 25, 50] { slots.move(to: try shares([2: 100 - percent, 3: percent])) }
        #expect(slots.description.split(separator: " ").count <= 3, "\(slots)")
    }

    @Test func otherVersionsBeginWithOtherKeys() throws {
        var (third, fourth) = (StickySlots(all: VersionNumber(2)), StickySlots(all: VersionNumber(2)))
        third.move(to: try shares([2: 95, 3: 5]))
        fourth.move(to: try shares([2: 95, 4: 5]))
        let both = (0..<StickySlots.count).count {
            third.owner(of: $0) == VersionNumber(3) && fourth.owner(of: $0) == VersionNumber(4)
        }
        #expect(both < 100, "\(both) of 500 slots are first twice")
    }

    @Test(arguments: [
        "", "9999*2", "10001*2", "10000*x", "50*2 9950*3", "10000", "-1*2 10001*3", "5000*2 5000*3 100*4",
    ])
    func textThatIsNoneIsRefused(_ text: String) {
        #expect(throws: RoostError.self) { try StickySlots(text) }
    }
}
