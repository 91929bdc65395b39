// What an instance does for each request, without the processes around it: one thread answers as an instance does,
// the other stands in for the host. For callgrind, which counts them apart.
//
//     instance-alone PLUGIN MODEL BODY BATCHES BATCH [tell]
//
// `tell`: each reply carries a summary, as one that is recorded does.
import CRoost
import Glibc
import RoostBasics
import RoostChannel
import RoostInstance
import RoostPlugins

/// What the instance's thread is given: descriptors that it owns from then on.
struct Start: Sendable {
    let plugin: Int32
    let model: Int32
    let modelBytes: Int
    let memory: Int32
    let doorbell: Int32
    let bodies: Int32
}

func answer(_ start: Start) throws {
    let memory = ModelMemory { bytes in
        let descriptor = unsafe roost_sealed_memory("model", UInt64(bytes))
        return descriptor < 0 ? nil : descriptor
    }
    let model = try LoadedModel(
        PluginLibrary(descriptor: start.plugin),
        artifact: Artifact(descriptor: start.model, offset: 0, byteCount: start.modelBytes), memory: memory)
    _ = InstanceWork.serving.serve(
        ServingInstance(
            id: InstanceID(rawValue: 1), label: "bench@1", model: model, batchRows: 64, memory: start.memory,
            doorbell: start.doorbell, bodies: start.bodies))
}

func read(_ path: String) -> [UInt8] {
    let descriptor = unsafe open(path, O_RDONLY)
    var bytes = [UInt8](repeating: 0, count: Int(lseek(descriptor, 0, SEEK_END)))
    guard unsafe pread(descriptor, &bytes, bytes.count, 0) == bytes.count else { fatalError("cannot read \(path)") }
    close(descriptor)
    return bytes
}

let arguments = CommandLine.arguments
guard (6...7).contains(arguments.count), let batches = Int(arguments[4]), let batch = Int(arguments[5]) else {
    fatalError("instance-alone PLUGIN MODEL BODY BATCHES BATCH [tell]")
}
let body = read(arguments[3])
let channel = try HostChannel()
let ends = channel.descriptorsForInstance.map { dup($0) }
let model = unsafe open(arguments[2], O_RDONLY)
unsafe Thread.start(
    Start(
        plugin: open(arguments[1], O_RDONLY), model: model, modelBytes: Int(lseek(model, 0, SEEK_END)), memory: ends[0],
        doorbell: ends[1], bodies: ends[2]))
var bell = pollfd(fd: channel.doorbell, events: Int16(POLLIN), revents: 0)
for _ in 0..<batches {
    for index in 0..<batch {
        var header = RequestHeader(
            id: RequestID(rawValue: UInt64(index)), operation: .infer, contentType: .json, accept: .json,
            arrived: Instant(nanoseconds: 0), deadline: Instant(nanoseconds: .max))
        if arguments.count == 7 { header.wants = .outputs }
        guard try channel.send(header, contentTypeText: RawSpan(), body: body.bytes) != nil else {
            fatalError("the ring is full")
        }
    }
    channel.ring()
    var answers = 0
    while answers < batch {
        try channel.receive { header, _, _ in
            precondition(header.status == 200, "the model refused the body")
            answers += 1
        }
        if answers < batch, channel.prepareToSleep() { _ = unsafe poll(&bell, 1, 1) }
    }
}
exit(0)

enum Thread {
    /// Runs `answer` on a thread of its own.
    static func start(_ start: Start) {
        let argument = UnsafeMutablePointer<Start>.allocate(capacity: 1)
        unsafe argument.initialize(to: start)
        var thread = pthread_t()
        let status = unsafe pthread_create(
            &thread, nil,
            { argument in
                guard let start = unsafe argument?.assumingMemoryBound(to: Start.self).pointee else { return nil }
                do { try answer(start) } catch { fatalError("\(error)") }
                return nil
            }, argument)
        precondition(status == 0, "pthread_create returned \(status)")
    }
}
