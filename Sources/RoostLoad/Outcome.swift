/// What became of a request.
public enum Outcome: Int, Hashable, Sendable, CaseIterable {
    case ok
    /// A status below 500 that is no success: the request is wrong.
    case clientError
    /// 500, or another status that says that the other side failed.
    case modelError
    /// 429: the queue is full.
    case overload
    /// 503: nothing is ready, or the host's memory is taken.
    case unavailable
    /// 504: the function's time ran out.
    case timeout
    /// No connection came about, it broke before the answer, or what came is no HTTP.
    case connectionError
    /// The caller's patience ended first.
    case noAnswer
    /// Cut off because the run was ended early.
    case interrupted

    /// That of a reply.
    public init(status: Int) {
        switch status {
        case 200..<300: self = .ok
        case 429: self = .overload
        case 503: self = .unavailable
        case 504: self = .timeout
        case ..<500: self = .clientError
        default: self = .modelError
        }
    }

    /// As reports and programs call it.
    public var name: String {
        switch self {
        case .ok: "ok"
        case .clientError: "client_error"
        case .modelError: "model_error"
        case .overload: "overload"
        case .unavailable: "unavailable"
        case .timeout: "timeout"
        case .connectionError: "connection_error"
        case .noAnswer: "no_answer"
        case .interrupted: "interrupted"
        }
    }

    /// Whether something is wrong, and not just busy: what load is meant to find is no failure of the run.
    public var isFailure: Bool {
        switch self {
        case .ok, .overload, .unavailable, .interrupted: false
        case .clientError, .modelError, .timeout, .connectionError, .noAnswer: true
        }
    }
}
