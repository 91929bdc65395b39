import RoostBasics
import Testing

@Suite struct TrafficSharesTests {
    let one = VersionNumber(1), two = VersionNumber(2), three = VersionNumber(3)

    @Test func onlySharesThatSumToHundredExist() throws {
        #expect(try TrafficShares([two: 90, one: 10, three: 0]).description == "1=10 2=90")
        #expect(throws: RoostError.self) { try TrafficShares([one: 90]) }
        #expect(throws: RoostError.self) { try TrafficShares([:]) }
        #expect(throws: RoostError.self) { try TrafficShares([one: 110, two: -10]) }
    }

    @Test func theShareOfAMissingVersionGoesToTheOthersInProportion() throws {
        let shares = try TrafficShares([one: 30, two: 10, three: 60])
        #expect(shares.restricted { $0 != three }?.description == "1=75 2=25")
        #expect(shares.restricted { $0 != one }?.description == "2=14 3=86")
        #expect(shares.restricted { $0 == two } == TrafficShares(all: two))
        #expect(shares.restricted { _ in true } == shares)
        #expect(shares.restricted { _ in false } == nil)
        #expect(shares.leading == three)
        #expect(try TrafficShares([one: 50, two: 50]).leading == two)
    }

    @Test func whateverIsLeftSumsToHundredAndLosesNobody() throws {
        for first in 1...97 {
            let shares = try TrafficShares([one: first, two: 1, three: 99 - first])
            for kept in [[one, two], [two, three], [one, three]] {
                let rest = try #require(shares.restricted { kept.contains($0) })
                #expect(rest.entries.reduce(0) { $0 + $1.percent } == 100)
                #expect(rest.versions == kept)
            }
        }
    }
}
