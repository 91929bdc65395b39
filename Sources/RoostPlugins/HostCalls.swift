internal import Glibc
internal import RoostABI

/// What the plugin calls back: log, fail, model memory. One per process, at an address that never changes.
///
/// Belongs to the process's one thread; a plugin that calls from a thread of its own breaks the ABI's rule,
/// which only `log` survives.
@safe final class HostCalls {
    /// Handed to the plugin with every call.
    let raw: UnsafeMutablePointer<roost_host>
    private var failure: String?
    private let memory: ModelMemory
    private var isLoading = true

    init(memory: ModelMemory) {
        self.memory = memory
        unsafe raw = .allocate(capacity: 1)
        unsafe raw.initialize(to: roost_host())
        unsafe raw.pointee.struct_size = UInt32(MemoryLayout<roost_host>.size)
        unsafe raw.pointee.abi_version = ROOST_ABI_VERSION
        // Unretained: the plugin may use it only during calls that this object's owner makes.
        unsafe raw.pointee.context = Unmanaged.passUnretained(self).toOpaque()
        unsafe raw.pointee.log = { _, level, text, size in unsafe HostCalls.log(level, text, size) }
        unsafe raw.pointee.fail = { context, text, size in unsafe HostCalls.of(context)?.fail(text, size) }
        unsafe raw.pointee.model_memory = { context, size in unsafe HostCalls.of(context)?.allocate(size) }
    }

    deinit { unsafe raw.deallocate() }

    /// The text that the plugin gave for the call that just failed, or `otherwise`.
    func takeFailure(otherwise: String) -> String {
        defer { failure = nil }
        return failure ?? otherwise
    }

    func loadingEnded() { isLoading = false }

    private static func of(_ context: UnsafeMutableRawPointer?) -> HostCalls? {
        guard let context = unsafe context else { return nil }
        return unsafe Unmanaged<HostCalls>.fromOpaque(context).takeUnretainedValue()
    }

    private func fail(_ text: UnsafePointer<CChar>?, _ size: Int) { failure = unsafe HostText.copy(text, size) }

    private func allocate(_ size: Int) -> UnsafeMutableRawPointer? {
        isLoading ? unsafe memory.allocate(size) : nil
    }

    /// One line, one write, so that lines of several instances do not mix.
    private static func log(_ level: Int32, _ text: UnsafePointer<CChar>?, _ size: Int) {
        let names = ["debug", "info", "warning", "error"]
        let name = names.indices.contains(Int(level)) ? names[Int(level)] : "info"
        let line = Array("\(name): \(unsafe HostText.copy(text, size))\n".utf8)
        unsafe line.withUnsafeBytes { bytes in _ = unsafe write(2, bytes.baseAddress, bytes.count) }
    }
}

/// Texts that plugins hand over by address and size.
enum HostText {
    /// More than this of one text is cut off.
    static let bytesMax = 8192

    static func copy(_ text: UnsafePointer<CChar>?, _ size: Int) -> String {
        guard let text = unsafe text, size > 0 else { return "" }
        let bytes = unsafe UnsafeRawBufferPointer(start: text, count: min(size, bytesMax))
        return unsafe String(decoding: bytes, as: UTF8.self)
    }
}
