internal import RoostBasics
internal import RoostChannel
internal import RoostFunctions
internal import RoostHTTP
internal import RoostJSON

/// Takes every complete request: inference to a version's pool, everything else to the management calls.
final class Dispatcher: RequestHandler {
    unowned let host: Host
    // Of the host; on the hot path they are read without going through it.
    private let deploying: Deploying
    private let serving: Serving

    init(_ host: Host) {
        self.host = host
        deploying = host.deploying
        serving = host.serving
    }

    func handle(_ head: borrowing RequestHead, body: RawSpan, id: RequestID, on server: HTTPServer) {
        if head.method == .post, !head.has(.roostVersion), let (operation, name) = InferencePath.plain(head.path),
            let to = deploying.routes.find(head.path.extracting(name))?.next(head)
        {
            return infer(operation, to, head, body, id)
        }
        do throws(RoostError) {
            try handleOther(head, body, id)
        } catch {
            refuse(id, error)
        }
    }

    func clientGone(_ id: RequestID) { serving.clientGone(id) }

    private func infer(
        _ operation: Operation, _ addressee: Addressee, _ head: borrowing RequestHead, _ body: RawSpan,
        _ id: RequestID
    ) {
        do throws(RoostError) {
            let request = try InferenceRequest(operation, head)
            let type = request.contentType == .other ? head.value(.contentType) : RawSpan()
            serving.submit(id, request, contentTypeText: type, body: body, to: addressee)
        } catch {
            refuse(id, error)
        }
    }

    // MARK: what is not on the hot path

    private func handleOther(_ head: borrowing RequestHead, _ body: RawSpan, _ id: RequestID) throws(RoostError) {
        let path = head.path.text
        guard let endpoint = Endpoint(path: path)?.called(by: head.method) else {
            throw RoostError(.notFound, "there is nothing at \(path): GET / lists what there is")
        }
        guard head.method.fits(endpoint.method) else {
            return refuse(
                id, RoostError(.invalidArgument, "\(path) takes \(endpoint.method)"), status: 405,
                fields: "Allow: \(endpoint.allowed)\r\n")
        }
        guard host.access.isAuthorized(endpoint, head) else {
            let what = "management over TCP needs the host's token: Authorization: Bearer TOKEN, or --token-file FILE"
            return refuse(
                id, RoostError(.forbidden, what), status: 401, fields: "WWW-Authenticate: Bearer realm=\"roost\"\r\n")
        }
        try host.access.check(endpoint, head)
        switch endpoint {
        case .infer(let target):
            infer(.infer, try addressee(target, head), head, body, id)
        case .predict(let target):
            infer(.predict, try addressee(target, head), head, body, id)
        default:
            // A name may end like the path of an inference request.
            guard !head.has(.contentEncoding) || head.contentCoding == .identity else {
                throw RoostError(.unsupported, "Content-Encoding is not supported here: send the body as it is")
            }
            try host.management.answer(endpoint, head, body, id)
        }
    }

    /// The version that answers: the one that path or header names, else by the function's traffic.
    private func addressee(
        _ target: Endpoint.Target, _ head: borrowing RequestHead
    ) throws(RoostError) -> Addressee {
        let header = head.has(.roostVersion) ? head.value(.roostVersion).text : nil
        if let header, let version = target.version, header != version,
            try host.find(target.function, version: header) !== host.find(target.function, version: version)
        {
            throw RoostError(
                .invalidArgument, "the path asks for version \(version), the header Roost-Version for \(header)")
        }
        if let version = target.version ?? header {
            return Addressee(service: try host.find(target.function, version: version), route: nil, slot: nil)
        }
        if let name = FunctionName(target.function), let next = deploying.routes[name]?.next(head) { return next }
        throw try host.whyNothingServes(target.function)
    }

    func refuse(_ id: RequestID, _ error: RoostError, status: Int? = nil, fields: String = "") {
        let fields = error.code == .unavailable && fields.isEmpty ? "Retry-After: 1\r\n" : fields
        host.server.reply(
            to: id, status: status ?? ErrorReply.status(error.code), type: .json, fields: Array(fields.utf8).bytes,
            body: ErrorReply.body(error.message).bytes)
    }
}

extension HTTPMethod {
    /// Whether an endpoint of this method may be called so; HEAD goes wherever GET goes.
    fileprivate func fits(_ method: String) -> Bool {
        switch (self, method) {
        case (.get, "GET"), (.head, "GET"), (.post, "POST"), (.put, "PUT"), (.delete, "DELETE"): true
        default: false
        }
    }
}
