import Glibc
import RoostBasics
import RoostChannel

/// Takes what waits, answers it, and rings when it feels like it and before it sleeps, as an instance does.
struct InstanceSide {
    private let requests: UInt64
    private let channel: InstanceChannel
    private let expected: Frames
    private let sent: Frames
    private var whims: Whims

    init(requests: UInt64, seed: UInt64) throws {
        self.requests = requests
        channel = try InstanceChannel(memory: 3, doorbell: 4, bodies: 5)
        (expected, sent) = (Frames(salt: seed), Frames(salt: ~seed))
        whims = Whims(seed: seed &+ 1)
    }

    mutating func run() throws {
        var count: UInt64 = 0
        var body: [UInt8] = []
        while count < requests {
            if whims.chance(8) { _ = channel.wait(atMost: .microseconds(whims.number(50))) } else { channel.wait() }
            var batch = 1 + whims.number(64)
            while batch > 0, channel.hasRequest {
                batch -= 1
                var failure: ChannelError?
                try channel.takeRequest { header, _, request in
                    guard header.id.rawValue == count else {
                        fault("request \(header.id.rawValue) instead of \(count)")
                    }
                    guard expected.matches(request, count) else { fault("request \(count) is not what was sent") }
                    sent.fill(&body, count)
                    let reply = ReplyHeader(id: header.id, status: 200, contentType: .octets, outcome: .ok)
                    do throws(ChannelError) {
                        try channel.send(reply, contentTypeText: RawSpan(), body: body.bytes)
                    } catch { failure = error }
                }
                if let failure { throw failure }
                count += 1
                whims.rest()
                if whims.chance(16) { channel.ring() }
            }
            channel.ring()
        }
    }
}
