import Glibc
import RoostBasics
import RoostChannel

/// Sends requests in bursts, takes replies in between, and sleeps when there is nothing to do, as the host's loop does.
struct HostSide {
    private let requests: UInt64
    private let seed: UInt64
    private let channel: HostChannel
    private let doorbells: Doorbells
    private let sent: Frames
    private let expected: Frames
    private var whims: Whims
    private var body: [UInt8] = []
    private var next: UInt64 = 0
    private var answered: UInt64 = 0
    private var sleeps = 0
    private var isFull = false

    init(requests: UInt64, seed: UInt64) throws {
        (self.requests, self.seed) = (requests, seed)
        channel = try HostChannel(ringBytes: 1 << 16)
        (sent, expected) = (Frames(salt: seed), Frames(salt: ~seed))
        whims = Whims(seed: seed)
        doorbells = try Doorbells()
        try doorbells.add(channel.doorbell, tag: 1)
    }

    mutating func run() throws {
        let child = start()
        channel.handedOver()
        let begin = now()
        while answered < requests {
            try sendBurst()
            if whims.chance(4) { continue }
            try receive()
            // It need not be full to fall asleep: everything may be on its way.
            if answered < next, isFull || next == requests || whims.chance(2), channel.prepareToSleep() { sleep() }
            whims.rest()
        }
        var status: Int32 = 0
        _ = unsafe waitpid(child, &status, 0)
        guard status == 0 else { fault("the instance ended with \(status)") }
        let seconds = Double(now() - begin) / 1e9
        print(
            "\(2 * requests) frames in \(Int(seconds)) s, \(Int(Double(2 * requests) / seconds)) per second; "
                + "the host slept \(sleeps) times; every frame came once, in order and unchanged")
    }

    private mutating func sendBurst() throws {
        isFull = false
        for _ in 0...whims.number(32) where next < requests && !isFull {
            sent.fill(&body, next)
            let header = RequestHeader(
                id: RequestID(rawValue: next), operation: .infer, contentType: .octets, accept: .json,
                arrived: Instant(nanoseconds: 1), deadline: Instant(nanoseconds: .max))
            guard try channel.send(header, contentTypeText: RawSpan(), body: body.bytes) != nil else {
                isFull = true
                break
            }
            next += 1
            whims.rest()
        }
        channel.ring()
    }

    private mutating func receive() throws {
        var count = answered
        try channel.receive { header, _, body in
            guard header.id.rawValue == count else { fault("reply \(header.id.rawValue) instead of \(count)") }
            guard expected.matches(body, count) else { fault("reply \(count) is not what was sent") }
            count += 1
        }
        answered = count
    }

    private mutating func sleep() {
        sleeps += 1
        var bell = pollfd(fd: doorbells.descriptor, events: Int16(POLLIN), revents: 0)
        guard unsafe poll(&bell, 1, 10_000) == 1 else {
            fault("asleep with \(next - answered) requests unanswered: a wake-up was lost")
        }
        doorbells.takeRung { _ in }
    }

    /// This program again, as the other side.
    private func start() -> pid_t {
        var actions = unsafe posix_spawn_file_actions_t()
        _ = unsafe posix_spawn_file_actions_init(&actions)
        defer { _ = unsafe posix_spawn_file_actions_destroy(&actions) }
        // Out of the way of the numbers that they get.
        let high = channel.descriptorsForInstance.map { fcntl($0, F_DUPFD, 64) }
        for (index, descriptor) in high.enumerated() {
            _ = unsafe posix_spawn_file_actions_adddup2(&actions, descriptor, 3 + Int32(index))
            _ = unsafe posix_spawn_file_actions_addclose(&actions, descriptor)
        }
        defer { for descriptor in high { close(descriptor) } }
        // Kept for the life of the process, as arguments are.
        var pointers: [UnsafeMutablePointer<CChar>?] = unsafe [
            strdup("ring-soak"), strdup("instance"), strdup("\(requests)"), strdup("\(seed)"), nil,
        ]
        var child: pid_t = 0
        guard unsafe posix_spawn(&child, "/proc/self/exe", &actions, nil, &pointers, environ) == 0 else {
            fault("the instance cannot be started")
        }
        return child
    }

    private func now() -> UInt64 {
        var time = timespec()
        _ = unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}
