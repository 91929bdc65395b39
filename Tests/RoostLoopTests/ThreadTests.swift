import class Dispatch.DispatchSemaphore
import class Foundation.Thread
import RoostLoop
import Testing

@Suite struct ThreadTests {
    @Test func messagesFromOtherThreadsArriveOnTheLoop() throws {
        let loop = try Loop()
        var sum = 0
        var received = 0
        var close: () -> Void = {}
        let mailbox = try Mailbox<Int>(on: loop) { number in
            sum += number
            received += 1
            if received == 4_000 { close() }
        }
        close = { mailbox.close() }
        let sender = mailbox.sender
        for lane in 0..<4 {
            // Threads of their own: the test threads may all be in loops like this one.
            Thread { for i in 0..<1_000 { sender.send(lane * 1_000 + i) } }.start()
        }
        loop.run()
        close = {}
        #expect(sum == (0..<4_000).reduce(0, +))
        #expect(sender.send(1) == false, "a closed mailbox refuses, it does not crash")
        #expect(loop.openHandles == 0)
    }

    @Test func anAbandonedWorkerKeepsNoLoopWaiting() throws {
        let loop = try Loop()
        let (begun, mayEnd, ended) = (
            DispatchSemaphore(value: 0), DispatchSemaphore(value: 0), DispatchSemaphore(value: 0)
        )
        let worker = try Worker<Int>(on: loop) { _ in Issue.record("nobody is there to hear it") }
        worker.submit {
            begun.signal()
            mayEnd.wait()
            ended.signal()
            return 1
        }
        begun.wait()
        worker.abandon()
        loop.run()
        #expect(loop.openHandles == 0)
        mayEnd.signal()
        ended.wait()
    }

    @Test func aWorkerAnswersInTheOrderOfItsJobs() throws {
        let loop = try Loop()
        var answers: [Int] = []
        let worker = try Worker<Int>(on: loop) { answers.append($0) }
        for number in 0..<100 { worker.submit { number * 2 } }
        worker.close()
        #expect(worker.submit { 1 } == false)
        loop.run()
        #expect(answers == (0..<100).map { $0 * 2 })
        #expect(loop.openHandles == 0)
    }

    @Test func aJobMayBeSubmittedFromAResult() throws {
        let loop = try Loop()
        var answers: [Int] = []
        var next: (Int) -> Void = { _ in }
        let worker = try Worker<Int>(on: loop) { next($0) }
        next = { answer in
            answers.append(answer)
            if answer == 3 { worker.close() } else { worker.submit { answer + 1 } }
        }
        worker.submit { 1 }
        loop.run()
        next = { _ in }
        #expect(answers == [1, 2, 3])
    }
}
