internal import Glibc
internal import RoostABI
public import RoostBasics

/// A plugin's shared object and its table of calls, checked once here so that no other code tests for missing ones.
///
/// Never closed: unloading is the end of the process.
@safe public final class PluginLibrary {
    private typealias Entry = @convention(c) () -> UnsafePointer<roost_plugin>?

    /// Calls that the plugin never heard of are nil.
    let table: roost_plugin
    /// Of the plugin or runtime, for people.
    public let name: String
    public let version: String
    public let canInvoke: Bool
    public let canPredict: Bool

    /// Opens the file behind `descriptor` and runs its initialisers.
    /// Throws `pluginFailed` with the remedy when it is not a plugin that this build can call.
    public init(descriptor: Int32) throws(RoostError) {
        let path = "/proc/self/fd/\(descriptor)"
        guard let handle = unsafe dlopen(path, RTLD_NOW | RTLD_LOCAL) else {
            let reason = unsafe dlerror().map { unsafe String(cString: $0) } ?? "unknown"
            throw RoostError(.pluginFailed, Self.remedy(for: reason.removing(prefix: path + ": ")))
        }
        guard let symbol = unsafe dlsym(handle, "roost_plugin_entry") else {
            throw RoostError(
                .pluginFailed,
                "exports no roost_plugin_entry: a plugin defines it as roost_plugin.h declares it, with default visibility"
            )
        }
        guard let found = unsafe unsafeBitCast(symbol, to: Entry.self)() else {
            throw RoostError(.pluginFailed, "roost_plugin_entry returned NULL: it must return the plugin's table")
        }
        unsafe table = try Self.copy(found)
        (canPredict, canInvoke) = unsafe (table.predict != nil, table.invoke != nil)
        name = unsafe Self.text(table.name) ?? "plugin"
        version = unsafe Self.text(table.version) ?? ""
        try checkCalls()
    }

    /// As many bytes as both sides know; the rest stays zero.
    private static func copy(_ found: UnsafePointer<roost_plugin>) throws(RoostError) -> roost_plugin {
        let (abi, size) = unsafe (found.pointee.abi_version, Int(found.pointee.struct_size))
        guard abi == ROOST_ABI_VERSION else {
            throw RoostError(
                .pluginFailed,
                "built for plugin ABI \(abi), this host speaks \(ROOST_ABI_VERSION): rebuild it with this host's roost_plugin.h"
            )
        }
        guard let optional = unsafe MemoryLayout<roost_plugin>.offset(of: \.after_fork), size >= optional else {
            throw RoostError(
                .pluginFailed,
                "its table has \(size) bytes, too few for the calls that every plugin has: set struct_size to sizeof(roost_plugin)"
            )
        }
        var table = unsafe roost_plugin()
        unsafe withUnsafeMutableBytes(of: &table) { copy in
            let known = min(size, copy.count)
            unsafe copy.copyMemory(from: UnsafeRawBufferPointer(start: found, count: known))
        }
        return unsafe table
    }

    private func checkCalls() throws(RoostError) {
        let missing: String? =
            if unsafe table.load == nil {
                "load"
            } else if unsafe table.signature == nil {
                "signature"
            } else if !canPredict && !canInvoke {
                "predict (or invoke)"
            } else {
                nil
            }
        if let missing {
            throw RoostError(.pluginFailed, "its table has NULL for \(missing), which every plugin must provide")
        }
    }

    private static func text(_ pointer: UnsafePointer<CChar>?) -> String? {
        unsafe pointer.map { unsafe String(cString: $0) }
    }

    private static func remedy(for reason: String) -> String {
        if reason.says("cannot open shared object file") {
            return "cannot be opened: \(reason): link that library statically, or install it on this machine"
        }
        if reason.says("undefined symbol") {
            return "cannot be opened: \(reason): link the library that defines it into the plugin"
        }
        if reason.says("invalid ELF header") || reason.says("file too short") {
            return "cannot be opened: \(reason): it is not a whole shared object"
        }
        return "cannot be opened: \(reason)"
    }
}

extension String {
    /// The library's own search would bring two more libraries into every fork.
    fileprivate func says(_ words: String) -> Bool { unsafe strstr(self, words) != nil }

    fileprivate func removing(prefix: String) -> String {
        starts(with: prefix) ? String(dropFirst(prefix.count)) : self
    }
}
