import Foundation
import RoostBasics
import RoostDelivery
import Testing

@Suite struct TimeZoneRulesTests {
    @Test(arguments: Zones.names)
    func offsetsAreThoseOfAnotherLibrary(_ name: String) throws {
        let rules = try Zones.rules(name), zone = try #require(TimeZone(identifier: name))
        var dice = SplitMix(state: 11)
        // From 1970 to 2100: before, libraries differ in what they keep.
        for _ in 0..<1000 {
            let wall = Int64.random(in: 0...4_102_444_800, using: &dice)
            let expected = zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(wall)))
            #expect(rules.offset(at: wall) == expected, "\(name) at \(Zones.text(wall))")
        }
    }

    /// Clocks change at these times, by UTC, from one offset in minutes to another.
    @Test(arguments: [
        ("Europe/Berlin", "1893-03-31 23:06:32", 53, 60),  // local mean time: 53 minutes and 28 seconds
        ("Europe/Berlin", "2026-03-29 01:00", 60, 120), ("Europe/Berlin", "2026-10-25 01:00", 120, 60),
        ("Europe/Berlin", "2071-03-29 01:00", 60, 120),
        ("America/New_York", "2026-03-08 07:00", -300, -240), ("America/New_York", "2026-11-01 06:00", -240, -300),
        ("Australia/Lord_Howe", "2026-04-04 15:00", 660, 630), ("Australia/Lord_Howe", "2026-10-03 15:30", 630, 660),
        ("Australia/Lord_Howe", "2099-10-03 15:30", 630, 660), ("Asia/Kathmandu", "1985-12-31 18:30", 330, 345),
    ])
    func clocksChangeWhenTheyShould(_ name: String, _ time: String, _ before: Int, _ after: Int) throws {
        let rules = try Zones.rules(name), at = try Zones.utc(time)
        #expect(rules.offset(at: at - 1) / 60 == before && rules.offset(at: at) / 60 == after)
        #expect(rules.period(at: at).start == at && rules.period(at: at - 1).end == at)
    }

    @Test(arguments: [
        ("UTC", "2026-01-31 03:04", "2026-01-31T03:04:00Z"),
        ("Europe/Berlin", "2026-01-31 02:00", "2026-01-31T03:00:00+01:00"),
        ("Europe/Berlin", "2026-07-31 22:30", "2026-08-01T00:30:00+02:00"),
        ("America/New_York", "2026-01-01 02:00", "2025-12-31T21:00:00-05:00"),
        ("Asia/Kathmandu", "2026-01-01 00:00", "2026-01-01T05:45:00+05:45"),
    ])
    func timesAreShownWithTheirZone(_ name: String, _ time: String, _ text: String) throws {
        let rules = name == "UTC" ? TimeZoneRules.utc : try Zones.rules(name)
        #expect(rules.text(of: try Zones.utc(time)) == text)
    }

    @Test func aPlaceWithoutChangesHasOnePeriod() throws {
        let kathmandu = try Zones.rules("Asia/Kathmandu")
        let period = kathmandu.period(at: try Zones.utc("2026-01-01 00:00"))
        #expect(period.offset == 20_700 && period.end == nil)
        let utc = TimeZoneRules.utc.period(at: 0)
        #expect(utc.offset == 0 && utc.start == nil && utc.end == nil)
    }

    /// Periods meet without a gap, and each says the same about all of its seconds.
    @Test(arguments: Zones.names)
    func periodsMeet(_ name: String) throws {
        let rules = try Zones.rules(name)
        var at = try Zones.utc("1800-01-01 00:00"), count = 0
        let end = try Zones.utc("2400-01-01 00:00")
        while at < end, let next = rules.period(at: at).end {
            let period = rules.period(at: at)
            #expect(rules.period(at: next - 1) == period && rules.period(at: next).start == next)
            #expect(rules.period(at: next).offset != period.offset)
            (at, count) = (next, count + 1)
        }
        #expect(name == "Europe/Berlin" || name == "America/New_York" ? count > 800 : count < 1000)
    }

    @Test(arguments: [
        ("2026-03-29 01:59", ["2026-03-29 00:59"]), ("2026-03-29 02:00", []), ("2026-03-29 02:59", []),
        ("2026-03-29 03:00", ["2026-03-29 01:00"]), ("2026-10-25 01:59", ["2026-10-24 23:59"]),
        ("2026-10-25 02:30", ["2026-10-25 00:30", "2026-10-25 01:30"]), ("2026-10-25 03:00", ["2026-10-25 02:00"]),
    ])
    func whatAClockShowsIsFoundAgain(_ shown: String, _ times: [String]) throws {
        let found = try Zones.rules("Europe/Berlin").times(showing: Zones.utc(shown))
        #expect(found.map(Zones.text) == times)
    }

    /// A file of version 1 has no rule for later, and says the same of the time before 2037.
    @Test func oldFilesAreRead() throws {
        var bytes = try Zones.bytes("Europe/Berlin")
        bytes[4] = 0
        let rules = try TimeZoneRules(tzif: bytes, name: "old"), new = try Zones.rules("Europe/Berlin")
        for day in 0..<20_000 as Range<Int64> {
            #expect(rules.offset(at: day * 86_400 + 5000) == new.offset(at: day * 86_400 + 5000))
        }
        #expect(rules.period(at: 4_000_000_000).end == nil)
    }

    @Test(arguments: [
        ("EST5", 0, -300), ("<+0545>-5:45", 0, 345), ("EST5EDT,M3.2.0,M11.1.0", 15_552_000, -240),
        ("EST5EDT,M3.2.0,M11.1.0", 0, -300), ("IST-1GMT0,M10.5.0,M3.5.0/1", 0, 0),
        ("IST-1GMT0,M10.5.0,M3.5.0/1", 15_552_000, 60), ("XXX3EDT4,0/0,J365/23", 0, -240),
        ("XXX3EDT4,0/0,J365/23", 31_536_000, -240), ("AAA-10BBB,J60/0,J300", 15_552_000, 660),
        ("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", 15_552_000, -60),
    ])
    func rulesForLaterAreRead(_ footer: String, _ wall: Int64, _ minutes: Int) throws {
        let rules = try TimeZoneRules(tzif: Self.file(footer: footer), name: "x")
        #expect(rules.offset(at: wall) == minutes * 60)
    }

    /// Without a transition, all of it is the rule's.
    static func file(footer: String) -> [UInt8] {
        let header = Array("TZif2".utf8) + [UInt8](repeating: 0, count: 15)
        let counts: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 4]
        let block = header + counts + [0, 0, 0, 0, 0, 0] + Array("UTC\0".utf8)
        return block + block + Array("\n\(footer)\n".utf8)
    }

    @Test(arguments: [
        "EST", "E5", "EST5EDT,", "EST5EDT,M13.1.0,M1.1.0", "EST5EDT,M3.2.0", "EST5EDT,M3.2.0,M11.1.0x", "EST999",
        "<+1-1", "EST5EDT,J0,J5", "EST5EDT,400,1", "EST5:60", "EST5EDT,M3.6.0,M11.1.0", "EST5EDT,M3.2.7,M11.1.0",
    ])
    func whatIsNoRuleIsRefused(_ footer: String) {
        #expect(throws: RoostError.self) { try TimeZoneRules(tzif: Self.file(footer: footer), name: "x") }
    }

    /// Cut anywhere, and with any byte changed: an error or rules, never a trap.
    @Test func damagedFilesDoNoHarm() throws {
        let bytes = try Zones.bytes("Australia/Lord_Howe")
        for count in 0..<bytes.count {
            #expect(throws: RoostError.self) { try TimeZoneRules(tzif: Array(bytes[..<count]), name: "cut") }
        }
        var dice = SplitMix(state: 2)
        let schedule = try CronSchedule("30 2 * * *")
        for _ in 0..<1000 {
            var damaged = bytes
            for _ in 0..<3 {
                damaged[Int.random(in: 0..<bytes.count, using: &dice)] = .random(in: 0...255, using: &dice)
            }
            guard let rules = try? TimeZoneRules(tzif: damaged, name: "damaged") else { continue }
            let wall = Int64.random(in: -5_000_000_000...5_000_000_000, using: &dice)
            #expect(schedule.next(after: wall, in: rules).map { $0 > wall } ?? true)
            #expect(rules.times(showing: wall).count <= 500)
        }
    }

    @Test func namesLeadNowhereElse() {
        for name in ["Europe/Berlin", "UTC", "Etc/GMT+5", "America/Argentina/Buenos_Aires", "EST5EDT"] {
            #expect(TimeZoneName(name)?.text == name)
        }
        for name in ["", "/etc/passwd", "../x", "Europe/../x", "Europe//Berlin", "a/b/c/d/e", "Europe/Ber lin", "5"] {
            #expect(TimeZoneName(name) == nil, "\(name)")
        }
        #expect(TimeZoneName.utc.isUTC && TimeZoneName("Europe/Berlin")?.isUTC == false)
    }
}
