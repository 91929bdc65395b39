internal import RoostBasics
internal import RoostJSON

/// Errors as every endpoint words them: `{"error": "…"}` and the status that goes with it.
enum ErrorReply {
    static func body(_ message: String) -> [UInt8] {
        let document: JSONValue = ["error": .string(message)]
        return Array(document.compact.utf8)
    }

    /// The one table from what went wrong to an HTTP status.
    static func status(_ code: RoostError.Code) -> Int {
        switch code {
        case .invalidArgument: 400
        case .forbidden: 403
        case .notFound: 404
        case .conflict: 409
        case .tooLarge: 413
        case .unsupported: 415
        case .overloaded: 429
        case .pluginFailed, .system: 500
        case .unavailable: 503
        case .deadline: 504
        }
    }
}
