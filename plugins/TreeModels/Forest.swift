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
    /// The programs of the groups that blocks of rows do not walk, one after the other (`Selection`).
    let selections: ModelArray<Selection>
    /// Where the program of each group ends in `selections`, after a leading 0; a group without one is walked.
    let selectionEnds: ModelArray<UInt32>
    let columns: Int
    let slotBits: UInt32
    /// How many values the programs put aside at once, at most.
    let stackHeight: Int
    /// Whether blocks walk any group.
    let hasWalks: Bool
    /// From how many rows on a block of them costs less than walking each.
    let blockMinimum: Int

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
        var programs = SelectionBuilder(columns: columns, slotBits: builder.slotBits)
        var groups: [Group] = []
        var starts = [0]
        var members = [[Int]](repeating: [], count: base.count)
        for index in trees.indices { members[trees[index].output].append(index) }
        for members in members {
            var placed: [PlacedTree] = []
            for index in members {
                do { placed.append(try builder.append(trees[index].tree)) } catch {
                    throw ModelError.failed("tree \(index): \(error)")
                }
            }
            for first in stride(from: 0, to: placed.count, by: Self.lanes) {
                let trees = placed[first..<min(first + Self.lanes, placed.count)]
                groups.append(builder.group(trees))
                programs.append(trees, of: builder.nodes)
            }
            starts.append(groups.count)
        }
        nodes = try memory.copy(builder.nodes)
        self.groups = try memory.copy(groups)
        groupStarts = try memory.copy(starts)
        self.base = try memory.copy(base)
        selections = try memory.copy(programs.selections)
        selectionEnds = try memory.copy(programs.ends)
        self.columns = columns
        slotBits = builder.slotBits
        stackHeight = programs.stackHeight
        hasWalks = programs.leavesWalks
        blockMinimum = programs.blockMinimum
    }
}
