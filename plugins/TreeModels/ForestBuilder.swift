import RoostPlugin

/// Where a tree is among the nodes.
struct PlacedTree {
    let root: Int
    /// How many steps its deepest leaf is away.
    let depth: Int
    /// Its nodes that are no leaves.
    let splits: Int
}

/// Lays trees out as `Forest` walks them, and proves on the way that every walk stays inside.
struct ForestBuilder {
    /// Place 0 is a leaf of -0, which changes no sum: it fills up groups. Place 1 is never read.
    private(set) var nodes: [UInt64]
    private let columns: Int
    let slotBits: UInt32
    private let leafSlot: UInt32

    init(columns: Int) {
        self.columns = columns
        leafSlot = UInt32(2 * columns)
        slotBits = UInt32(UInt32.bitWidth - leafSlot.leadingZeroBitCount)
        nodes = [Self.pack(-0.0, leafSlot), 0]
    }

    /// Appends one tree in pre-order.
    mutating func append(_ tree: XGBoostTree) throws -> PlacedTree {
        let count = tree.left.count
        guard count > 0, tree.right.count == count, tree.features.count == count, tree.conditions.count == count,
            tree.defaultsLeft.count == count
        else { throw ModelError.failed("its arrays are empty or of different lengths") }
        let root = nodes.count
        nodes += [0, 0]
        var depth = 0
        var visited = [Bool](repeating: false, count: count)
        var open = [(node: 0, place: root, depth: 0)]
        while let (node, place, level) = open.popLast() {
            guard !visited[node] else { throw ModelError.failed("node \(node) has two parents") }
            visited[node] = true
            depth = max(depth, level)
            guard let (left, right) = try children(of: node, in: tree) else {
                nodes[place] = try leaf(node, in: tree)
                continue
            }
            let pair = nodes.count
            nodes.append(0)
            nodes.append(0)
            nodes[place] = try inner(node, in: tree, delta: pair - place)
            open.append((right, pair + 1, level + 1))
            open.append((left, pair, level + 1))
        }
        guard nodes.count <= Int(UInt32.max) else { throw ModelError.failed("more than 4 billion nodes") }
        return PlacedTree(root: root, depth: depth, splits: (nodes.count - root) / 2 - 1)
    }

    func group(_ trees: ArraySlice<PlacedTree>) -> Forest.Group {
        let roots = trees.map { UInt32($0.root) } + [UInt32](repeating: 0, count: Forest.lanes - trees.count)
        return Forest.Group(
            roots: (roots[0], roots[1], roots[2], roots[3], roots[4], roots[5], roots[6], roots[7]),
            steps: UInt32(trees.map(\.depth).max() ?? 0))
    }

    /// Nil at a leaf.
    private func children(of node: Int, in tree: XGBoostTree) throws -> (left: Int, right: Int)? {
        let (left, right) = (tree.left[node], tree.right[node])
        if left == -1 && right == -1 { return nil }
        let inside = 0..<tree.left.count
        guard inside.contains(left), inside.contains(right) else {
            throw ModelError.failed("node \(node) has children \(left) and \(right) of \(inside.upperBound) nodes")
        }
        return (left, right)
    }

    private func leaf(_ node: Int, in tree: XGBoostTree) throws -> UInt64 {
        let value = tree.conditions[node]
        guard value.isFinite else { throw ModelError.failed("leaf \(node) has the value \(value)") }
        return Self.pack(value, leafSlot)
    }

    private func inner(_ node: Int, in tree: XGBoostTree, delta: Int) throws -> UInt64 {
        let (feature, threshold) = (tree.features[node], tree.conditions[node])
        guard feature < columns else {
            throw ModelError.failed("node \(node) splits on feature \(feature) of \(columns)")
        }
        // Smaller than -∞ is nothing, not even what is missing and defaults to the left.
        guard !threshold.isNaN, threshold != -.infinity else {
            throw ModelError.failed("node \(node) has the threshold \(threshold)")
        }
        guard delta >> (UInt32.bitWidth - Int(slotBits)) == 0 else {
            throw ModelError.failed("too many nodes (over \(delta)) for a model of \(columns) columns")
        }
        let slot = UInt32(2 * feature + tree.defaultsLeft[node])
        return Self.pack(threshold, UInt32(delta) << slotBits | slot)
    }

    private static func pack(_ number: Float, _ link: UInt32) -> UInt64 {
        UInt64(link) << 32 | UInt64(number.bitPattern)
    }
}
