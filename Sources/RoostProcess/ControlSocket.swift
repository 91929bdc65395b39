internal import CRoost
internal import Glibc
internal import RoostBasics
internal import RoostLoop

/// The host's end of a control socket, on the loop.
///
/// Non-blocking both ways. A peer that does not read its messages until hundreds wait is treated as dead.
final class ControlSocket {
    private let socket: Descriptor
    private var poll: Poll?
    private var onMessage: ((roost_message, [Descriptor]) -> Void)?
    private var onEnd: ((String) -> Void)?
    private let needsDescriptors: Bool
    /// It ended because this process may open no more descriptors: the peer is not to blame.
    private(set) var isOutOfDescriptors = false
    /// Messages taken in one turn of the loop, so that one peer cannot hold it.
    private static let messagesPerTurnMax = 64

    /// - Parameter needsDescriptors: a message whose descriptors are lost, because this process may have no more, ends
    ///   the socket; else it comes without them.
    init(
        _ socket: Descriptor, on loop: Loop, needsDescriptors: Bool,
        onMessage: @escaping (roost_message, [Descriptor]) -> Void, onEnd: @escaping (String) -> Void
    ) throws(RoostError) {
        (self.socket, self.onMessage, self.onEnd) = (socket, onMessage, onEnd)
        self.needsDescriptors = needsDescriptors
        do {
            poll = try Poll(socket.number, for: .readable, on: loop) { [weak self] _ in self?.receive() }
        } catch {
            throw RoostError(.system, "watching a control socket: \(error)")
        }
    }

    /// False when the peer is gone or does not read.
    @discardableResult
    func send(_ message: roost_message, _ descriptors: [Int32] = []) -> Bool {
        roost_send(socket.number, message, roost_descriptors(descriptors)) == 0
    }

    func close() {
        poll?.close()
        (poll, onMessage, onEnd) = (nil, nil, nil)
    }

    /// Takes what waits; the loop calls it when something does.
    func receive() {
        for _ in 0..<Self.messagesPerTurnMax {
            let received = roost_receive(socket.number, 0)
            switch received.status {
            case 1: onMessage?(received.message, received.descriptors.taken())
            case -EMFILE where !needsDescriptors && received.message.kind != 0: onMessage?(received.message, [])
            case -EAGAIN: return
            case 0: return end("it closed its control socket")
            default:
                isOutOfDescriptors = received.status == -EMFILE
                return end("its control socket failed: \(systemText(-received.status))")
            }
            if poll == nil { return }
        }
    }

    private func end(_ reason: String) {
        let onEnd = onEnd
        close()
        onEnd?(reason)
    }
}
