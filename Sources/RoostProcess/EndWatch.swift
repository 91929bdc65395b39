internal import CRoost
internal import RoostBasics
internal import RoostLoop

/// Waits for the end of one of the host's own children, by its pidfd, and reaps it. Lives until then by itself.
final class EndWatch {
    let pidfd: Descriptor
    private var poll: Poll?
    private var onEnd: (() -> Void)?

    init(_ pidfd: Descriptor, on loop: Loop, onEnd: @escaping () -> Void) throws(RoostError) {
        (self.pidfd, self.onEnd) = (pidfd, onEnd)
        do {
            poll = try Poll(pidfd.number, for: .readable, on: loop) { _ in self.ended() }
        } catch {
            throw RoostError(.system, "watching a process: \(error)")
        }
    }

    /// It is reaped all the same, but nobody hears of it.
    func forget() { onEnd = nil }

    private func ended() {
        guard roost_reap(pidfd.number).status != 0 else { return }
        poll?.close()
        let onEnd = onEnd
        (poll, self.onEnd) = (nil, nil)
        onEnd?()
    }
}
