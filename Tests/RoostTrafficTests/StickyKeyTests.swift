import RoostBasics
import RoostTraffic
import Testing

@Suite struct StickyKeyTests {
    let credit = FunctionName("credit")

    func reader(_ key: String, function: String = "credit") throws -> StickyReader {
        StickyReader(try StickyKey(key), of: try #require(FunctionName(function)))
    }

    func slot(_ reader: StickyReader, _ value: String) -> Int? { reader.slot(of: Array(value.utf8).bytes) }

    @Test func aKeySaysWhereItStands() throws {
        #expect(try StickyKey("header:X-User").description == "header:X-User")
        #expect(try StickyKey("cookie:sid").place == .cookie)
        #expect(try StickyKey("query:user id").name == "user id")
    }

    @Test(arguments: ["", "header", "header:", "body:x", "header:a b", "cookie:a;b", "header:Ü", "X-User"])
    func aKeyThatIsNoneIsRefused(_ text: String) {
        #expect(throws: RoostError.self) { try StickyKey(text) }
    }

    @Test func keysSpreadEvenlyAndDifferentlyForEachFunction() throws {
        let one = try reader("header:X-User"), two = try reader("header:X-User", function: "fraud")
        var tenths = [Int](repeating: 0, count: 10)
        var same = 0
        for user in 0..<20_000 {
            let found = try #require(slot(one, "user-\(user)"))
            try #require((0..<StickySlots.count).contains(found))
            tenths[found / 1000] += 1
            if found == slot(two, "user-\(user)") { same += 1 }
        }
        #expect(tenths.allSatisfy { (1800...2200).contains($0) }, "\(tenths)")
        #expect(same < 20)
        #expect(slot(one, "user-7") == slot(one, "user-7"))
        #expect(slot(one, "") == nil, "an empty key is none")
    }

    /// The slots of users must never change: whoever changes the hash moves everybody.
    @Test func theHashStaysAsItIs() throws {
        let one = try reader("header:X-User")
        #expect(["ada", "grace", "42"].map { slot(one, $0) } == [914, 4784, 414])
    }

    @Test(arguments: [
        ("sid=ada", "ada"), ("a=1; sid=ada; b=2", "ada"), ("sid=ada; sid=grace", "ada"), (" a=1 ;sid=ada", "ada"),
        ("sid=\"ada\"", "ada"), ("xsid=no; sid=ada", "ada"), ("sid=a%64a", "a%64a"), ("sid=a=b", "a=b"),
        ("SID=x;sid=ada", "ada"),
    ])
    func cookiesAreFoundByName(_ cookies: String, _ value: String) throws {
        let reader = try reader("cookie:sid")
        let found = reader.slot(inCookies: Array(cookies.utf8).bytes)
        #expect(found != nil && found == slot(reader, value))
    }

    @Test(arguments: ["", "sid", "sid=", "a=sid=ada", ";;;", "sidx=1", "si=1", "sid=\"\""])
    func cookiesWithoutTheKeyHaveNoSlot(_ cookies: String) throws {
        let found = try reader("cookie:sid").slot(inCookies: Array(cookies.utf8).bytes)
        #expect(found == nil)
    }

    @Test(arguments: [
        ("user=ada", "ada"), ("a=1&user=ada&b=2", "ada"), ("user=ada&user=grace", "ada"), ("user=a%64%61", "ada"),
        ("us%65r=ada", "ada"), ("user=a+b", "a b"), ("user=a%20b", "a b"), ("user=%2541", "%41"), ("user=%4", "%4"),
        ("user=%zz", "%zz"), ("user=a=b", "a=b"), ("users=no&user=ada", "ada"), ("user&user=ada", "ada"),
        ("user=100%", "100%"), ("user=%e4%F6", "\u{0}"),
    ])
    func parametersAreFoundAndDecodedOnce(_ query: String, _ value: String) throws {
        let reader = try reader("query:user")
        let found = reader.slot(inQuery: Array(query.utf8).bytes)
        let wanted: [UInt8] = value == "\u{0}" ? [0xE4, 0xF6] : Array(value.utf8)
        let slot = reader.slot(of: wanted.bytes)
        #expect(found != nil && found == slot)
    }

    @Test(arguments: ["", "user", "user=", "&&&", "=ada", "use=1", "user=&user=ada"])
    func queriesWithoutTheKeyHaveNoSlot(_ query: String) throws {
        let found = try reader("query:user").slot(inQuery: Array(query.utf8).bytes)
        #expect(found == nil)
    }
}
