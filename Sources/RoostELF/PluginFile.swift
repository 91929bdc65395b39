internal import RoostABI

/// What a plugin file says of itself in its sections, read without loading it.
public struct PluginFile: Sendable {
    /// The version of the plugin ABI that it was built for; equals this host's.
    public let abiVersion: UInt32
    /// All its records' flags together.
    public let flags: PluginFlags
    /// `.roost.card`, JSON.
    public let card: [UInt8]?
    /// `.roost.examples`, JSON Lines.
    public let examples: [UInt8]?
    /// Where `.roost.model` lies; begins on a page of 4096 bytes when `roost pack` made it.
    public let model: Range<Int>?
    private let digestSection: Range<Int>?
    private let source: ByteSource

    /// - Throws: whatever keeps this host from using the file, with the remedy.
    public init(_ source: ByteSource, host: ELFFile.Architecture = .host) throws(ELFError) {
        let file = try ELFFile(source, host: host)
        (abiVersion, flags) = try Self.record(of: file)
        guard abiVersion == ROOST_ABI_VERSION else {
            throw ELFError(
                .unsuitable,
                "built for plugin ABI \(abiVersion), this host speaks \(ROOST_ABI_VERSION): "
                    + "rebuild it against this host's roost_plugin.h")
        }
        guard try file.exports(entrySymbol) else {
            throw ELFError(.unsuitable, "it does not export \(entrySymbol): export the plugin's entry and rebuild")
        }
        card = try Self.contents(".roost.card", of: file)
        examples = try Self.contents(".roost.examples", of: file)
        model = file.section(named: ".roost.model")?.range
        digestSection = file.section(named: ".roost.digest")?.range
        if let digestSection, digestSection.count != 32 {
            throw ELFError(.broken, "section .roost.digest has \(digestSection.count) bytes, 32 are a SHA-256")
        }
        self.source = source
    }

    /// Whether it was packed, and so proves by itself that it is whole.
    public var isPacked: Bool { digestSection != nil }

    /// Reads the whole file and compares with the digest that it carries.
    /// - Throws: `.incomplete` when they differ; nothing when it carries none.
    public func checkDigest() throws(ELFError) {
        guard let digestSection else { return }
        let carried = try source.read(at: digestSection.lowerBound, count: 32)
        guard try source.digest(without: digestSection).bytes == carried else {
            throw ELFError(.incomplete, "its bytes do not match the digest that it carries: copy it again")
        }
    }

    private static func contents(_ name: String, of file: ELFFile) throws(ELFError) -> [UInt8]? {
        guard let section = file.section(named: name) else { return nil }
        return try file.contents(of: section, limit: 64 << 20)
    }

    /// Records stand one behind another, one per static library that went in; zeroes may pad them.
    private static func record(of file: ELFFile) throws(ELFError) -> (UInt32, PluginFlags) {
        guard let section = file.section(named: ".roost.abi") else {
            throw ELFError(
                .unsuitable, "a shared object but not a Roost plugin (no .roost.abi section): see docs/ABI.md")
        }
        let fields = Fields(try file.contents(of: section, limit: 1 << 16))
        var version: UInt32?
        var flags: UInt64 = 0
        var at = 0
        while at + 24 <= fields.bytes.count {
            if fields.u64(at) == 0 {
                at += 8
                continue
            }
            let size = Int(fields.u32(at + 12))
            guard fields.bytes[at..<at + 8].elementsEqual("ROOSTABI".utf8), size >= 24 else {
                throw ELFError(.broken, "section .roost.abi is damaged at byte \(at)")
            }
            guard version == nil || version == fields.u32(at + 8) else {
                throw ELFError(.unsuitable, "its parts were built for different plugin ABIs: rebuild all of them")
            }
            version = fields.u32(at + 8)
            flags |= fields.u64(at + 16)
            at += size
        }
        guard let version else { throw ELFError(.broken, "section .roost.abi holds no record") }
        return (version, PluginFlags(rawValue: flags))
    }
}

/// What a plugin asks of the host, from its record; bits unknown to this host are kept.
public struct PluginFlags: OptionSet, Hashable, Sendable {
    public let rawValue: UInt64
    public init(rawValue: UInt64) { self.rawValue = rawValue }

    /// After load the process may be forked, and every fork predicts.
    public static let forkSafe = Self(rawValue: ROOST_FORK_SAFE)
    /// Load or predict starts threads: never forked.
    public static let needsThreads = Self(rawValue: ROOST_NEEDS_THREADS)
    public static let needsDevice = Self(rawValue: ROOST_NEEDS_DEVICE)
}

private let entrySymbol = "roost_plugin_entry"

extension ELFFile {
    /// Whether the dynamic symbol table defines `symbol` for others to find.
    public func exports(_ symbol: String) throws(ELFError) -> Bool {
        guard let table = sections.first(where: { $0.type == 11 }), sections.indices.contains(table.link) else {
            return false
        }
        let names = try contents(of: sections[table.link], limit: 64 << 20)
        let symbols = Fields(try contents(of: table, limit: 64 << 20))
        let wanted = Array(symbol.utf8) + [0]
        for at in stride(from: 0, to: symbols.bytes.count / 24 * 24, by: 24) {
            let binding = symbols.bytes[at + 4] >> 4
            let visibility = symbols.bytes[at + 5] & 3
            let isDefined = symbols.u16(at + 6) != 0
            let name = Int(symbols.u32(at))
            if isDefined, binding == 1 || binding == 2, visibility == 0 || visibility == 3, name < names.count,
                names[name...].starts(with: wanted)
            {
                return true
            }
        }
        return false
    }
}
