import RoostPlugin

/// The hot kernel for single rows, and for groups of trees too large for blocks.
///
/// Invariant: `ForestBuilder` made every root and every `place + delta + 1` an index of `nodes`, every slot smaller
/// than `slotCount`, every leaf a fixed point; `groupStarts` ascends to `groups.count`.
extension Forest {
    /// The margins of every row, `outputs` per row, row by row.
    ///
    /// - Parameters:
    ///   - features: `columns` per row; NaN is missing.
    ///   - margins: `outputs` per row, to be written.
    func walk(_ features: Span<Float>, rows: Int, into margins: inout MutableSpan<Float>) {
        precondition(features.count == rows * columns && margins.count == rows * outputs, "spans fit the batch")
        unsafe features.withUnsafeBufferPointer { features in
            unsafe margins.withUnsafeMutableBufferPointer { margins in
                unsafe withUnsafeTemporaryAllocation(of: Float.self, capacity: slotCount) { slots in
                    guard let slots = slots.baseAddress, let features = features.baseAddress else { return }
                    for row in 0..<rows {
                        unsafe fill(slots, from: features + row * columns)
                        for output in 0..<outputs {
                            unsafe margins[row * outputs + output] = margin(of: output, slots)
                        }
                    }
                }
            }
        }
    }

    func fill(_ slots: UnsafeMutablePointer<Float>, from row: UnsafePointer<Float>) {
        for column in 0..<columns {
            let value = unsafe row[column]
            unsafe slots[2 * column] = value.isNaN ? .infinity : value
            unsafe slots[2 * column + 1] = value.isNaN ? -.infinity : value
        }
        unsafe slots[2 * columns] = -.infinity
    }

    func margin(of output: Int, _ slots: UnsafePointer<Float>) -> Float {
        var sum = unsafe base.buffer[output]
        for index in unsafe groupStarts.buffer[output]..<groupStarts.buffer[output + 1] {
            sum = unsafe self.sum(sum, group: index, slots)
        }
        return sum
    }

    /// `start`, and what the trees of a group answer for one row.
    @inline(__always) func sum(_ start: Float, group index: Int, _ slots: UnsafePointer<Float>) -> Float {
        guard let nodes = unsafe self.nodes.buffer.baseAddress, let groups = unsafe self.groups.buffer.baseAddress
        else { return start }
        let walk = unsafe Walk(nodes: nodes, slots: slots, slotBits: slotBits)
        let roots = unsafe groups[index].roots
        var (a, b, c, d) = (Int(roots.0), Int(roots.1), Int(roots.2), Int(roots.3))
        var (e, f, g, h) = (Int(roots.4), Int(roots.5), Int(roots.6), Int(roots.7))
        for _ in 0..<(unsafe groups[index].steps) {
            walk.step(&a)
            walk.step(&b)
            walk.step(&c)
            walk.step(&d)
            walk.step(&e)
            walk.step(&f)
            walk.step(&g)
            walk.step(&h)
        }
        // In the file's order, one by one: float32 sums depend on it.
        var sum = start
        sum += walk.value(a)
        sum += walk.value(b)
        sum += walk.value(c)
        sum += walk.value(d)
        sum += walk.value(e)
        sum += walk.value(f)
        sum += walk.value(g)
        sum += walk.value(h)
        return sum
    }
}

/// One row on its way through the trees.
///
/// Safe: by the invariant above, `step` leads from a place in `nodes` to another, reading a slot that is there.
@safe private struct Walk {
    let nodes: UnsafePointer<UInt64>
    let slots: UnsafePointer<Float>
    let mask: UInt32
    let slotBits: UInt32

    init(nodes: UnsafePointer<UInt64>, slots: UnsafePointer<Float>, slotBits: UInt32) {
        unsafe (self.nodes, self.slots) = (nodes, slots)
        self.slotBits = slotBits
        mask = 1 << slotBits &- 1
    }

    @inline(__always) func step(_ place: inout Int) {
        let node = unsafe nodes[place]
        let link = UInt32(truncatingIfNeeded: node >> 32)
        let value = unsafe slots[Int(link & mask)]
        place &+= Int(link &>> slotBits) &+ (value < Float(bitPattern: UInt32(truncatingIfNeeded: node)) ? 0 : 1)
    }

    @inline(__always) func value(_ place: Int) -> Float {
        Float(bitPattern: UInt32(truncatingIfNeeded: unsafe nodes[place]))
    }
}
