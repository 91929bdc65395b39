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

/// Answers the refused calls of one template and its instances with EPERM and says which they were; lets the template
/// fork when somebody has ordered that.
///
/// The caller waits for each answer, so the host sees a refusal before anything that follows from it. Only the first
/// ones are told of, and so many are answered in a second: whoever makes more of them waits, not the loop.
@safe final class RefusedCalls {
    private static let announcedMax = 64
    private static let answersPerSecondMax = 1024
    // linux/sched.h, linux/seccomp.h.
    private static let cloneThread: UInt64 = 0x10000
    private static let cloneSibling: UInt64 = 0x8000 | UInt64(SIGCHLD)
    private static let letPass: UInt32 = 1
    /// Nil once closed: the kernel then answers by itself.
    private var listener: Descriptor?
    private var poll: Poll?
    private var timer: RoostLoop.Timer?
    private var onCall: ((RefusedCall) -> Void)?
    private var mayFork: (() -> Bool)?
    private var announced = 0
    private var budget = answersPerSecondMax
    /// libseccomp's buffers, of the size that this kernel wants; ours until deinit.
    private var request: UnsafeMutablePointer<seccomp_notif>?
    private var response: UnsafeMutablePointer<seccomp_notif_resp>?

    /// - Parameter mayFork: asked at each fork of the kind that makes instances.
    init(
        _ listener: Descriptor, on loop: Loop, mayFork: @escaping () -> Bool, onCall: @escaping (RefusedCall) -> Void
    ) throws(RoostError) {
        (self.listener, self.mayFork, self.onCall) = (listener, mayFork, onCall)
        guard unsafe seccomp_notify_alloc(&request, &response) == 0 else {
            throw RoostError(.system, "no memory for announcements of refused calls")
        }
        do {
            timer = try RoostLoop.Timer(on: loop)
            poll = try Poll(listener.number, for: .readable, on: loop) { [weak self] _ in self?.answer() }
        } catch {
            timer?.close()
            throw RoostError(.system, "watching refused calls: \(error)")
        }
    }

    deinit { unsafe seccomp_notify_free(request, response) }

    func close() {
        poll?.close()
        timer?.close()
        (poll, timer, listener, onCall, mayFork) = (nil, nil, nil, nil, nil)
    }

    private func answer() {
        guard let listener, let request = unsafe request, let response = unsafe response else { return }
        // The kernel wants it empty.
        unsafe UnsafeMutableRawPointer(request).initializeMemory(
            as: UInt8.self, repeating: 0, count: MemoryLayout<seccomp_notif>.size)
        guard unsafe seccomp_notify_receive(listener.number, request) == 0 else {
            // Its process was killed meanwhile, or none is left that could ask.
            if errno != ENOENT && errno != EINTR { close() }
            return
        }
        let (number, firstArgument) = unsafe (request.pointee.data.nr, request.pointee.data.args.0)
        let name = Self.name(of: number)
        let passes = name == "clone" && firstArgument == Self.cloneSibling && mayFork?() == true
        unsafe response.pointee.id = unsafe request.pointee.id
        unsafe response.pointee.val = 0
        unsafe response.pointee.error = passes ? 0 : -EPERM
        unsafe response.pointee.flags = passes ? Self.letPass : 0
        if !passes { note(RefusedCall(name: name, isThread: name == "clone" && firstArgument & Self.cloneThread != 0)) }
        _ = unsafe seccomp_notify_respond(listener.number, response)
        if budget == 0 { pause() }
    }

    private func note(_ call: RefusedCall) {
        budget -= 1
        announced += 1
        if announced <= Self.announcedMax { onCall?(call) }
    }

    private func pause() {
        do {
            try poll?.watch([])
            try timer?.start(after: .seconds(1)) { [weak self] in
                self?.budget = Self.answersPerSecondMax
                try? self?.poll?.watch(.readable)
            }
        } catch {
            close()
        }
    }

    private static func name(of number: Int32) -> String {
        guard let name = unsafe seccomp_syscall_resolve_num_arch(seccomp_arch_native(), number) else {
            return "call \(number)"
        }
        defer { unsafe free(name) }
        return unsafe String(cString: name)
    }
}
