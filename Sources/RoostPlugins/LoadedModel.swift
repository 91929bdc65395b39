internal import RoostABI
public import RoostBasics
public import RoostTensors

/// A plugin with its model loaded: typed calls over its table. Survives fork; belongs to the process's one thread.
@safe public final class LoadedModel {
    let library: PluginLibrary
    let host: HostCalls
    /// The plugin's own, handed to every call.
    let model: UnsafeMutableRawPointer?
    public let signature: Signature
    let call: PredictCall

    /// Loads and reads the signature. Throws `unsupported` when the file is none of this runtime's formats,
    /// `pluginFailed` with the plugin's own words otherwise.
    /// - Parameter columns: what the card says of the input's columns; empty when it says nothing.
    public init(
        _ library: PluginLibrary, artifact: Artifact, columns: [Column] = [], memory: ModelMemory
    ) throws(RoostError) {
        self.library = library
        let host = HostCalls(memory: memory)
        self.host = host
        let model = try unsafe Self.load(library, artifact, host)
        unsafe self.model = model
        host.loadingEnded()
        try memory.seal()
        let signature =
            library.canPredict
            ? try unsafe SignatureReader.read(library, model: model, host: host) : Signature(inputs: [], outputs: [])
        self.signature = try signature.described(by: columns)
        call = PredictCall(signature)
    }

    private static func load(
        _ library: PluginLibrary, _ artifact: Artifact, _ host: HostCalls
    ) throws(RoostError) -> UnsafeMutableRawPointer? {
        guard let load = unsafe library.table.load else { throw RoostError(.pluginFailed, "has no load") }
        var arguments = unsafe roost_load_args()
        unsafe arguments.struct_size = UInt32(MemoryLayout<roost_load_args>.size)
        unsafe arguments.host = UnsafePointer(host.raw)
        unsafe arguments.data = artifact.start
        unsafe arguments.size = artifact.byteCount
        let status: Int32 = unsafe artifact.path.withCString { path in
            if artifact.byteCount > 0 { unsafe arguments.path = path }
            return unsafe load(&arguments)
        }
        switch status {
        case Int32(ROOST_OK): return unsafe arguments.model
        case Int32(ROOST_NOT_MY_FORMAT):
            throw RoostError(
                .unsupported, host.takeFailure(otherwise: "\(library.name) does not read files of this format"))
        default:
            throw RoostError(
                .pluginFailed, host.takeFailure(otherwise: "load returned \(status) without saying why"))
        }
    }

    public var canInvoke: Bool { library.canInvoke }
    public var canPredict: Bool { library.canPredict }

    /// Lets the plugin pay its first-use costs, in the template.
    public func warmUp() throws(RoostError) {
        guard let warmUp = unsafe library.table.warm_up else { return }
        try check(unsafe warmUp(model, UnsafePointer(host.raw)), "warm_up")
    }

    /// Lets the plugin reseed, in every instance before its first predict.
    public func afterFork() throws(RoostError) {
        guard let afterFork = unsafe library.table.after_fork else { return }
        try check(unsafe afterFork(model, UnsafePointer(host.raw)), "after_fork")
    }

    /// The end of an instance that ends in order.
    public func unload() {
        guard let unload = unsafe library.table.unload else { return }
        unsafe unload(model)
    }

    private func check(_ status: Int32, _ name: String) throws(RoostError) {
        guard status != Int32(ROOST_OK) else { return }
        throw RoostError(.pluginFailed, host.takeFailure(otherwise: "\(name) returned \(status) without saying why"))
    }

    /// What a status of predict or invoke means for the caller.
    func failure(_ status: Int32, of name: String, because reason: String?) -> RoostError {
        let given = host.takeFailure(otherwise: reason ?? "\(name) returned \(status) without saying why")
        return RoostError(status == Int32(ROOST_INVALID_INPUT) ? .invalidArgument : .pluginFailed, given)
    }
}
