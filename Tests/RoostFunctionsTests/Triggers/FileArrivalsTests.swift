import RoostBasics
import RoostDelivery
import RoostFunctions
import Testing

@Suite struct FileArrivalsTests {
    /// A folder, and who looks at it; time is turned by hand.
    struct World {
        var arrivals: FileArrivals
        var now = Instant(nanoseconds: 1_000_000_000)
        var files: [String: FileStamp] = [:]
        var writers: Set<String> = []
        var knowsWriters = true
        var taken: [String] = []

        init(_ pattern: String = "inbox/*") throws { arrivals = FileArrivals(try FilePattern(pattern)) }

        mutating func write(_ name: String, size: Int) {
            files[name] = FileStamp(size: size, modifiedNS: Int(now.nanoseconds), inode: 7)
            look()
        }

        mutating func look() {
            let entries = files.map { FileEntry(name: $0.key, stamp: $0.value) }
            for entry in arrivals.listed(entries, at: now) {
                let isBeingWritten = knowsWriters ? writers.contains(entry.name) : nil
                if arrivals.examined(entry, stamp: files[entry.name], isBeingWritten: isBeingWritten, at: now) {
                    taken.append(entry.name)
                }
            }
        }

        /// Lets time pass; the folder is looked at only when that is asked for.
        mutating func pass(_ span: Instant.Span) {
            let end = now + span
            while let wake = arrivals.wakeAt, wake <= end {
                now = max(now, wake)
                look()
            }
            now = end
        }
    }

    @Test func aFileIsTakenOnceItHasStoodStill() throws {
        var world = try World()
        world.write("a.csv", size: 10)
        world.pass(.milliseconds(499))
        #expect(world.taken.isEmpty && world.arrivals.arrivingCount == 1)
        world.pass(.milliseconds(1))
        #expect(world.taken == ["a.csv"] && world.arrivals.arrivingCount == 0 && world.arrivals.wakeAt == nil)
        world.look()
        world.pass(.seconds(100))
        #expect(world.taken == ["a.csv"], "nothing is taken twice")
    }

    @Test func slowWritingIsWaitedFor() throws {
        var world = try World()
        for size in 1...20 {
            world.write("a.csv", size: size)
            world.pass(.milliseconds(400))
        }
        #expect(world.taken.isEmpty)
        world.pass(.milliseconds(100))
        #expect(world.taken == ["a.csv"])
    }

    @Test func whoeverHasItOpenForWritingIsWaitedForHoweverLongHePauses() throws {
        var world = try World()
        world.writers = ["a.csv"]
        world.write("a.csv", size: 3)
        world.pass(.seconds(3600))
        #expect(world.taken.isEmpty)
        world.writers = []
        world.pass(.seconds(1))
        #expect(world.taken == ["a.csv"])
    }

    @Test func whereNobodySaysWhoWritesAFileStandsStillForLonger() throws {
        var world = try World()
        world.knowsWriters = false
        world.write("a.csv", size: 3)
        world.pass(.milliseconds(4_999))
        #expect(world.taken.isEmpty)
        world.pass(.milliseconds(1))
        #expect(world.taken == ["a.csv"])
    }

    @Test func anEmptyFileHasTimeToBeFilled() throws {
        var world = try World()
        world.write("a.csv", size: 0)
        world.pass(.milliseconds(9_999))
        #expect(world.taken.isEmpty)
        world.pass(.milliseconds(1))
        #expect(world.taken == ["a.csv"], "it is somebody's mistake, and answered like one")
    }

    @Test func aFileThatChangesOrComesAnewIsNewWork() throws {
        var world = try World()
        world.write("a.csv", size: 3)
        world.pass(.seconds(1))
        world.write("a.csv", size: 4)
        world.pass(.seconds(1))
        world.files = [:]
        world.look()
        world.files["a.csv"] = FileStamp(size: 4, modifiedNS: Int(world.now.nanoseconds), inode: 7)
        world.look()
        world.pass(.seconds(1))
        #expect(world.taken == ["a.csv", "a.csv", "a.csv"])
    }

    @Test func whatChangesWhileItIsLookedAtSettlesAgain() throws {
        var world = try World()
        world.write("a.csv", size: 3)
        let entry = FileEntry(name: "a.csv", stamp: try #require(world.files["a.csv"]))
        world.now = world.now + .seconds(1)
        let still = world.arrivals.listed([entry], at: world.now)
        #expect(still == [entry])
        let other = FileStamp(size: 4, modifiedNS: 0, inode: 7)
        let first = world.arrivals.examined(entry, stamp: other, isBeingWritten: false, at: world.now)
        let second = world.arrivals.examined(entry, stamp: entry.stamp, isBeingWritten: false, at: world.now)
        #expect(!first && !second, "asked once")
        #expect(world.arrivals.wakeAt == world.now + .milliseconds(500))
        // Gone altogether: the next listing forgets it.
        let none = world.arrivals.listed([], at: world.now)
        #expect(none.isEmpty && world.arrivals.wakeAt == nil)
    }

    @Test func whatIsMovedBackBeforeAnybodyLooksIsNewWork() throws {
        var world = try World()
        world.write("a.csv", size: 3)
        world.pass(.seconds(1))
        let stamp = try #require(world.files["a.csv"])
        world.arrivals.movedAway("a.csv", FileStamp(size: 4, modifiedNS: 0, inode: 7))
        world.look()
        world.pass(.seconds(1))
        #expect(world.taken == ["a.csv"], "another file was moved away")
        world.arrivals.movedAway("a.csv", stamp)
        world.look()
        world.pass(.seconds(1))
        #expect(world.taken == ["a.csv", "a.csv"])
    }

    @Test func whatIsGivenBackComesAgain() throws {
        var world = try World()
        world.write("a.csv", size: 3)
        world.pass(.seconds(1))
        world.arrivals.gaveBack("a.csv", until: world.now + .seconds(5))
        world.arrivals.gaveBack("unknown", until: world.now)
        world.pass(.seconds(4))
        #expect(world.taken == ["a.csv"] && world.arrivals.arrivingCount == 1)
        world.pass(.seconds(1))
        #expect(world.taken == ["a.csv", "a.csv"])
    }

    @Test(arguments: [
        ("inbox/*", ["a.csv", "b.jsonl"]), ("inbox/*.csv", ["a.csv"]), ("inbox/b.*", ["b.jsonl"]), ("inbox/.*", []),
    ])
    func onlyWhatIsMeantIsTaken(_ pattern: String, _ expected: [String]) throws {
        var world = try World(pattern)
        for name in ["a.csv", "b.jsonl", ".hidden.csv", "c.csv.tmp", "c.csv.partial", "c.csv.part"] {
            world.write(name, size: 1)
        }
        world.pass(.seconds(1))
        #expect(world.taken == expected)
    }
}
