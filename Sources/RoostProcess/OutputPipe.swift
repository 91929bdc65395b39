internal import Glibc
internal import RoostBasics
internal import RoostLoop

/// What a version prints: drained always, so that no plugin hangs on a full pipe, but at a bounded rate, so that none
/// keeps the loop busy.
final class OutputPipe {
    private static let bytesPerSecondMax = 4 << 20
    private static let chunkBytes = 64 << 10
    private let end: Descriptor
    private var poll: Poll?
    private var timer: RoostLoop.Timer?
    private var budget = bytesPerSecondMax
    private var onBytes: (([UInt8]) -> Void)?
    private var onEnd: (() -> Void)?

    /// `end` is non-blocking. Ends by itself when the last process that can write is gone.
    init(
        _ end: Descriptor, on loop: Loop, onBytes: @escaping ([UInt8]) -> Void, onEnd: @escaping () -> Void
    ) throws(RoostError) {
        (self.end, self.onBytes, self.onEnd) = (end, onBytes, onEnd)
        do {
            timer = try RoostLoop.Timer(on: loop)
            poll = try Poll(end.number, for: .readable, on: loop) { [weak self] _ in self?.drain() }
        } catch {
            timer?.close()
            throw RoostError(.system, "watching a plugin's output: \(error)")
        }
    }

    func close() {
        poll?.close()
        timer?.close()
        (poll, timer, onBytes, onEnd) = (nil, nil, nil, nil)
    }

    /// Takes what is there now: the last words of a process that has just ended.
    func drain() {
        guard poll != nil else { return }
        var result = 0
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: Self.chunkBytes) { buffer, count in
            result = unsafe read(end.number, buffer.baseAddress, buffer.count)
            count = max(0, result)
        }
        guard result > 0 else {
            if result == 0 || (errno != EAGAIN && errno != EINTR) { ended() }
            return
        }
        onBytes?(bytes)
        budget -= bytes.count
        if budget <= 0 { pause() }
    }

    private func ended() {
        let onEnd = onEnd
        close()
        onEnd?()
    }

    private func pause() {
        do {
            try poll?.watch([])
            try timer?.start(after: .seconds(1)) { [weak self] in
                self?.budget = Self.bytesPerSecondMax
                try? self?.poll?.watch(.readable)
            }
        } catch {
            ended()
        }
    }
}
