import RoostTensors

/// Finds the place of a name among a few hundred, without making a String.
struct NameIndex {
    let names: [String]
    private let bytes: [[UInt8]]
    private let places: [UInt64: [Int]]

    /// Of equal names, the first is found.
    init(_ names: [String]) {
        self.names = names
        bytes = names.map { Array($0.utf8) }
        places = Dictionary(grouping: bytes.indices) { [bytes] place in
            Self.hash(count: bytes[place].count) { bytes[place][$0] }
        }
    }

    var count: Int { names.count }

    /// The place of `name`; `hint` is looked at first.
    func place(of name: BytesElement, hint: Int) -> Int? {
        if hint < bytes.count, matches(hint, name) { return hint }
        let hash = name.withBytes { bytes in
            Self.hash(count: bytes.byteCount) { unsafe bytes.unsafeLoad(fromByteOffset: $0, as: UInt8.self) }
        }
        return places[hash]?.first { matches($0, name) }
    }

    private func matches(_ place: Int, _ name: BytesElement) -> Bool {
        guard bytes[place].count == name.size else { return false }
        return name.withBytes { text in
            for index in 0..<text.byteCount
            where unsafe bytes[place][index] != text.unsafeLoad(fromByteOffset: index, as: UInt8.self) { return false }
            return true
        }
    }

    /// FNV-1a.
    @inline(__always) private static func hash(count: Int, _ byte: (Int) -> UInt8) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for index in 0..<count { hash = (hash ^ UInt64(byte(index))) &* 0x100_0000_01B3 }
        return hash
    }
}
