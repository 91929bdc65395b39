/// One inner node of a tree, as a step of a program that answers many rows at once, each in a lane of a vector.
///
/// Up to a size of trees it costs less to compute all their nodes in every lane, bottom up,
/// `x < threshold ? left : right`, than to walk: the order is the same for all rows, so there is no branch that
/// depends on a row and nothing to be looked up by lane, for which the x86-64 baseline has no instruction. The thought
/// is QuickScorer's (Lucchese et al., SIGIR 2015; with vectors: Exploiting CPU SIMD Extensions to Speed-up Document
/// Scoring with Tree Ensembles, SIGIR 2016). There bit sets of leaves go through the nodes, and each row's leaf is
/// looked up at the end; here it is the leaves' values, because these look-ups cost more than all the nodes.
///
/// What stands in a lane is a value's bits XOR a key that is known when the program is made. Where one child is a
/// leaf, its bits are the key, so that clearing a lane chooses it:
///
///     right child a leaf    lane = (lane ^ flip) & (x < threshold)
///     left child a leaf     lane = (lane ^ flip) & (x >= threshold)
///     both leaves           as the first, lane being 0 before
///     none a leaf           lane ^= (lane ^ left ^ flip) & (x < threshold)
///
/// where lane holds what the right subtree answered (or the only one), `left` what the left one did and was put aside,
/// and `flip` is the difference of the children's keys.
///
/// Measured on a shared AMD EPYC core with 1,000 rows of 30 columns in one batch, time and callgrind's instructions a
/// row, of which 0.07 µs are the test host's:
///
/// | model | splits a tree | walk | blocks |
/// |---|---|---|---|
/// | functions/cancer: 200 trees, depth 6 | 3 | 0.70 µs, 8,800 | 0.18 µs, 2,100 |
/// | 500 trees, depth 3, full | 7 | 1.8 µs | 0.60 µs |
/// | 300 trees, depth 4, full | 15 | 1.5 µs | 0.71 µs |
/// | 200 trees, depth 6, 34 splits each | 34 | 1.5 µs | 1.0 µs |
/// | 200 trees, depth 6, full | 63 | 1.65 µs | 1.4 µs, by walks |
struct Selection: BitwiseCopyable {
    var threshold: Float
    var flip: UInt32
    /// At a tree's last node, turns the lane into the tree's answer.
    var key: UInt32
    /// `slot << 4`, and the kind.
    var link: UInt32

    /// The lane holds a value that is still needed: it is put aside first.
    static let pushes: UInt32 = 1
    static let isLeftLeaf: UInt32 = 2
    static let hasNoLeaf: UInt32 = 4
    static let isLast: UInt32 = 8
    static let kindBits: UInt32 = 4
}

/// Makes the programs of the groups for which that pays.
struct SelectionBuilder {
    private(set) var selections: [Selection] = []
    private(set) var ends: [UInt32] = [0]
    private(set) var stackHeight = 0
    /// Whether any group has no program.
    private(set) var leavesWalks = false
    private let columns: Int
    private let slotBits: UInt32
    /// Steps that a row takes through all groups with a program.
    private var stepsSaved = 0

    /// A lane takes 0.15 ns for a selection, a walk 1.4 ns for a step (AMD EPYC at 3 GHz).
    private static let selectionsPerStep = 8
    /// Programs are made by recursion.
    private static let depthMax = 32
    /// Up to here the slots of a block stay in the second cache.
    private static let columnsMax = 1024
    /// Walks alone gain a sixth by blocks, as a group's nodes stay in the first cache.
    private static let walksMinimum = 8

    init(columns: Int, slotBits: UInt32) {
        self.columns = columns
        self.slotBits = slotBits
    }

    /// From how many rows on a block costs less than as many walks: its selections cost as much for one row as for all.
    var blockMinimum: Int {
        guard columns <= Self.columnsMax else { return .max }
        guard stepsSaved > 0 else { return Self.walksMinimum }
        let blockSteps = RowBlock.rows * selections.count / Self.selectionsPerStep + 16 * columns
        return min(RowBlock.rows, blockSteps / stepsSaved + 1)
    }

    /// Appends the program of the next group, or none.
    ///
    /// - Parameter nodes: As `Forest` holds them, where the trees are proved to be trees.
    mutating func append(_ trees: ArraySlice<PlacedTree>, of nodes: [UInt64]) {
        defer { ends.append(UInt32(selections.count)) }
        let depth = trees.map(\.depth).max() ?? 0
        let count = trees.reduce(0) { $0 + max($1.splits, 1) }
        guard columns <= Self.columnsMax, depth <= Self.depthMax,
            count <= Forest.lanes * max(depth, 1) * Self.selectionsPerStep, selections.count + count <= UInt32.max
        else {
            leavesWalks = true
            return
        }
        for tree in trees { append(tree.root, of: nodes) }
        stepsSaved += Forest.lanes * depth
    }

    private mutating func append(_ root: Int, of nodes: [UInt64]) {
        if let key = append(root, of: nodes, aside: 0, isLive: false) {
            selections[selections.count - 1].key = key
            selections[selections.count - 1].link |= Selection.isLast
        } else {
            // A tree of one leaf: whatever is compared, the lane is 0.
            selections.append(
                Selection(threshold: 0, flip: 0, key: UInt32(truncatingIfNeeded: nodes[root]), link: Selection.isLast))
        }
    }

    /// Appends the nodes below `place` and its own; the key of what they leave in the lane, nil for a leaf.
    ///
    /// - Parameters:
    ///   - aside: How many values are put aside.
    ///   - isLive: Whether the lane holds a value that is still needed.
    private mutating func append(_ place: Int, of nodes: [UInt64], aside: Int, isLive: Bool) -> UInt32? {
        let link = UInt32(nodes[place] >> 32)
        let (delta, slot) = (Int(link >> slotBits), link & (1 << slotBits - 1))
        guard delta > 0 else { return nil }
        let (left, right) = (place + delta, place + delta + 1)
        let leftKey = append(left, of: nodes, aside: aside, isLive: isLive)
        let isBelow = leftKey != nil
        let rightKey = append(right, of: nodes, aside: isBelow && isLive ? aside + 1 : aside, isLive: isLive || isBelow)
        // What stands for the children: their keys, or they themselves.
        let before = (
            left: leftKey ?? UInt32(truncatingIfNeeded: nodes[left]),
            right: rightKey ?? UInt32(truncatingIfNeeded: nodes[right])
        )
        let (kind, key): (UInt32, UInt32) =
            switch (leftKey, rightKey) {
            case (nil, nil): (isLive ? Selection.pushes : 0, before.right)
            case (_, nil): (0, before.right)
            case (nil, _): (Selection.isLeftLeaf, before.left)
            default: (Selection.hasNoLeaf, before.right)
            }
        if kind == Selection.pushes { stackHeight = max(stackHeight, aside + 1) }
        selections.append(
            Selection(
                threshold: Float(bitPattern: UInt32(truncatingIfNeeded: nodes[place])),
                flip: before.left ^ before.right, key: 0, link: slot << Selection.kindBits | kind))
        return key
    }
}
