internal import RoostABI
// Plugin authors write signatures in these words: one import is enough for them.
@_exported public import RoostTensors

/// What the host reads from the plugin's file without running it: section `.roost.abi` (roost_plugin.h).
public typealias PluginRecord = (magic: UInt64, abiVersion: UInt32, recordSize: UInt32, flags: UInt64)

// "ROOSTABI", ABI 1, 24 bytes, ROOST_FORK_SAFE. In one file with `export`, so that whoever exports a model links it.
// A plugin whose model starts threads says so by a second record with flags 2 (ROOST_NEEDS_THREADS):
//     @section(".roost.abi") @used let needsThreads: PluginRecord = (0x4942_4154_534F_4F52, 1, 24, 2)
@section(".roost.abi") @used
private let record: PluginRecord = (0x4942_4154_534F_4F52, 1, 24, 1)

/// Makes `model` the plugin that this shared object is. Call it from the one exported function, once:
///
/// ```swift
/// @c(roost_plugin_entry) public func entry() -> UnsafeRawPointer { export(MyModel.self, name: "mine") }
/// ```
///
/// - Parameters:
///   - name: Of the plugin or runtime.
///   - version: Of its code, for people.
/// - Returns: The plugin's table, constant, for the host.
@safe public func export<Exported: Model>(
    _ model: Exported.Type, name: StaticString, version: StaticString = "1"
) -> UnsafeRawPointer {
    precondition(name.hasPointerRepresentation && version.hasPointerRepresentation, "names are string literals")
    unsafe exported = model
    let table = UnsafeMutablePointer<roost_plugin>.allocate(capacity: 1)
    unsafe table.initialize(to: roost_plugin())
    unsafe table.pointee.abi_version = ROOST_ABI_VERSION
    unsafe table.pointee.struct_size = UInt32(MemoryLayout<roost_plugin>.size)
    unsafe table.pointee.name = cText(name)
    unsafe table.pointee.version = cText(version)
    unsafe table.pointee.formats = Exported.formats.flatMap { unsafe immortal.cString($0) }
    unsafe table.pointee.load = { unsafe load($0) }
    unsafe table.pointee.signature = { unsafe signature($0) }
    unsafe table.pointee.predict = { unsafe predict($0) }
    unsafe table.pointee.after_fork = { model, host in
        unsafe run(model, host) { loaded throws in try loaded.model.afterFork() }
    }
    unsafe table.pointee.warm_up = { model, host in
        unsafe run(model, host) { loaded throws in try loaded.model.warmUp() }
    }
    unsafe table.pointee.unload = { model in
        guard let model = unsafe model else { return }
        unsafe Unmanaged<LoadedModel>.fromOpaque(model).release()
    }
    return UnsafeRawPointer(table)
}

// Safe: written by the first call into the plugin, before any other; the ABI promises one thread, one call at a time.
nonisolated(unsafe) private var exported: (any Model.Type)?
nonisolated(unsafe) private let immortal = Arena()

private func cText(_ text: StaticString) -> UnsafePointer<CChar> {
    unsafe UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
}

private func load(_ arguments: UnsafeMutablePointer<roost_load_args>?) -> Int32 {
    guard let arguments = unsafe arguments else { return Int32(ROOST_ERROR) }
    let host = unsafe Host(pointer: arguments.pointee.host)
    do {
        guard let type = unsafe exported else { throw ModelError.failed("the plugin exports no model") }
        let artifact = unsafe Artifact(arguments)
        let loaded = LoadedModel(try type.init(loading: artifact))
        unsafe arguments.pointee.model = Unmanaged.passRetained(loaded).toOpaque()
        return Int32(ROOST_OK)
    } catch { return host.fail(error) }
}

private func signature(_ arguments: UnsafeMutablePointer<roost_signature_args>?) -> Int32 {
    guard let arguments = unsafe arguments else { return Int32(ROOST_ERROR) }
    return unsafe run(arguments.pointee.model, arguments.pointee.host) { loaded throws in
        unsafe loaded.signature.write(to: arguments)
    }
}

private func predict(_ arguments: UnsafePointer<roost_predict_args>?) -> Int32 {
    guard let arguments = unsafe arguments else { return Int32(ROOST_ERROR) }
    return unsafe run(arguments.pointee.model, arguments.pointee.host) { loaded throws in
        loaded.beginCall()
        let batch = unsafe Batch(arguments)
        var outputs = unsafe Outputs(arguments, of: loaded)
        try loaded.model.predict(batch, &outputs)
    }
}

private func run(
    _ model: UnsafeMutableRawPointer?, _ host: UnsafePointer<roost_host>?, _ body: (LoadedModel) throws -> Void
) -> Int32 {
    do {
        try body(unsafe LoadedModel.behind(model))
        return Int32(ROOST_OK)
    } catch { return unsafe Host(pointer: host).fail(error) }
}
