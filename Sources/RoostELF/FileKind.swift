/// What a file is, by its first bytes: names and extensions lie, and a wrong guess must not reach a loader.
public enum FileKind: Hashable, Sendable, CaseIterable {
    case elf, json, ubjson
    case empty
    /// Only zeroes so far: space was allocated for it, bytes may follow.
    case zeroes
    case pickle, zip, hdf5, gzip, zlib, onnx, lightGBM, xgboostBinary, npy, html, text, machO, windows
    case unknown

    /// How many bytes of a file's start `init` wants to see.
    public static let headBytes = 512

    /// `head`: the first `headBytes` bytes, or all when the file is shorter.
    public init(head: some Collection<UInt8>) {
        let head = Array(head)
        guard let first = head.first else {
            self = .empty
            return
        }
        if head.allSatisfy({ $0 == 0 }) {
            self = .zeroes
        } else if let kind = Self.magics.first(where: { head.starts(with: $0.bytes) })?.kind {
            self = kind
        } else if first == 0x80, head.count > 1, (2...6).contains(head[1]) {
            self = .pickle
        } else if first == UInt8(ascii: "{") || first == UInt8(ascii: "[") || Self.space.contains(first) {
            self = Self.bracketed(head)
        } else if first == 0x78, head.count > 1, [0x01, 0x5E, 0x9C, 0xDA].contains(head[1]) {
            self = .zlib
        } else if first == 0x08, head.count > 2, (1...20).contains(head[1]), [0x12, 0x1A, 0x22].contains(head[2]) {
            self = .onnx  // a protobuf whose field 1 is a small number, as `ir_version` is
        } else {
            self = Self.textual(head)
        }
    }

    private static let space: [UInt8] = [0x20, 0x09, 0x0A, 0x0D]

    private static let magics: [(bytes: [UInt8], kind: FileKind)] = [
        ([0x7F, 0x45, 0x4C, 0x46], .elf), ([0x50, 0x4B, 0x03, 0x04], .zip), ([0x50, 0x4B, 0x05, 0x06], .zip),
        ([0x89, 0x48, 0x44, 0x46], .hdf5), ([0x1F, 0x8B], .gzip), (Array("binf".utf8), .xgboostBinary),
        ([0x93] + Array("NUMPY".utf8), .npy), (Array("tree\nversion=".utf8), .lightGBM),
        (Array("ccopy_reg\n".utf8), .pickle), (Array("cnumpy".utf8), .pickle), (Array("(dp0\n".utf8), .pickle),
        (Array("(lp0\n".utf8), .pickle), ([0xCF, 0xFA, 0xED, 0xFE], .machO), ([0xCA, 0xFE, 0xBA, 0xBE], .machO),
        ([0x4D, 0x5A, 0x90, 0x00], .windows),
    ]

    /// UBJSON names a key's length right behind the brace; JSON opens a quote there, perhaps after space.
    private static func bracketed(_ head: [UInt8]) -> FileKind {
        let rest = head.drop { space.contains($0) }
        guard let bracket = rest.first, bracket == UInt8(ascii: "{") || bracket == UInt8(ascii: "[") else {
            return textual(head)
        }
        let inside = rest.dropFirst()
        if bracket == UInt8(ascii: "{"), let marker = inside.first, "LiUIl$#".utf8.contains(marker) { return .ubjson }
        if bracket == UInt8(ascii: "["), let marker = inside.first, "$#L".utf8.contains(marker) { return .ubjson }
        return .json
    }

    private static func textual(_ head: [UInt8]) -> FileKind {
        // The head may end within a character, of at most four bytes.
        let isUTF8 = (0..<4).contains { String(validating: head.dropLast($0), as: UTF8.self) != nil }
        guard isUTF8, head.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || space.contains($0) }) else { return .unknown }
        let start = String(decoding: head.drop { space.contains($0) }.prefix(15), as: UTF8.self).lowercased()
        return start.hasPrefix("<!doctype html") || start.hasPrefix("<html") ? .html : .text
    }

    /// Why no runtime can take such a file, with the remedy; nil for kinds that may be deployed.
    public func refusal(fileName: String) -> String? {
        let stem = fileName.prefix { $0 != "@" && $0 != "." }
        let save = "save the model with model.save_model(\"\(stem.isEmpty ? "NAME" : String(stem)).ubj\")"
        return switch self {
        case .elf, .json, .ubjson: nil
        case .empty: "the file is empty: copy it again"
        case .zeroes: "the file holds only zeroes: copy it again"
        case .pickle: "a Python pickle can run any code and is refused: \(save)"
        case .zip: "a zip archive (npz, PyTorch, Keras, or a packed joblib) is not a model file: \(save)"
        case .hdf5: "an HDF5 file (Keras) is not supported by this build: \(save)"
        case .gzip, .zlib: "compressed files are not unpacked (a compressed joblib is a pickle): \(save)"
        case .onnx: "ONNX is not supported by this build"
        case .lightGBM: "LightGBM models are not supported by this build"
        case .xgboostBinary: "XGBoost's old binary format is not supported: load it with XGBoost and \(save)"
        case .npy: "a NumPy array is not a model: \(save)"
        case .html: "this is an HTML page, perhaps a failed download: download it again"
        case .text: "this is plain text, not a model or plugin"
        case .machO: "built for macOS, this host is Linux: build it again for Linux"
        case .windows: "built for Windows, this host is Linux: build it again for Linux"
        case .unknown: "not a plugin (ELF shared object) or a model file of a known format (JSON, UBJSON)"
        }
    }
}

/// Whether a file is all there, as far as its own structure tells.
public enum FileStructure: Hashable, Sendable {
    /// It carries a digest of itself, and that matches.
    case sealed
    /// Nothing is missing; more bytes might still follow.
    case whole
    /// Something is missing that further writing may bring.
    case growing(String)
    /// No further writing makes it a file that can be deployed.
    case broken(String)

    /// Examines an open file. Reads headers only, but all of a packed file.
    /// - Throws: `.system` when it cannot be read.
    public static func examine(_ source: ByteSource, fileName: String) throws(ELFError) -> FileStructure {
        let kind = FileKind(head: try source.readUpTo(FileKind.headBytes, at: 0))
        switch kind {
        case .elf:
            do {
                let plugin = try PluginFile(source)
                try plugin.checkDigest()
                return plugin.isPacked ? .sealed : .whole
            } catch {
                switch error.kind {
                case .incomplete: return .growing(error.message)
                case .broken, .unsuitable: return .broken(error.message)
                case .system: throw error
                }
            }
        case .json, .ubjson:
            let tail = try source.readUpTo(64, at: max(0, source.size - 64))
            let last = kind == .json ? tail.last { ![0x20, 0x09, 0x0A, 0x0D].contains($0) } : tail.last
            return last == UInt8(ascii: "}") || last == UInt8(ascii: "]")
                ? .whole : .growing("truncated: the file ends in the middle of its contents: copy it again")
        case .empty, .zeroes:
            return .growing(kind.refusal(fileName: fileName) ?? "")
        case .pickle, .zip, .hdf5, .gzip, .zlib, .onnx, .lightGBM, .xgboostBinary, .npy, .html, .text, .machO,
            .windows, .unknown:
            return .broken(kind.refusal(fileName: fileName) ?? "")
        }
    }
}
