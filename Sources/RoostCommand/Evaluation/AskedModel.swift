internal import RoostBasics
internal import RoostClient
internal import RoostEvaluation
internal import RoostFunctions
internal import RoostJSON
internal import RoostTensors

/// A model that rows are put to: a version of a running host, or a file.
struct AskedModel {
    /// As reports call it: `credit@3`, or the file's path.
    let name: String
    let signature: Signature
    /// As its card says; nil: as its outputs show.
    let task: TaskDescription?
    /// Of its file.
    let byteCount: Int?
    private let call: Call
    private let place: Place

    private enum Place {
        case host(path: String)
        case file(any OpenModel)
    }

    /// - Throws: when there is no such version, or the file cannot be loaded.
    init(_ call: Call, _ text: String) throws {
        switch try call.target(text) {
        case .file(let path):
            self.call = call
            let model = try call.host.open(file: path, home: call.value(of: .home))
            (name, signature, task, byteCount) = (text, model.signature, model.task, model.byteCount)
            place = .file(model)
        case .function(let function):
            self = try Self(call, hosted: function, try Self.leading(call, function))
        case .version(let id):
            self = try Self(call, hosted: id.function, id.number)
        case .tag(let function, let tag):
            self = try Self(call, hosted: function, try Self.tagged(call, function, tag))
        }
    }

    private init(_ call: Call, hosted function: FunctionName, _ number: VersionNumber) throws {
        self.call = call
        let path = "/v2/models/\(function)/versions/\(number)"
        let reply = try call.ask(ClientRequest("GET", path))
        do {
            let document = try JSONDocument(parsing: reply.body, source: "the host's answer")
            signature = try Signature(document.root)
            task = try document.root["card"].map { cursor throws(JSONError) in
                try Card(try JSONDocument(parsing: cursor.value.compact, source: "card"))
            }?.task
            byteCount = document.value["size"]?.intValue
        } catch {
            throw Failure("\(error)")
        }
        name = "\(function)@\(number)"
        place = .host(path: "/functions/\(function)/versions/\(number)/predict")
    }

    /// The version with the highest share: one version is evaluated, not a mixture.
    private static func leading(_ call: Call, _ function: FunctionName) throws -> VersionNumber {
        let view = FunctionView(json: try call.ask(ClientRequest("GET", "/functions/\(function)")).json())
        let serving = view.versions.compactMap(\.number).filter { view.share(of: $0) > 0 }
        guard let leading = serving.max(by: { (view.share(of: $0), $0) < (view.share(of: $1), $1) }) else {
            throw Failure("\(function) has no version with traffic: name one, like \(function)@1")
        }
        return leading
    }

    /// One version too, whatever the tag stands for later.
    private static func tagged(_ call: Call, _ function: FunctionName, _ tag: VersionTag) throws -> VersionNumber {
        let tags = try call.ask(ClientRequest("GET", "/functions/\(function)")).json()["tags"]
        guard let number = tags?[tag.text]?.stringValue.flatMap({ VersionNumber($0) }) else {
            let known = tags?.objectValue?.keys.joined(separator: ", ") ?? ""
            throw Failure("\(function) has no tag \"\(tag)\"" + (known.isEmpty ? "" : " (there is \(known))"))
        }
        return number
    }

    /// Answers rows, given as CSV or JSON.
    /// - Throws: `Refusal` with the model's or host's words when they are refused.
    func predict(_ body: [UInt8], contentType: String = "text/csv") throws -> [UInt8] {
        let reply: ClientReply
        switch place {
        case .host(let path):
            reply = try call.send(
                ClientRequest("POST", path, headers: [HeaderField("Content-Type", contentType)], body: body),
                patience: nil)
        case .file(let model):
            let answer = try model.ask(body, contentType: contentType, accept: nil)
            reply = ClientReply(status: answer.status, fields: [], body: answer.body)
        }
        guard reply.isSuccess else { throw Refusal(reply.refusal) }
        return reply.body
    }

    /// Ends what was started for it.
    func close() { if case .file(let model) = place { model.close() } }
}

/// A model refused rows, in its words.
struct Refusal: Error, Hashable, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
