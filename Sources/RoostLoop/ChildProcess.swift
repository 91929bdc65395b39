internal import CLibuv
internal import Glibc

/// A program started beside the host; its end is reported on the loop.
public final class ChildProcess: Handle {
    /// What stands at one descriptor number of the child.
    public enum Descriptor: Sendable {
        /// `/dev/null`.
        case null
        /// A copy of this descriptor of ours.
        case copy(of: Int32)
    }

    /// How the child ended: its exit code, and the signal that killed it or 0.
    public struct Exit: Hashable, Sendable {
        public let code: Int64
        public let signal: Int32
    }

    private var onExit: ((Exit) -> Void)?
    /// The child's process id.
    public private(set) var pid: Int32 = 0

    /// Starts `path` with `arguments` (the first is its own name).
    ///
    /// - `environment`: `NAME=value` lines; nil hands on ours.
    /// - `descriptors`: what the child finds at 0, 1, 2, …; others reach it only when they lack
    ///   close-on-exec.
    /// - `detached`: the child leads a session of its own and hears no signals of our terminal.
    public init(
        _ path: String, arguments: [String], environment: [String]? = nil,
        descriptors: [Descriptor] = [.null, .copy(of: 1), .copy(of: 2)], detached: Bool = false,
        on loop: Loop, onExit: @escaping (Exit) -> Void
    ) throws(UVError) {
        self.onExit = onExit
        // uv_spawn itself initialises the handle; libuv wants it closed even when it fails.
        var spawned: Int32 = 0
        try unsafe super.init(UV_PROCESS, on: loop) { storage in
            let arguments = unsafe CStrings(arguments)
            let environment = unsafe environment.map { unsafe CStrings($0) }
            defer {
                unsafe arguments.release()
                unsafe environment?.release()
            }
            var stdio = unsafe descriptors.map { unsafe $0.container }
            let count = unsafe Int32(stdio.count)
            spawned = unsafe stdio.withUnsafeMutableBufferPointer { stdio in
                unsafe path.withCString { file in
                    var options = unsafe uv_process_options_t()
                    unsafe options.file = file
                    unsafe options.args = arguments.pointers
                    unsafe options.env = environment?.pointers
                    unsafe options.flags = detached ? UV_PROCESS_DETACHED.rawValue : 0
                    unsafe options.stdio = stdio.baseAddress
                    unsafe options.stdio_count = count
                    unsafe options.exit_cb = { raw, code, signal in
                        let child = unsafe Handle.behind(raw)?.takeUnretainedValue() as? ChildProcess
                        child?.ended(Exit(code: code, signal: signal))
                    }
                    return unsafe uv_spawn(loop.raw, storage.assumingMemoryBound(to: uv_process_t.self), &options)
                }
            }
            return 0
        }
        if spawned < 0 {
            close()
            throw UVError(code: spawned, operation: "start \(path)")
        }
        pid = try unsafe live(uv_process_t.self).pointee.pid
    }

    /// Sends a signal; an error when the child has ended.
    public func kill(_ signal: Int32) throws(UVError) {
        try UVError.check(unsafe uv_process_kill(live(uv_process_t.self), signal), "uv_process_kill \(pid)")
    }

    private func ended(_ exit: Exit) {
        let report = onExit
        close()
        report?(exit)
    }

    override func closed() { onExit = nil }
}

extension ChildProcess.Descriptor {
    fileprivate var container: uv_stdio_container_t {
        var container = unsafe uv_stdio_container_t()
        switch self {
        case .null:
            unsafe container.flags = UV_IGNORE
        case .copy(let descriptor):
            unsafe container.flags = UV_INHERIT_FD
            unsafe container.data.fd = descriptor
        }
        return unsafe container
    }
}

/// A NULL-terminated array of C strings. Whoever makes one releases it, after the last use of `pointers`.
@unsafe private struct CStrings {
    let pointers: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>
    private let count: Int

    init(_ strings: [String]) {
        unsafe count = strings.count
        unsafe pointers = .allocate(capacity: strings.count + 1)
        for (index, string) in strings.enumerated() { unsafe (pointers[index] = strdup(string)) }
        unsafe pointers[strings.count] = nil
    }

    func release() {
        for index in unsafe 0..<count { unsafe free(pointers[index]) }
        unsafe pointers.deallocate()
    }
}
