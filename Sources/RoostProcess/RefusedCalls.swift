internal import CSeccomp
internal import Glibc
internal import RoostBasics
internal import RoostLoop

/// A system call that the sandbox refused.
public struct RefusedCall: Hashable, Sendable, CustomStringConvertible {
    /// `socket`, `clone`, ….
    public let name: String
    /// It would have started a thread.
    public let isThread: Bool

    public var description: String { isThread ? "\(name) (starting a thread)" : name }
}

/// Answers the refused calls of one template and its instances with EPERM, and remembers which they were.
///
/// The caller waits for each answer, so the host sees a refusal before anything that follows from it. After a number
/// of them the listener is closed, and the kernel answers ENOSYS without asking.
@safe final class RefusedCalls {
    private static let announcedMax = 64
    private static let cloneThread: UInt64 = 0x10000  // linux/sched.h
    private let listener: Descriptor
    private var poll: Poll?
    private var onCall: ((RefusedCall) -> Void)?
    private var announced = 0
    /// libseccomp's buffers, of the size that this kernel wants; ours until deinit.
    private var request: UnsafeMutablePointer<seccomp_notif>?
    private var response: UnsafeMutablePointer<seccomp_notif_resp>?

    init(_ listener: Descriptor, on loop: Loop, onCall: @escaping (RefusedCall) -> Void) throws(RoostError) {
        (self.listener, self.onCall) = (listener, onCall)
        guard unsafe seccomp_notify_alloc(&request, &response) == 0 else {
            throw RoostError(.system, "no memory for announcements of refused calls")
        }
        do {
            poll = try Poll(listener.number, for: .readable, on: loop) { [weak self] _ in self?.answer() }
        } catch {
            throw RoostError(.system, "watching refused calls: \(error)")
        }
    }

    deinit { unsafe seccomp_notify_free(request, response) }

    func close() {
        poll?.close()
        (poll, onCall) = (nil, nil)
    }

    private func answer() {
        guard let request = unsafe request, let response = unsafe response else { return }
        // The kernel wants it empty.
        unsafe UnsafeMutableRawPointer(request).initializeMemory(
            as: UInt8.self, repeating: 0, count: MemoryLayout<seccomp_notif>.size)
        guard unsafe seccomp_notify_receive(listener.number, request) == 0 else {
            // Its process was killed meanwhile, or none is left that could ask.
            if errno != ENOENT && errno != EINTR { close() }
            return
        }
        let (number, firstArgument) = unsafe (request.pointee.data.nr, request.pointee.data.args.0)
        unsafe response.pointee.id = unsafe request.pointee.id
        unsafe response.pointee.val = 0
        unsafe response.pointee.error = -EPERM
        unsafe response.pointee.flags = 0
        let name = Self.name(of: number)
        onCall?(RefusedCall(name: name, isThread: name == "clone" && firstArgument & Self.cloneThread != 0))
        _ = unsafe seccomp_notify_respond(listener.number, response)
        announced += 1
        if announced == Self.announcedMax { close() }
    }

    private static func name(of number: Int32) -> String {
        guard let name = unsafe seccomp_syscall_resolve_num_arch(seccomp_arch_native(), number) else {
            return "call \(number)"
        }
        defer { unsafe free(name) }
        return unsafe String(cString: name)
    }
}
