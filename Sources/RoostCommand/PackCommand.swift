internal import RoostBasics
internal import RoostELF
internal import RoostFiles
internal import RoostFunctions
internal import RoostJSON

/// A page of the command line: `roost pack`.
let packCommand = Command(
    name: "pack", operands: "MODEL", summary: "put a model, its card and examples into one plugin file",
    details: [
        """
        Takes an installed runtime and adds the model to it, so that the result needs nothing else and is complete \
        exactly when its own digest matches. A host that has the runtime takes the bare model file just as well.
        """
    ],
    options: [
        runtimeOption, examplesOption, cardOption, outputOption, Option.home,
    ],
    examples: [
        Example("roost pack credit.ubj --examples examples.jsonl -o credit@3.so", "then: roost deploy credit@3.so")
    ],
    run: { call in
        let model = try call.operands(1...1)[0]
        let output = try call.value(of: outputOption) ?? defaultOutput(for: model)
        let source = try FileDescriptor(reading: model)
        let examples = try call.value(of: examplesOption).map(readWhole)
        let card = try call.value(of: cardOption).map(readCard)
        let runtime = try call.host.runtime(
            call.value(of: runtimeOption), for: model, home: call.value(of: .home))
        let runtimeFile = try FileDescriptor(reading: runtime)
        var packer = try Packer(runtime: ByteSource(descriptor: runtimeFile.number))
        packer.add(model: try ByteSource(descriptor: source.number))
        if let examples { packer.add(examples: examples) }
        if let card { packer.add(card: card) }
        let digest = try write(packer, to: output)
        try call.print("\(output): \(model) with \(runtime), sha256 \(digest)")
        return 0
    })

private let runtimeOption = Option(
    "runtime", value: "NAME", "linear, trees, … (default: the one that loads MODEL)")
private let cardOption = Option(
    "card", value: "FILE", "what the model says of itself, JSON: description, task, classes, columns")
private let outputOption = Option(
    "output", letter: "o", value: "FILE.so", "the file to write (default: MODEL's name with .so)")

private func defaultOutput(for model: String) throws -> String {
    let file = PathParts(model)
    guard let dot = file.name.lastIndex(of: "."), dot > file.name.startIndex else { return file.name + ".so" }
    guard file.name[dot...] != ".so" else { throw UsageError("\(model) is a plugin already") }
    return file.name[..<dot] + ".so"
}

/// A card that no host would take is found out here.
private func readCard(_ path: String) throws -> [UInt8] {
    let bytes = try readWhole(path)
    _ = try Card(try JSONDocument(parsing: bytes, source: path))
    return bytes
}

/// Under its name the file is whole or not there.
private func write(_ packer: Packer, to path: String) throws -> SHA256Digest {
    let file = PathParts(path)
    let folder = Folder(file.folder)
    let hidden = ".\(file.name).partial"
    try folder.remove(hidden)
    do {
        let output = try FileDescriptor(creating: folder.path(hidden))
        let digest = try packer.write(to: output.number)
        try output.sync()
        try folder.rename(hidden, to: file.name)
        return digest
    } catch {
        try? folder.remove(hidden)
        throw error
    }
}

/// A path as its folder and the name in it.
struct PathParts: Hashable, Sendable {
    let folder: String
    let name: String

    init(_ path: String) {
        let slash = path.lastIndex(of: "/")
        name = String(slash.map { path[$0...].dropFirst() } ?? path[...])
        folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
    }
}
