import Foundation
import Glibc
import RoostBasics
import RoostJSON
import RoostShell
import RoostTensors
import Synchronization

@testable import RoostCommand
import RoostDelivery
import RoostEvaluation

/// A world for one command: remembers what it says.
final class Stage: Surroundings {
    private struct Said {
        var output = ""
        var error = ""
    }
    private let said = Mutex(Said())
    private let input: String
    private let variables: [String: String]

    init(input: String = "", variables: [String: String] = [:]) {
        self.input = input
        self.variables = variables
    }

    var output: String { said.withLock { $0.output } }
    var error: String { said.withLock { $0.error } }

    func write(_ bytes: [UInt8], to stream: StandardStream) throws(RoostError) {
        said.withLock { said in
            let text = String(decoding: bytes, as: UTF8.self)
            if stream == .output { said.output += text } else { said.error += text }
        }
    }
    func readInput() throws(RoostError) -> [UInt8] { Array(input.utf8) }
    func isTerminal(_ stream: StandardStream) -> Bool { stream == .input && input.isEmpty }
    func variable(_ name: String) -> String? { variables[name] }
}

/// Takes down what it is asked to do.
final class FakeHost: HostWithin {
    private let last = Mutex<ServeSettings?>(nil)
    private let runtimePath: String

    /// What it was last told to serve.
    var served: ServeSettings? { last.withLock { $0 } }

    init(runtimePath: String = "") { self.runtimePath = runtimePath }

    func serve(_ settings: ServeSettings) -> Int32 {
        last.withLock { $0 = settings }
        return 0
    }

    func verify(file: String, examples: String?, home: String?) throws(RoostError) -> FileReport {
        guard file != "bad.so" else { throw RoostError(.invalidArgument, "bad.so: not a plugin") }
        return FileReport(lines: ["\(file) fits", "2 examples"], json: ["file": .string(file), "examples": 2])
    }

    func predict(
        file: String, body: [UInt8], contentType: String, accept: String?, home: String?
    ) throws(RoostError) -> (status: Int, body: [UInt8]) {
        body.isEmpty
            ? (400, Array(#"{"error": "no rows"}"#.utf8)) : (200, Array("\(file) \(contentType) \(body.count)".utf8))
    }

    func open(file: String, home: String?) throws(RoostError) -> any OpenModel {
        guard file != "bad.so" else { throw RoostError(.invalidArgument, "bad.so: not a plugin") }
        return FakeModel()
    }

    /// Says that it has scored two rows, of which one is bad.
    func score(
        file: String, _ spec: JobSpec, home: String?, onProgress: @escaping (JSONValue) -> Void
    ) throws(RoostError) -> JSONValue {
        guard file != "bad.so" else { throw RoostError(.invalidArgument, "bad.so: not a plugin") }
        onProgress(["state": "running", "rows": 1])
        return [
            "id": "local", "function": "credit", "version": "3", "state": "done", "rows": 2, "bad_rows": 1,
            "output": .string(spec.outputPath),
        ]
    }

    func runtime(_ name: String?, for model: String, home: String?) throws(RoostError) -> String { runtimePath }
}

/// Answers each row of CSV with its first cell: as a score, and as a label from 0.5 on.
final class FakeModel: OpenModel {
    let signature = Signature(
        inputs: [TensorSpec(name: "features", dtype: .float32, shape: [-1, 1])],
        outputs: [
            TensorSpec(name: "predictions", dtype: .float32, shape: [-1]),
            TensorSpec(name: "label", dtype: .int64, shape: [-1]),
        ], columns: [Column(name: "score")])
    let task: TaskDescription? = nil
    let byteCount = 2048

    func ask(
        _ body: [UInt8], contentType: String, accept: String?
    ) throws(RoostError) -> (status: Int, body: [UInt8]) {
        let rows = String(decoding: body, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        let cells = rows.dropFirst().dropLast().map { Double($0) }
        guard !cells.contains(nil) else { return (400, Array(#"{"error": "row 1: score is missing"}"#.utf8)) }
        let scores = cells.compactMap { $0 }
        let answer: JSONValue = [
            "predictions": .array(scores.map { .real($0) }),
            "label": .array(scores.map { .integer($0 >= 0.5 ? 1 : 0) }),
        ]
        return (200, Array(answer.compact.utf8))
    }

    func close() {}
}

/// Runs `roost` with these arguments on a stage of its own; its exit code and what it said.
func roost(
    _ arguments: [String], input: String = "", variables: [String: String] = [:], host: FakeHost = FakeHost()
) -> (code: Int32, output: String, error: String) {
    let stage = Stage(input: input, variables: variables)
    let code = Roost(surroundings: stage, host: host).run(arguments)
    return (code, stage.output, stage.error)
}

/// A folder that looks like a home, gone with its owner.
final class HomeFolder {
    let path = FileManager.default.temporaryDirectory.appending(path: "roost-\(UUID().uuidString.prefix(8))").path

    init() throws {
        for folder in ["plugins", "state"] {
            try FileManager.default.createDirectory(atPath: "\(path)/\(folder)", withIntermediateDirectories: true)
        }
    }
    deinit { try? FileManager.default.removeItem(atPath: path) }

    @discardableResult
    func write(_ text: String, to name: String) throws -> String {
        try Data(text.utf8).write(to: URL(filePath: "\(path)/\(name)"))
        return "\(path)/\(name)"
    }
    func read(_ name: String) throws -> String { try String(contentsOfFile: "\(path)/\(name)", encoding: .utf8) }
    func files(in folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "\(path)/\(folder)").sorted()
    }
}

/// A host of words: answers each request at a home's socket by a function, one connection after the other.
final class ScriptedHost: Sendable {
    struct Request: Sendable {
        let line: String
        let head: String
        let body: String
    }
    struct Answer: Sendable {
        var status = 200
        var body: String
        var head = ""
    }
    private let listener: Int32
    private let heard = Mutex<[Request]>([])

    var requests: [Request] { heard.withLock { $0 } }

    /// `answer` gets the request line without ` HTTP/1.1`, and how often it was asked the same before.
    init(home: HomeFolder, answer: @escaping @Sendable (String, Int) -> Answer) throws {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { room in
            unsafe room.copyBytes(from: Array("\(home.path)/state/roost.sock".utf8))
        }
        let made = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        let bound = unsafe withUnsafePointer(to: &address) { address in
            unsafe address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe bind(made, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard bound == 0, listen(made, 8) == 0 else { throw CocoaError(.fileWriteUnknown) }
        listener = made
        Thread.detachNewThread { [weak self] in
            while case let peer = accept(made, nil, nil), peer >= 0 {
                guard let request = Self.read(peer) else {
                    close(peer)
                    continue
                }
                let earlier = self?.heard.withLock { heard in
                    heard.append(request)
                    return heard.count { $0.line == request.line } - 1
                }
                let answer = answer(request.line, earlier ?? 0)
                let text =
                    "HTTP/1.1 \(answer.status) X\r\n\(answer.head)Content-Length: \(answer.body.utf8.count)\r\n\r\n"
                    + answer.body
                try? FileHandle(fileDescriptor: peer, closeOnDealloc: false).write(contentsOf: Data(text.utf8))
                close(peer)
            }
            close(made)  // here, and only after the shutdown: its number may be another's at once
        }
    }

    deinit { _ = shutdown(listener, Int32(SHUT_RDWR)) }

    private static func read(_ peer: Int32) -> Request? {
        let stream = FileHandle(fileDescriptor: peer, closeOnDealloc: false)
        var text = Data()
        while text.range(of: Data("\r\n\r\n".utf8)) == nil {
            guard let byte = try? stream.read(upToCount: 1), !byte.isEmpty else { return nil }
            text += byte
        }
        let head = String(decoding: text, as: UTF8.self)
        let length = head.components(separatedBy: "Content-Length: ").dropFirst().first?
            .components(separatedBy: "\r\n").first.flatMap { Int($0) }
        var body = Data()
        while body.count < length ?? 0 {
            guard let more = try? stream.read(upToCount: (length ?? 0) - body.count), !more.isEmpty else { return nil }
            body += more
        }
        let line = head.components(separatedBy: " HTTP/1.1").first ?? ""
        return Request(line: line, head: head, body: String(decoding: body, as: UTF8.self))
    }
}
