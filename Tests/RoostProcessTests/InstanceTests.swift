import Foundation
import RoostBasics
import RoostProcess
import Testing

@Suite(.serialized) struct InstanceTests {
    @Test func fiftyInstancesServeFromOneTemplate() throws {
        let world = try World()
        let template = try world.load()
        let forked = try (0..<50).map { _ in try world.fork(template) }
        var processes: Set<Int32> = []
        for instance in forked {
            #expect(instance.ask("predict") == "3.0 7.0 shape [3] failed 2=negative")
            #expect(instance.ask("shared") == "999 OK")
            #expect(instance.ask("forks seen") == "1 OK")
            processes.insert(try world.process(instance))
        }
        #expect(processes.count == 50)
        #expect(processes.allSatisfy { kill($0, 0) == 0 })
        // A template may go while its instances serve.
        world.nursery.kill(template)
        #expect(try world.end(template) == .killed(signal: SIGKILL))
        for instance in forked {
            #expect(instance.ask("predict") == "3.0 7.0 shape [3] failed 2=negative")
            instance.letGo()
            #expect(try world.end(instance.id) == .exited(code: 7))
        }
        try world.shutDown()
        #expect(processes.allSatisfy { kill($0, 0) != 0 })
    }

    @Test(arguments: [
        ("segv", "killed by signal 11 (segmentation fault)"), ("abort", "killed by signal 6 (abort)"),
        ("exit", "called exit(5)"), ("exhaust", "killed by signal 6 (abort)"),
        ("write", "killed by signal 11 (segmentation fault)"),
    ])
    func aDeathIsOneInstancesOwn(misdeed: String, words: String) throws {
        let world = try World()
        let template = try world.load()
        let (victim, other) = (try world.fork(template), try world.fork(template))
        #expect(victim.ask(misdeed) == "")
        #expect(try world.end(victim.id).description == words)
        #expect(other.ask("shared") == "999 OK")
        #expect(try world.fork(template).ask("shared") == "999 OK")
        try world.shutDown()
    }

    @Test func aWildWriteToModelMemoryStaysWithItsWriter() throws {
        let world = try World()
        let template = try world.load()
        let (writer, other) = (try world.fork(template), try world.fork(template))
        #expect(writer.ask("unprotect") == "0 OK")
        #expect(writer.ask("shared") == "77 OK")
        #expect(other.ask("shared") == "999 OK")
        #expect(try world.fork(template).ask("shared") == "999 OK")
        try world.shutDown()
    }

    @Test(arguments: [
        ("fork", "-1 EPERM"), ("double fork", "-1 EPERM"), ("sibling", "-1 EPERM"), ("socket", "-1 EPERM"),
        ("read file", "-1 EACCES"), ("write file", "-1 EACCES"), ("library", "0 OK"), ("kill", "-1 EPERM"),
        ("kill by thread", "-1 EPERM"), ("exec", "-1 EPERM"), ("anonymous", "-1 EPERM"), ("memfd", "-1 EPERM"),
        ("unknown", "-1 ENOSYS"), ("thread", "\(EPERM) OK"),
    ])
    func theSandboxAnswers(misdeed: String, answer: String) throws {
        let world = try World()
        let instance = try world.fork(world.load())
        // The host announces some of these, so its loop has to turn meanwhile.
        let reply = try world.ask(instance, misdeed)
        #expect(reply == answer)
        #expect(instance.ask("shared") == "999 OK", "and the instance goes on")
        try world.shutDown()
    }

    @Test func aRefusedForkIsReported() throws {
        let world = try World()
        let template = try world.load()
        let instance = try world.fork(template)
        _ = try world.ask(instance, "fork")
        let call = try world.first { if case .callRefused(template, let call) = $0 { call } else { nil } }
        #expect(call.description == "clone")
        try world.shutDown()
    }

    @Test func pluginsRunAsNobodyWhenTheHostIsRoot() throws {
        let world = try World()
        let instance = try world.fork(world.load())
        #expect(instance.ask("user") == (getuid() == 0 ? "65534 OK" : "\(getuid()) OK"))
        #expect(instance.ask("parent") == (world.nursery.isNamespace ? "1 OK" : instance.ask("parent")))
        try world.shutDown()
    }

    @Test func aVersionWithThreadsIsItsOwnOnlyInstance() throws {
        let world = try World()
        let template = try world.start(["LOAD_THREAD=2"]) { $0.needsThreads = true }
        let report = try world.report(template)
        #expect(report.threads == 2)
        #expect(!report.isForkable)
        let instance = try world.fork(template)
        #expect(instance.ask("shared") == "999 OK")
        #expect(try world.process(instance) > 0)
        #expect(throws: RoostError.self) { try world.fork(template) }
        instance.letGo()
        #expect(try world.end(instance.id) == .exited(code: 7))
        #expect(try world.end(template) == .exited(code: 7))
        try world.shutDown()
    }

    @Test func aVersionThatIsNotForkSafeIsItsOwnOnlyInstance() throws {
        let world = try World()
        let template = try world.load { $0.isForkSafe = false }
        let instance = try world.fork(template)
        #expect(instance.ask("pid") != "")
        #expect(try world.ask(instance, "sibling") == "-1 EPERM")
        world.nursery.kill(instance.id)
        #expect(try world.end(instance.id) == .killed(signal: SIGKILL))
        try world.shutDown()
    }

    @Test func killingAnInstanceThatIsStillBeingMadeEndsIt() throws {
        let world = try World()
        let template = try world.load()
        let instance = try world.fork(template)
        world.nursery.kill(instance.id)
        #expect(try world.end(instance.id) == .killed(signal: SIGKILL))
        try world.shutDown()
    }

    @Test func aTemplateThatIsStoppedIsEndedWhenItShouldFork() throws {
        let world = try World { $0.patience = .seconds(1) }
        let template = try world.load()
        kill(try #require(world.nursery.process(of: template)), SIGSTOP)
        let instance = try world.fork(template)
        #expect(try world.end(instance.id) == .lost("its template was killed by signal 9 (kill)"))
        #expect(try world.end(template) == .killed(signal: SIGKILL))
        #expect(try world.fork(world.load()).ask("shared") == "999 OK")
        try world.shutDown()
    }

    @Test func aNurseryThatIsStoppedIsLostWhenItShouldAct() throws {
        let world = try World { $0.patience = .seconds(1) }
        let instance = try world.fork(world.load())
        _ = try world.process(instance)
        kill(try #require(world.nursery.processID), SIGSTOP)
        let failure = try world.failure(world.start())
        #expect(failure.code == .unavailable)
        #expect(try world.end(instance.id) == .lost("the nursery is gone"))
        _ = try world.first { if case .nurseryLost(let reason) = $0 { reason } else { nil } }
        try world.nursery.restart()
        #expect(try world.fork(world.load()).ask("shared") == "999 OK")
        try world.shutDown()
    }

    @Test func aLostNurseryIsReportedAfterAllThatItHeld() throws {
        let world = try World()
        let template = try world.load()
        let instance = try world.fork(template)
        let process = try world.process(instance)
        kill(try #require(world.nursery.processID), SIGKILL)
        _ = try world.first { if case .nurseryLost(let reason) = $0 { reason } else { nil } }
        #expect(try world.end(instance.id) == .lost("the nursery is gone"))
        #expect(try world.end(template) == .lost("the nursery is gone"))
        #expect(instance.ask("shared") == "")
        #expect(throws: RoostError.self) { try world.start() }
        try world.nursery.restart()
        #expect(try world.fork(world.load()).ask("shared") == "999 OK")
        #expect(kill(process, 0) != 0)
        try world.shutDown()
    }
}
