import CRoost
import Glibc
import RoostBasics
import RoostChannel

/// The input is a program that a hostile instance runs: it writes into the shared memory, in between the host looks.
/// Whatever is there, the host ends the channel or is handed frames that lie within their limits.
func fuzzChannel(_ input: [UInt8]) throws {
    let ringBytes = 1 << 16
    let host = try HostChannel(ringBytes: ringBytes, replyBytesMax: 1 << 20)
    guard let base = roost_channel_map(host.descriptorsForInstance[0], UInt64(ringBytes)) else { return }
    defer { munmap(base, Int(ROOST_CHANNEL_PAGE) + 4 * ringBytes) }
    let hostile = HostileInstance(base: base, ringBytes: ringBytes)
    var program = Choices(input)
    do throws(ChannelError) {
        for _ in 0..<64 where !program.isEmpty {
            switch program.number(below: 10) {
            case 0: hostile.write(program.integer(UInt64.self), word: program.number(below: 8))
            case 1: hostile.write(program.take(Int(program.byte())), at: program.integer(UInt32.self))
            case 2...4: hostile.publish(&program)
            case 5:
                let header = RequestHeader(
                    id: RequestID(slot: 1, generation: 1), operation: .infer, contentType: .json, accept: .json,
                    arrived: Instant(nanoseconds: 1), deadline: Instant(nanoseconds: 2))
                let body = [UInt8](repeating: 7, count: Int(program.byte()) * 100)
                if let end = try host.send(header, contentTypeText: RawSpan(), body: body.bytes) {
                    precondition(host.taken() <= end, "more taken than sent")
                }
                host.ring()
            case 6: _ = host.prepareToSleep()
            default: try look(host)
            }
        }
        try look(host)
    } catch {
        // A clear end of that instance.
        guard case .nonsense = error else { throw Broken(description: "\(error)") }
    }
}

private func look(_ host: HostChannel) throws(ChannelError) {
    try host.receive { header, text, body in
        precondition((200...599).contains(header.status) && text.byteCount <= 256 && body.byteCount <= 1 << 20)
        // Every byte that is handed over can be read.
        var sum: UInt8 = 0
        for index in 0..<text.byteCount { sum ^= text[index] }
        for index in 0..<body.byteCount { sum ^= body[index] }
        withExtendedLifetime(sum) {}
        if header.hasSummary { precondition(host.summary.values.count == host.summary.rows * host.summary.width) }
    }
}

/// The other end of the memory.
private final class HostileInstance {
    private let base: UnsafeMutableRawPointer
    private let ringBytes: Int
    private var tail: UInt64 = 0

    init(base: UnsafeMutableRawPointer, ringBytes: Int) { (self.base, self.ringBytes) = (base, ringBytes) }

    private var page: UnsafeMutablePointer<roost_channel_page> { base.assumingMemoryBound(to: roost_channel_page.self) }
    private var replies: UnsafeMutableRawPointer { base + Int(ROOST_CHANNEL_PAGE) + 2 * ringBytes }

    func write(_ value: UInt64, word: Int) {
        switch word {
        case 0: page.pointee.request_head = value
        case 1: page.pointee.request_taken = value
        case 2: page.pointee.reply_tail = value
        case 3: page.pointee.reply_head = value
        case 4: page.pointee.request_tail = value
        case 5: page.pointee.ring_bytes = value
        case 6: page.pointee.request_sleeping = UInt32(truncatingIfNeeded: value)
        default: page.pointee.room_wanted = UInt32(truncatingIfNeeded: value)
        }
    }

    /// Anywhere in page and rings.
    func write(_ bytes: [UInt8], at offset: UInt32) {
        let size = Int(ROOST_CHANNEL_PAGE) + 4 * ringBytes
        let start = Int(offset) % (size - 256)
        bytes.withUnsafeBytes {
            if let from = $0.baseAddress { (base + start).copyMemory(from: from, byteCount: $0.count) }
        }
    }

    /// A frame that may be right, with the header's fields as the program says, and what stands behind it.
    func publish(_ program: inout Choices) {
        var frame = roost_reply_frame()
        let shape = program.byte()
        frame.status = shape & 1 == 0 ? 200 : program.integer(UInt16.self)
        frame.flags = UInt16(shape >> 1 & 0b10011)
        frame.id = program.integer(UInt64.self)
        let payload = program.take(Int(program.integer(UInt16.self)) % 4096)
        frame.content_type_size = UInt32(program.byte() & 15)
        frame.body_size = shape & 64 == 0 ? UInt64(payload.count / 2) : UInt64(program.integer(UInt32.self))
        frame.content_type = UInt16(program.byte() % 6)
        frame.outcome = UInt16(program.byte() % 7)
        frame.rows = program.integer(UInt32.self)
        let size = MemoryLayout<roost_reply_frame>.size
        frame.frame_size =
            shape & 128 == 0
            ? UInt32((size + Int(frame.content_type_size) + payload.count + 7) & ~7) : program.integer(UInt32.self)
        let place = replies + Int(tail % UInt64(ringBytes))
        place.storeBytes(of: frame, as: roost_reply_frame.self)
        payload.withUnsafeBytes {
            guard let from = $0.baseAddress else { return }
            (place + size + Int(frame.content_type_size)).copyMemory(from: from, byteCount: $0.count)
        }
        tail &+= UInt64(frame.frame_size)
        roost_store_release(&page.pointee.reply_tail, tail)
    }
}
