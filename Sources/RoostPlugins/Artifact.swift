internal import Glibc
public import RoostBasics

/// A model's bytes, mapped read-only and shared for the life of the process.
@safe public struct Artifact {
    /// May be opened again while loading. For a model inside a plugin's file, that file.
    let path: String
    /// Never unmapped, so copies of this value may use it freely.
    let start: UnsafeRawPointer?
    public let byteCount: Int

    /// A plugin that carries no model file.
    public init() {
        (path, byteCount) = ("", 0)
        unsafe start = nil
    }

    /// Maps `byteCount` bytes at `offset`, which is a multiple of the page size.
    public init(descriptor: Int32, offset: Int, byteCount: Int) throws(RoostError) {
        path = "/proc/self/fd/\(descriptor)"
        self.byteCount = byteCount
        guard byteCount > 0 else {
            unsafe start = nil
            return
        }
        let mapped = unsafe mmap(nil, byteCount, PROT_READ, MAP_SHARED, descriptor, offset)
        guard let mapped = unsafe mapped, unsafe mapped != MAP_FAILED else {
            throw RoostError(.system, "mapping \(byteCount) bytes of the model failed (error \(errno))")
        }
        unsafe start = UnsafeRawPointer(mapped)
    }
}
