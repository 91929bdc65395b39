import RoostPlugin

/// All trees of a model, flat, in shared model memory.
///
/// A node is 8 bytes: below, a float32 threshold or leaf value; above, `delta << slotBits | slot`. Its children stand
/// side by side, `delta` places after it, left first. One step of a walk, the same for inner nodes and leaves:
///
///     place += delta + (row[slot] < threshold ? 0 : 1)
///
/// A row has two slots per column, which differ only where the value is missing: +∞ (goes right) and -∞ (goes left);
/// a node reads the one that its default direction asks for. A leaf stays where it is: its delta is 0, and its slot
/// holds -∞, which is smaller than any value. So a walk needs no branch, and walks of several trees overlap.
struct Forest {
    /// Trees walked at once. They belong to one output and are added in the file's order.
    static let lanes = 8

    /// Eight trees: where their roots are, and how many steps the deepest takes.
    struct Group: BitwiseCopyable {
        var roots: (UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32, UInt32)
        var steps: UInt32
    }

    let nodes: ModelArray<UInt64>
    let groups: ModelArray<Group>
    /// The groups of each output: from its place here to the next.
    let groupStarts: ModelArray<Int>
    /// Margin of each output before any tree.
    let base: ModelArray<Float>
    let columns: Int
    let slotBits: UInt32

    var outputs: Int { base.count }
    /// Floats that one row takes as slots.
    var slotCount: Int { 2 * columns + 1 }

    /// - Parameters:
    ///   - trees: With the output that each adds to, in the file's order.
    ///   - base: Margin of each output before any tree.
    init(
        _ trees: [(tree: XGBoostTree, output: Int)], columns: Int, base: [Float], in memory: borrowing ModelMemory
    ) throws {
        var builder = ForestBuilder(columns: columns)
        var groups: [Group] = []
        var starts = [0]
        var members = [[Int]](repeating: [], count: base.count)
        for index in trees.indices { members[trees[index].output].append(index) }
        for members in members {
            var roots: [(root: Int, depth: Int)] = []
            for index in members {
                do { roots.append(try builder.append(trees[index].tree)) } catch {
                    throw ModelError.failed("tree \(index): \(error)")
                }
            }
            groups += try stride(from: 0, to: roots.count, by: Self.lanes).map { first in
                try builder.group(roots[first..<min(first + Self.lanes, roots.count)])
            }
            starts.append(groups.count)
        }
        nodes = try memory.copy(builder.nodes)
        self.groups = try memory.copy(groups)
        groupStarts = try memory.copy(starts)
        self.base = try memory.copy(base)
        self.columns = columns
        slotBits = builder.slotBits
    }
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

    /// Appends one tree in pre-order; where its root is, and how many steps its deepest leaf is away.
    mutating func append(_ tree: XGBoostTree) throws -> (root: Int, depth: Int) {
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
        return (root, depth)
    }

    func group(_ trees: ArraySlice<(root: Int, depth: Int)>) throws -> Forest.Group {
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
