internal import Glibc
public import RoostBasics

/// `roost pack`: a runtime's shared object with a model, card and examples put into it as sections.
///
/// The file is written here and not by objcopy, which puts added sections at unaligned offsets, so that a
/// model could not be mapped in place. The runtime's bytes come first, unchanged but for three header
/// fields (place and length of the section table); what is added is not ALLOC, so the loader never sees it.
/// The digest is the last section: one pass writes and hashes.
public struct Packer {
    private let runtime: ELFFile
    private var added: [(name: String, source: ByteSource)] = []

    /// - Throws: when the runtime is no plugin for `host`, or carries a model or digest already.
    public init(runtime source: ByteSource, host: ELFFile.Architecture = .host) throws(ELFError) {
        let plugin = try PluginFile(source, host: host)
        guard plugin.model == nil, !plugin.isPacked, plugin.card == nil, plugin.examples == nil else {
            throw ELFError(.unsuitable, "the runtime is packed already: pack the runtime that it was made from")
        }
        runtime = try ELFFile(source, host: host)
    }

    public mutating func add(model: ByteSource) { added.append((".roost.model", model)) }
    public mutating func add(card: [UInt8]) { added.append((".roost.card", ByteSource(card))) }
    public mutating func add(examples: [UInt8]) { added.append((".roost.examples", ByteSource(examples))) }

    /// Writes the file from the descriptor's position on; it should be new and empty. Nothing is synced.
    /// Memory stays constant, however large the model.
    /// - Returns: the digest that the file carries.
    @discardableResult
    public func write(to descriptor: Int32) throws(RoostError) -> SHA256Digest {
        do {
            return try writeChecked(to: descriptor)
        } catch let error as ELFError {
            throw error.asRoostError
        } catch let error as RoostError {
            throw error
        } catch {
            throw RoostError(.system, "\(error)")
        }
    }

    private func writeChecked(to descriptor: Int32) throws -> SHA256Digest {
        var sink = try HashingSink(descriptor: descriptor)
        let plan = try Layout(runtime: runtime, added: added.map { ($0.name, $0.source.size) })
        let header = try plan.patchedHeader(runtime.source.read(at: 0, count: 64))
        try sink.write(header)
        try copy(runtime.source, from: 64, into: &sink)
        for (place, part) in zip(plan.places, added) {
            try sink.pad(to: place)
            try copy(part.source, from: 0, into: &sink)
        }
        try sink.pad(to: plan.namesOffset)
        try sink.write(plan.names)
        try sink.pad(to: plan.tableOffset)
        try sink.write(
            plan.table(
                from: runtime.source.read(
                    at: runtime.sectionTableOffset, count: runtime.sections.count * 64)))
        try sink.pad(to: plan.digestOffset)
        return try sink.finish()
    }

    private func copy(_ source: ByteSource, from start: Int, into sink: inout HashingSink) throws {
        var offset = start
        while offset < source.size {
            let slice = try source.readUpTo(sliceBytes, at: offset)
            if slice.isEmpty { throw ELFError(.incomplete, "a file became shorter while it was packed: pack again") }
            try sink.write(slice)
            offset += slice.count
        }
    }
}

/// Where everything goes; all known before the first byte is written.
private struct Layout {
    let places: [Int]
    let sizes: [Int]
    let nameOffsets: [Int]
    let names: [UInt8]
    let namesOffset: Int
    let tableOffset: Int
    let digestOffset: Int
    let sectionCount: Int
    let stringTableIndex: Int

    init(runtime: ELFFile, added: [(name: String, size: Int)]) throws {
        let oldNames = try runtime.contents(of: runtime.sections[runtime.stringTableIndex], limit: 16 << 20)
        sectionCount = runtime.sections.count + added.count + 1
        guard sectionCount < 0xFF00 else { throw ELFError(.unsuitable, "the runtime has too many sections") }
        var end = runtime.source.size
        var places: [Int] = []
        for part in added {
            let place = aligned(end)
            places.append(place)
            end = place + part.size
        }
        // The last of the old names may end with the table.
        var names = oldNames.last == 0 ? oldNames : oldNames + [0]
        var nameOffsets: [Int] = []
        for name in added.map(\.name) + [".roost.digest"] {
            nameOffsets.append(names.count)
            names += Array(name.utf8) + [0]
        }
        self.places = places
        self.sizes = added.map(\.size) + [32]
        self.nameOffsets = nameOffsets
        self.names = names
        stringTableIndex = runtime.stringTableIndex
        namesOffset = aligned(end)
        tableOffset = (namesOffset + names.count + 7) & ~7
        digestOffset = aligned(tableOffset + sectionCount * 64)
    }

    func patchedHeader(_ header: [UInt8]) -> [UInt8] {
        var header = header
        header.put(UInt64(tableOffset), at: 40)
        header.put(UInt16(sectionCount), at: 60)
        header.put(UInt16(stringTableIndex), at: 62)
        return header
    }

    /// The old headers, with the name table at its new place, and one for each added section.
    func table(from old: [UInt8]) -> [UInt8] {
        var table = old
        table.put(UInt64(namesOffset), at: stringTableIndex * 64 + 24)
        table.put(UInt64(names.count), at: stringTableIndex * 64 + 32)
        for (index, offset) in (places + [digestOffset]).enumerated() {
            var header = [UInt8](repeating: 0, count: 64)
            header.put(UInt32(nameOffsets[index]), at: 0)
            header.put(UInt32(1), at: 4)  // SHT_PROGBITS; flags stay 0: not ALLOC
            header.put(UInt64(offset), at: 24)
            header.put(UInt64(sizes[index]), at: 32)
            header.put(UInt64(pageBytes), at: 48)
            table += header
        }
        return table
    }
}

private let pageBytes = 4096
private func aligned(_ offset: Int) -> Int { (offset + pageBytes - 1) & ~(pageBytes - 1) }

extension [UInt8] {
    fileprivate mutating func put(_ number: some FixedWidthInteger, at offset: Int) {
        for byte in 0..<(type(of: number).bitWidth / 8) {
            self[offset + byte] = UInt8(truncatingIfNeeded: number >> (byte * 8))
        }
    }
}

/// Writes to a descriptor and hashes what it wrote.
private struct HashingSink: ~Copyable {
    let descriptor: Int32
    private var written = 0
    private var hash: SHA256

    init(descriptor: Int32) throws {
        self.descriptor = descriptor
        hash = try SHA256()
    }

    mutating func write(_ bytes: [UInt8]) throws {
        try hash.update(bytes)
        try put(bytes)
        written += bytes.count
    }

    mutating func pad(to offset: Int) throws {
        precondition(offset >= written && offset - written <= pageBytes, "the layout was planned before writing")
        try write([UInt8](repeating: 0, count: offset - written))
    }

    /// Writes the digest of all before it, and gives it.
    consuming func finish() throws -> SHA256Digest {
        let descriptor = descriptor
        let digest = try hash.finish()
        try Self.put(digest.bytes, to: descriptor)
        return digest
    }

    private func put(_ bytes: [UInt8]) throws { try Self.put(bytes, to: descriptor) }

    private static func put(_ bytes: [UInt8], to descriptor: Int32) throws {
        var done = 0
        while done < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                let rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[done...])
                return unsafe Glibc.write(descriptor, rest.baseAddress, rest.count)
            }
            if count >= 0 {
                done += count
            } else if errno != EINTR {
                throw ELFError(system: "write the packed file")
            }
        }
    }
}
