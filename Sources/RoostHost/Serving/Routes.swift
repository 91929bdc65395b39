internal import RoostBasics

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
    static func hash(_ bytes: RawSpan) -> Int {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for index in 0..<bytes.byteCount { hash = (hash ^ UInt64(bytes[index])) &* 0x100_0000_01B3 }
        return Int(truncatingIfNeeded: (hash ^ (hash >> 32)) & 0x7FFF_FFFF)
    }
}
