/// The outline of an ELF shared object: header and section table, read without mapping or running anything.
///
/// Each number in the file is hostile until checked: offsets and sizes are compared with the file's size
/// before they are used, sums with overflow, counts with limits. (Layout: System V ABI, gABI ch. 4.)
public struct ELFFile: Sendable {
    public struct Section: Hashable, Sendable {
        public let name: String
        let nameOffset: Int
        let type: UInt32
        public let offset: Int
        public let size: Int
        let link: Int
        /// The bytes in the file, empty for sections without any there.
        public var range: Range<Int> { offset..<offset + size }
    }

    /// Processor families by the names that people use.
    public enum Architecture: UInt16, Hashable, Sendable, CustomStringConvertible {
        case amd64 = 62
        case aarch64 = 183

        #if arch(x86_64)
            public static let host = Self.amd64
        #elseif arch(arm64)
            public static let host = Self.aarch64
        #endif

        public var description: String {
            switch self {
            case .amd64: "x86_64"
            case .aarch64: "aarch64"
            }
        }
    }

    public let source: ByteSource
    public let architecture: Architecture
    public let sections: [Section]
    let sectionTableOffset: Int
    let stringTableIndex: Int

    /// - Throws: `.broken` or `.incomplete` for what is no whole ELF file, `.unsuitable` for what is none for `host`.
    public init(_ source: ByteSource, host: Architecture = .host) throws(ELFError) {
        self.source = source
        let header = Fields(try Self.header(source))
        architecture = try Self.architecture(header, host: host)
        guard header.u16(16) == 3 else {
            throw ELFError(.unsuitable, "an ELF file but not a shared object: link it with -shared")
        }
        try Self.checkSegments(header, source)
        guard let tableOffset = header.offset(40), tableOffset > 0, header.u16(58) == 64 else {
            throw ELFError(.broken, "its section table is missing or of a wrong form: was it stripped of sections?")
        }
        let count = Int(header.u16(60))
        guard (1..<0xFF00).contains(count) else {
            throw ELFError(.broken, "it has \(count) sections; 1 to 65279 are supported")
        }
        let table = Fields(try source.read(at: tableOffset, count: count * 64))
        stringTableIndex = Int(header.u16(62))
        sectionTableOffset = tableOffset
        sections = try Self.sections(table, count: count, names: stringTableIndex, source)
    }

    public func section(named name: String) -> Section? { sections.first { $0.name == name } }

    /// The bytes of a section.
    /// - Throws: `.broken` when it is larger than `limit`.
    public func contents(of section: Section, limit: Int) throws(ELFError) -> [UInt8] {
        guard section.size <= limit else {
            throw ELFError(.broken, "section \(section.name) has \(section.size) bytes, at most \(limit) are read")
        }
        return try source.read(at: section.offset, count: section.size)
    }

    private static func header(_ source: ByteSource) throws(ELFError) -> [UInt8] {
        let start = try source.readUpTo(64, at: 0)
        guard start.prefix(4) == [0x7F, 0x45, 0x4C, 0x46][...].prefix(start.count), !start.isEmpty else {
            throw ELFError(.broken, "not an ELF file")
        }
        guard start.count == 64 else {
            throw ELFError(.incomplete, "it ends after \(start.count) bytes, within the ELF header: copy it again")
        }
        return start
    }

    private static func architecture(_ header: Fields, host: Architecture) throws(ELFError) -> Architecture {
        guard header.bytes[4] == 2, header.bytes[5] == 1 else {
            let kind = header.bytes[4] == 1 ? "32-bit" : "big-endian or of an unknown class"
            throw ELFError(.unsuitable, "built for a machine that is \(kind), this host is \(host)")
        }
        let machine = header.u16(18)
        let found = Architecture(rawValue: machine)
        guard let found, found == host else {
            let name = found?.description ?? otherMachines[machine] ?? "machine number \(machine)"
            throw ELFError(.unsuitable, "built for \(name), this host is \(host): build it again for \(host)")
        }
        return found
    }

    /// Every byte that the loader would map has to be there.
    private static func checkSegments(_ header: Fields, _ source: ByteSource) throws(ELFError) {
        let count = Int(header.u16(56))
        guard count > 0 else { return }
        guard let offset = header.offset(32), header.u16(54) == 56 else {
            throw ELFError(.broken, "its program header table is of a wrong form")
        }
        let table = Fields(try source.read(at: offset, count: count * 56))
        for index in 0..<count where table.u32(index * 56) == 1 {
            guard let start = table.offset(index * 56 + 8), let size = table.offset(index * 56 + 32) else {
                throw ELFError(.broken, "segment \(index) lies outside every file")
            }
            try check(start, size, of: "segment \(index)", in: source)
        }
    }

    private static func sections(
        _ table: Fields, count: Int, names index: Int, _ source: ByteSource
    ) throws(ELFError) -> [Section] {
        var found: [Section] = []
        for base in stride(from: 0, to: count * 64, by: 64) {
            let type = table.u32(base + 4)
            let hasBytes = type != 8 && type != 0  // SHT_NOBITS, SHT_NULL
            guard let start = table.offset(base + 24), let size = table.offset(base + 32) else {
                throw ELFError(.broken, "section \(base / 64) lies outside every file")
            }
            if hasBytes { try check(start, size, of: "section \(base / 64)", in: source) }
            found.append(
                Section(
                    name: "", nameOffset: Int(table.u32(base)), type: type, offset: hasBytes ? start : 0,
                    size: hasBytes ? size : 0, link: Int(table.u32(base + 40))))
        }
        guard found.indices.contains(index), found[index].type == 3, found[index].size <= 16 << 20 else {
            throw ELFError(.broken, "it has no table of section names")
        }
        let names = try source.read(at: found[index].offset, count: found[index].size)
        return found.map {
            Section(
                name: text(at: $0.nameOffset, in: names), nameOffset: $0.nameOffset, type: $0.type,
                offset: $0.offset, size: $0.size, link: $0.link)
        }
    }

    private static func check(_ start: Int, _ size: Int, of what: String, in source: ByteSource) throws(ELFError) {
        let (end, overflow) = start.addingReportingOverflow(size)
        guard !overflow else { throw ELFError(.broken, "\(what) lies outside every file") }
        guard end <= source.size else {
            throw ELFError(
                .incomplete, "truncated: it has \(source.size) bytes, \(what) ends at \(end): copy it again")
        }
    }
}

private let otherMachines: [UInt16: String] = [
    3: "x86 (32 bit)", 21: "ppc64", 22: "s390x", 40: "arm (32 bit)", 243: "riscv", 258: "loongarch",
]

/// Up to the next zero byte, at most 255 bytes: a table may promise one name of megabytes to thousands of sections.
/// Empty when `offset` lies outside.
func text(at offset: Int, in table: [UInt8]) -> String {
    guard table.indices.contains(offset) else { return "" }
    return String(decoding: table[offset...].prefix(255).prefix { $0 != 0 }, as: UTF8.self)
}

/// Little-endian numbers in bytes whose count was checked by who made it.
struct Fields {
    let bytes: [UInt8]
    init(_ bytes: [UInt8]) { self.bytes = bytes }

    func u16(_ at: Int) -> UInt16 { UInt16(bytes[at]) | UInt16(bytes[at + 1]) << 8 }
    func u32(_ at: Int) -> UInt32 { UInt32(u16(at)) | UInt32(u16(at + 2)) << 16 }
    func u64(_ at: Int) -> UInt64 { UInt64(u32(at)) | UInt64(u32(at + 4)) << 32 }
    /// A 64-bit offset or size; nil when no file is that long.
    func offset(_ at: Int) -> Int? { Int(exactly: u64(at)) }
}
