internal import RoostABI

/// The host's side of the ABI for the length of one call.
///
/// Safe: `pointer` is the host's and lives until the call that received it returns; every holder (`Artifact`,
/// `Batch`, `ModelMemory`) is bound to that call by its lifetime.
@safe struct Host {
    let pointer: UnsafePointer<roost_host>?

    func log(_ level: LogLevel, _ text: String) {
        guard let host = unsafe pointer?.pointee, let log = unsafe host.log else { return }
        unsafe withCText(text) { unsafe log(host.context, level.rawValue, $0, $1) }
    }

    /// Hands the error's text to the host; what to return from the C call.
    func fail(_ error: any Error) -> Int32 {
        let status: Int
        switch error {
        case ModelError.invalidInput: status = ROOST_INVALID_INPUT
        case ModelError.notMyFormat: status = ROOST_NOT_MY_FORMAT
        default: status = ROOST_ERROR
        }
        guard let host = unsafe pointer?.pointee, let fail = unsafe host.fail else { return Int32(status) }
        unsafe withCText("\(error)") { unsafe fail(host.context, $0, $1) }
        return Int32(status)
    }

    /// Zeroed, 64-byte aligned, shared by all instances; valid for the life of the process.
    func modelMemory(byteCount: Int) -> UnsafeMutableRawPointer? {
        guard let host = unsafe pointer?.pointee, let take = unsafe host.model_memory else { return nil }
        return unsafe take(host.context, byteCount)
    }
}

/// Lends `text` as the ABI takes texts: UTF-8 and its size.
func withCText(_ text: String, _ body: (UnsafePointer<CChar>?, Int) -> Void) {
    var text = text
    text.withUTF8 { utf8 in
        unsafe utf8.withMemoryRebound(to: CChar.self) { unsafe body($0.baseAddress, $0.count) }
    }
}
