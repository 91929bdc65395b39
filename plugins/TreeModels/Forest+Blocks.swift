import RoostPlugin

/// The hot kernel for batches of `blockMinimum` rows and more.
///
/// Invariant: besides that of `walk`, `SelectionBuilder` made `selectionEnds` ascend from 0 to `selections.count`, one
/// more than there are groups; every slot is smaller than `slotCount`, every program takes from the stack what it put
/// there, and puts no more than `stackHeight` there at once.
extension Forest {
    /// The margins of every row, `outputs` per row, in blocks of 32 rows; the same bits as `walk` gives.
    ///
    /// A group of trees is done for all rows of a block before the next: its nodes stay in the nearest cache.
    ///
    /// - Parameters:
    ///   - features: `columns` per row; NaN is missing.
    ///   - margins: `outputs` per row, to be written.
    func answerBlocks(_ features: Span<Float>, rows: Int, into margins: inout MutableSpan<Float>) {
        precondition(features.count == rows * columns && margins.count == rows * outputs, "spans fit the batch")
        unsafe features.withUnsafeBufferPointer { features in
            unsafe margins.withUnsafeMutableBufferPointer { margins in
                let count = BlockMemory.count(of: self)
                unsafe withUnsafeTemporaryAllocation(of: RowBlock.self, capacity: count) { blocks in
                    guard let blocks = blocks.baseAddress, let features = features.baseAddress,
                        let margins = margins.baseAddress
                    else { return }
                    let memory = unsafe BlockMemory(blocks, for: self)
                    for first in stride(from: 0, to: rows, by: RowBlock.rows) {
                        unsafe answer(
                            features + first * columns, rows: min(RowBlock.rows, rows - first),
                            into: margins + first * outputs, memory)
                    }
                }
            }
        }
    }

    private func answer(
        _ features: UnsafePointer<Float>, rows: Int, into margins: UnsafeMutablePointer<Float>, _ memory: BlockMemory
    ) {
        let isBlock = rows >= blockMinimum
        if isBlock && !selections.isEmpty { unsafe fill(memory.slots, from: features, rows: rows) }
        if !isBlock || hasWalks {
            for row in 0..<rows { unsafe fill(memory.slots(ofRow: row, of: slotCount), from: features + row * columns) }
        }
        for output in 0..<outputs {
            guard isBlock else {
                for row in 0..<rows {
                    unsafe margins[row * outputs + output] = margin(of: output, memory.slots(ofRow: row, of: slotCount))
                }
                continue
            }
            sum(output, rows: rows, memory)
            for row in 0..<rows { unsafe margins[row * outputs + output] = memory.sums[row] }
        }
    }

    /// Slots as `fill` gives one row, but a block for each.
    private func fill(_ slots: UnsafeMutablePointer<RowBlock>, from features: UnsafePointer<Float>, rows: Int) {
        for column in 0..<columns {
            let block = unsafe slots + 2 * column
            let lanes = unsafe UnsafeMutableRawPointer(block).assumingMemoryBound(to: Float.self)
            var feature = unsafe features + column
            for row in 0..<rows {
                unsafe lanes[row] = feature.pointee
                unsafe feature += columns
            }
            unsafe block[1] = block[0].replacingMissing(with: -.infinity)
            unsafe block[0] = block[0].replacingMissing(with: .infinity)
        }
    }

    /// The margins of one output in `sums`.
    private func sum(_ output: Int, rows: Int, _ memory: BlockMemory) {
        unsafe memory.block.pointee = unsafe RowBlock(repeating: base.buffer[output])
        for group in unsafe groupStarts.buffer[output]..<groupStarts.buffer[output + 1] {
            let program = unsafe Int(selectionEnds.buffer[group])..<Int(selectionEnds.buffer[group + 1])
            if program.isEmpty {
                for row in 0..<rows {
                    unsafe memory.sums[row] = sum(
                        memory.sums[row], group: group, memory.slots(ofRow: row, of: slotCount))
                }
            } else if let selections = unsafe selections.buffer.baseAddress {
                unsafe select(selections + program.lowerBound, program.count, memory)
            }
        }
    }

    /// Adds what a group's trees answer to the sums, tree by tree: float32 sums depend on the order.
    private func select(_ program: UnsafePointer<Selection>, _ count: Int, _ memory: BlockMemory) {
        var sums = unsafe memory.block.pointee
        var lanes = BlockBits()
        var top = unsafe memory.stack
        for index in 0..<count {
            let selection = unsafe program[index]
            let features = unsafe memory.slots + Int(selection.link >> Selection.kindBits)
            if selection.link & Selection.pushes != 0 {
                unsafe top.pointee = lanes
                unsafe top += 1
                lanes = BlockBits()
            }
            if selection.link & Selection.isLeftLeaf != 0 {
                unsafe lanes.select(selection.flip, where: features.pointee, isAtLeast: selection.threshold)
            } else if selection.link & Selection.hasNoLeaf == 0 {
                unsafe lanes.select(selection.flip, where: features.pointee, isLessThan: selection.threshold)
            } else {
                unsafe top -= 1
                unsafe lanes.select(
                    top.pointee, selection.flip, where: features.pointee, isLessThan: selection.threshold)
            }
            if selection.link & Selection.isLast != 0 {
                sums += lanes.values(key: selection.key)
                lanes = BlockBits()
            }
        }
        unsafe memory.block.pointee = sums
    }
}

/// What a block needs besides the model.
///
/// Safe: as long as the kernel above stays within what `count` makes room for.
@safe private struct BlockMemory {
    /// A block for each slot.
    let slots: UnsafeMutablePointer<RowBlock>
    /// As many floats for each row.
    let rowSlots: UnsafeMutablePointer<Float>
    let block: UnsafeMutablePointer<RowBlock>
    let stack: UnsafeMutablePointer<BlockBits>

    /// Blocks that it takes.
    static func count(of forest: Forest) -> Int { 2 * forest.slotCount + 1 + forest.stackHeight }

    init(_ start: UnsafeMutablePointer<RowBlock>, for forest: Forest) {
        // The lanes that the last block does not fill are read too. All the rest is written before it is read.
        if !forest.selections.isEmpty {
            unsafe start.initialize(repeating: RowBlock(repeating: 0), count: forest.slotCount)
        }
        unsafe slots = start
        unsafe rowSlots = UnsafeMutableRawPointer(start + forest.slotCount).assumingMemoryBound(to: Float.self)
        unsafe block = start + 2 * forest.slotCount
        unsafe stack = UnsafeMutableRawPointer(block + 1).assumingMemoryBound(to: BlockBits.self)
    }

    /// The sums, row by row.
    var sums: UnsafeMutablePointer<Float> {
        unsafe UnsafeMutableRawPointer(block).assumingMemoryBound(to: Float.self)
    }

    func slots(ofRow row: Int, of count: Int) -> UnsafeMutablePointer<Float> { unsafe rowSlots + row * count }
}
