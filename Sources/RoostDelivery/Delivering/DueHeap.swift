internal import RoostBasics

/// What waits, ordered by when it is due, and among equals by when it came: a binary heap beside an index.
///
/// Removing from the middle leaves a stale place in the heap, which is dropped when it comes to the top, or when there
/// are more stale places than others.
struct DueHeap: Hashable, Sendable {
    struct Entry: Hashable, Sendable, Comparable {
        let due: Instant
        let sequence: UInt64
        let id: DeliveryID

        static func < (left: Self, right: Self) -> Bool {
            left.due == right.due ? left.sequence < right.sequence : left.due < right.due
        }
    }

    private var heap: [Entry] = []
    private var sequences: [DeliveryID: UInt64] = [:]
    private var last: UInt64 = 0

    var count: Int { sequences.count }

    func contains(_ id: DeliveryID) -> Bool { sequences[id] != nil }

    /// The one that is due first.
    var first: Entry? { heap.first }

    /// An id that is there already is moved.
    mutating func insert(_ id: DeliveryID, due: Instant) {
        last += 1
        sequences[id] = last
        heap.append(Entry(due: due, sequence: last, id: id))
        rise(heap.count - 1)
        dropStale()
    }

    @discardableResult mutating func remove(_ id: DeliveryID) -> Bool {
        guard sequences.removeValue(forKey: id) != nil else { return false }
        dropStale()
        return true
    }

    mutating func popFirst() -> DeliveryID? {
        guard let first else { return nil }
        remove(first.id)
        return first.id
    }

    private func isStale(_ entry: Entry) -> Bool { sequences[entry.id] != entry.sequence }

    private mutating func dropStale() {
        while let first = heap.first, isStale(first) {
            heap[0] = heap[heap.count - 1]
            heap.removeLast()
            if !heap.isEmpty { sink(0) }
        }
        guard heap.count > 2 * sequences.count + 16 else { return }
        heap.removeAll(where: isStale)
        heap.sort()  // what is sorted is a heap
    }

    private mutating func rise(_ place: Int) {
        var place = place
        while place > 0, heap[place] < heap[(place - 1) / 2] {
            heap.swapAt(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    private mutating func sink(_ place: Int) {
        var place = place
        while true {
            let children = [2 * place + 1, 2 * place + 2].filter { $0 < heap.count }
            guard let least = children.min(by: { heap[$0] < heap[$1] }), heap[least] < heap[place] else { return }
            heap.swapAt(place, least)
            place = least
        }
    }
}
