import RoostBasics
import RoostLoop
import Testing

@Suite struct AlarmTests {
    @Test func firesOnceAndNotBeforeItsTime() throws {
        let loop = try Loop()
        var fired: [Instant] = []
        var alarm: Alarm?
        let due = Loop.clock + .microseconds(1300)
        alarm = try Alarm(on: loop) { fired.append(Loop.clock) }
        try alarm?.set(due)
        let timer = try Timer(on: loop)
        try timer.start(after: .milliseconds(20)) {
            alarm?.close()
            timer.close()
        }
        loop.run()
        alarm = nil
        #expect(fired.count == 1)
        #expect(fired.allSatisfy { $0 >= due })
        #expect(loop.openHandles == 0)
    }

    @Test func mayBeSetAnewFromWithin() throws {
        let loop = try Loop()
        var times: [Instant] = []
        var alarm: Alarm?
        alarm = try Alarm(on: loop) {
            times.append(Loop.clock)
            if times.count == 5 { alarm?.close() } else { try? alarm?.set(Loop.clock + .microseconds(200)) }
        }
        try alarm?.set(Instant(nanoseconds: 0))
        loop.run()
        alarm = nil
        #expect(times.count == 5, "a time that has passed is now")
        #expect(zip(times.dropFirst(), times).allSatisfy { $0 - $1 >= .microseconds(200) })
        #expect(loop.openHandles == 0)
    }

    @Test func mayBeCalledOffAndMoved() throws {
        let loop = try Loop()
        var fired = 0
        let (first, second) = (try Alarm(on: loop) { fired += 1 }, try Alarm(on: loop) { fired += 100 })
        try first.set(Loop.clock + .milliseconds(1))
        try first.set(nil)
        try second.set(Loop.clock + .seconds(1000))
        try second.set(Loop.clock + .milliseconds(1))
        let timer = try Timer(on: loop)
        try timer.start(after: .milliseconds(20)) {
            for alarm in [first, second, first] { alarm.close() }
            timer.close()
        }
        loop.run()
        #expect(fired == 100)
        #expect(loop.openHandles == 0)
    }
}
