/// Memory as weak as C11 lets it be where nobody speculates: the promise-free view machine of Kang et al., "A promising
/// semantics for relaxed-memory concurrency" (POPL 2017).
///
/// Each location has an order of writes. A thread knows a place in each order, may read any write from there on, and
/// learns from an ordered write what its writer knew. Fences exchange knowledge with all fences before them. So a store
/// may be seen late (as in a store buffer), two stores in either order, and an old value long after a new one was
/// written: everything that x86 and Arm do, except for reading what nobody has written yet.
struct WeakMemory: Hashable {
    /// For each location a place in its order of writes.
    typealias View = SIMD8<UInt8>

    enum Order { case relaxed, ordered }

    struct Write: Hashable {
        var value: UInt8
        /// What whoever reads it in order then knows.
        var view: View
        /// It replaced the write before it: nothing comes between the two.
        var isExchange: Bool
    }

    /// What one thread knows: for reading; what its next fence adds to that; what its relaxed stores pass on.
    struct Knowledge: Hashable {
        var current = View()
        var acquired = View()
        var released = View()
    }

    private(set) var writes: [[Write]]
    private(set) var threads: [Knowledge]
    /// What all fences before have known; and, for each object of the kernel, all calls that took its lock.
    private var fenced = View()
    private var locked: [View]

    init(locations: Int, threads: Int, kernelObjects: Int) {
        precondition(locations <= View.scalarCount)
        writes = Array(repeating: [Write(value: 0, view: View(), isExchange: false)], count: locations)
        self.threads = Array(repeating: Knowledge(), count: threads)
        locked = Array(repeating: View(), count: kernelObjects)
    }

    /// Places that `thread` may read from.
    func readable(_ location: Int, by thread: Int) -> Range<Int> {
        Int(threads[thread].current[location])..<writes[location].count
    }

    mutating func read(_ location: Int, at place: Int, by thread: Int, _ order: Order) -> UInt8 {
        let write = writes[location][place]
        threads[thread].note(location, place)
        threads[thread].acquired.join(write.view)
        if order == .ordered { threads[thread].current.join(write.view) }
        return write.value
    }

    /// Places that a store of `thread` may take.
    func writable(_ location: Int, by thread: Int) -> [Int] {
        let first = Int(threads[thread].current[location]) + 1
        return (first...writes[location].count).filter {
            $0 == writes[location].count || !writes[location][$0].isExchange
        }
    }

    mutating func write(_ value: UInt8, to location: Int, at place: Int, by thread: Int, _ order: Order) {
        insert(Write(value: value, view: View(), isExchange: false), location, place)
        threads[thread].note(location, place)
        var view = order == .ordered ? threads[thread].current : threads[thread].released
        view[location] = UInt8(place)
        writes[location][place].view = view
    }

    /// Places whose value an exchange may take.
    func exchangeable(_ location: Int, by thread: Int) -> [Int] {
        readable(location, by: thread).filter {
            $0 + 1 == writes[location].count || !writes[location][$0 + 1].isExchange
        }
    }

    /// Acquires and releases, as any exchange does at least. Returns the value that was there.
    mutating func exchange(_ value: UInt8, at location: Int, after place: Int, by thread: Int) -> UInt8 {
        let old = read(location, at: place, by: thread, .ordered)
        let inherited = writes[location][place].view
        insert(Write(value: value, view: View(), isExchange: true), location, place + 1)
        threads[thread].note(location, place + 1)
        var view = threads[thread].current
        view.join(inherited)
        view[location] = UInt8(place + 1)
        writes[location][place + 1].view = view
        return old
    }

    /// A sequentially consistent fence.
    mutating func fence(by thread: Int) {
        fenced.join(threads[thread].acquired)
        fenced.join(threads[thread].current)
        threads[thread] = Knowledge(current: fenced, acquired: fenced, released: fenced)
    }

    /// A system call that takes the lock of a kernel object: who takes it later knows what whoever took it before did.
    mutating func lock(_ object: Int, by thread: Int) {
        locked[object].join(threads[thread].acquired)
        locked[object].join(threads[thread].current)
        threads[thread] = Knowledge(current: locked[object], acquired: locked[object], released: locked[object])
    }

    /// Forgets what none of these threads can read any more, so that equal futures are equal states.
    mutating func forget(readers: [Int]) {
        for location in writes.indices {
            let oldest = readers.map { threads[$0].current[location] }.min() ?? UInt8(writes[location].count - 1)
            guard oldest > 0 else { continue }
            writes[location].removeFirst(Int(oldest))
            // Nothing stands before it that it could replace.
            writes[location][0].isExchange = false
            changeViews { $0[location] = $0[location] > oldest ? $0[location] - oldest : 0 }
        }
    }

    private mutating func insert(_ write: Write, _ location: Int, _ place: Int) {
        if place < writes[location].count {
            changeViews { if $0[location] >= UInt8(place) { $0[location] += 1 } }
        }
        writes[location].insert(write, at: place)
    }

    private mutating func changeViews(_ change: (inout View) -> Void) {
        change(&fenced)
        for index in locked.indices { change(&locked[index]) }
        for index in threads.indices {
            change(&threads[index].current)
            change(&threads[index].acquired)
            change(&threads[index].released)
        }
        for location in writes.indices {
            for place in writes[location].indices { change(&writes[location][place].view) }
        }
    }
}

extension WeakMemory.Knowledge {
    fileprivate mutating func note(_ location: Int, _ place: Int) {
        current[location] = max(current[location], UInt8(place))
        acquired[location] = max(acquired[location], UInt8(place))
    }
}

extension WeakMemory.View {
    fileprivate mutating func join(_ other: Self) { self = pointwiseMax(self, other) }
}
