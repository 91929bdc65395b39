internal import RoostBasics
internal import RoostHTTP

/// Who may call what: rules about where a call comes from.
struct Access {
    /// Host names and addresses that this host is reached under, in lower case, without port.
    let names: Set<String>
    /// Whether the TCP port listens on loopback only.
    let isLoopback: Bool
    /// What calls over TCP that are not for everybody have to show; nil: nothing.
    let token: BearerToken?

    init(listen host: String, named hosts: [String], token: BearerToken? = nil) {
        self.token = token
        isLoopback = host == "localhost" || host == "::1" || host == "[::1]" || host.hasPrefix("127.")
        names = Set((["localhost", "127.0.0.1", "::1", host] + hosts).map { $0.lowercased() })
    }

    /// Whether the caller may ask for this at all: everything is for who can open the host's socket file, and what is
    /// not for everybody is for who has the token, if there is one.
    func isAuthorized(_ endpoint: Endpoint, _ head: borrowing RequestHead) -> Bool {
        guard let token, !endpoint.isPublic, !head.isLocal else { return true }
        return token.isShown(by: head)
    }

    /// What else stands against it.
    /// - Throws: `forbidden`, `notFound` or `unsupported`.
    func check(_ endpoint: Endpoint, _ head: borrowing RequestHead) throws(RoostError) {
        if !isLoopback, !head.isLocal, !endpoint.isPublic, token == nil {
            throw RoostError(
                .forbidden,
                "management is not served beyond loopback without --token-file: use the CLI on the host's machine")
        }
        guard endpoint.changesState else { return }
        try checkBrowser(head, hasToken: token != nil && !endpoint.isPublic)
        try checkContentType(endpoint, head)
    }

    /// Against pages that make a visitor's browser call this host (cross-site requests, DNS rebinding). A page that has
    /// rebound a name does not have the token: who shows it may call the host by any name.
    private func checkBrowser(_ head: borrowing RequestHead, hasToken: Bool) throws(RoostError) {
        if head.value(.secFetchSite, is: "cross-site") {
            throw RoostError(.forbidden, "a page of another site may not do this")
        }
        let host = Self.name(of: head.value(.host).text)
        if !head.isLocal, !hasToken, !names.contains(host) {
            throw RoostError(.forbidden, "the Host \"\(host)\" is not this host's: name it with --host \(host)")
        }
        guard head.has(.origin) else { return }
        let origin = head.value(.origin).text
        guard let separator = origin.firstRange(of: "://"),
            names.contains(Self.name(of: String(origin[separator.upperBound...])))
        else { throw RoostError(.forbidden, "the Origin \"\(origin)\" may not do this") }
    }

    /// A form cannot send these types without asking first, so a browser's silent POST never gets here.
    private func checkContentType(_ endpoint: Endpoint, _ head: borrowing RequestHead) throws(RoostError) {
        let type = head.value(.contentType).text.prefix { $0 != ";" && $0 != " " }.lowercased()
        let wanted = endpoint.mediaTypes
        // Data of an event may be of any type; its attributes in headers are what no form can send.
        if endpoint == .events, head.text(of: "ce-specversion") != nil { return }
        // Clients of model repositories name none, and send JSON. A browser could leave it out too, but not its origin.
        if endpoint.mayLackMediaType, !head.has(.contentType), !head.has(.origin), !head.has(.secFetchSite) { return }
        guard wanted.contains(type) else {
            let names = wanted.joined(separator: " or ")
            throw RoostError(.unsupported, "expected Content-Type: \(names), got \(type.isEmpty ? "none" : type)")
        }
    }

    /// Without the port, in lower case.
    private static func name(of authority: String) -> String {
        if authority.hasPrefix("["), let end = authority.firstIndex(of: "]") {
            return authority[authority.index(after: authority.startIndex)..<end].lowercased()
        }
        return authority.prefix { $0 != ":" }.lowercased()
    }
}

extension Endpoint {
    fileprivate var mayLackMediaType: Bool {
        switch self {
        case .loadFunction, .unloadFunction: true
        default: false
        }
    }

    /// What a call that changes something may send.
    fileprivate var mediaTypes: [String] {
        switch self {
        case .upload: ["application/octet-stream"]
        case .feedback: ["application/json", "application/jsonl", "application/x-ndjson", "text/csv"]
        case .submitAsync: ["application/json", "text/csv", "application/octet-stream"]
        case .events: ["application/cloudevents+json", "application/cloudevents-batch+json"]
        default: ["application/json"]
        }
    }
}
