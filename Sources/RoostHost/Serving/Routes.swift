internal import RoostBasics
internal import RoostTraffic

/// Where one function's requests go.
final class FunctionRoute {
    let name: FunctionName
    private let nameBytes: [UInt8]
    fileprivate let hash: Int
    /// The shares in force; nil when nothing serves.
    private(set) var split: Split?
    /// In the order of `split.versions`.
    private var chosen: [VersionService] = []
    private var counter: UInt64 = 0

    init(_ name: FunctionName) {
        self.name = name
        let bytes = Array(name.text.utf8)
        nameBytes = bytes
        hash = RouteTable.hash(bytes.bytes)
    }

    fileprivate func isNamed(_ name: RawSpan) -> Bool {
        let own = nameBytes
        return own.bytes.hasSameBytes(as: name)
    }

    /// Changes the shares in one step; counting begins anew. `services` are in the order of the shares' versions.
    func set(_ shares: TrafficShares?, _ services: [VersionService], seed: UInt64) {
        split = shares.map { Split($0, seed: seed) }
        chosen = services
        // A version whose file cannot be read has no service: then nothing serves rather than somebody else.
        if chosen.count != shares?.versions.count ?? 0 { split = nil }
        counter = 0
    }

    /// The version that answers the next request; nil when nothing serves.
    func next() -> VersionService? {
        guard let split else { return nil }
        defer { counter &+= 1 }
        return chosen[split.choose(counter)]
    }

    /// The version with the largest share: it speaks for the function.
    var leading: VersionService? {
        guard let split, let at = split.versions.firstIndex(of: split.shares.leading) else { return nil }
        return chosen[at]
    }
}

/// Finds functions by the bytes of their names, without making a String: an open-addressing hash table.
struct RouteTable {
    private(set) var routes: [FunctionName: FunctionRoute] = [:]
    private var places: [FunctionRoute?] = Array(repeating: nil, count: 16)

    subscript(name: FunctionName) -> FunctionRoute? { routes[name] }

    /// The route of a function, made when it is new.
    mutating func route(_ name: FunctionName) -> FunctionRoute {
        if let route = routes[name] { return route }
        let route = FunctionRoute(name)
        routes[name] = route
        // At most half full, so that a search ends soon.
        if routes.count * 2 > places.count {
            places = Array(repeating: nil, count: places.count * 2)
            for other in routes.values { insert(other) }
        } else {
            insert(route)
        }
        return route
    }

    func find(_ name: RawSpan) -> FunctionRoute? {
        var place = Self.hash(name) & (places.count - 1)
        while let route = places[place] {
            if route.isNamed(name) { return route }
            place = (place + 1) & (places.count - 1)
        }
        return nil
    }

    private mutating func insert(_ route: FunctionRoute) {
        var place = route.hash & (places.count - 1)
        while places[place] != nil { place = (place + 1) & (places.count - 1) }
        places[place] = route
    }

    /// FNV-1a, folded to a non-negative Int.
    fileprivate static func hash(_ bytes: RawSpan) -> Int {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for index in 0..<bytes.byteCount { hash = (hash ^ UInt64(bytes[index])) &* 0x100_0000_01B3 }
        return Int(truncatingIfNeeded: (hash ^ (hash >> 32)) & 0x7FFF_FFFF)
    }
}
