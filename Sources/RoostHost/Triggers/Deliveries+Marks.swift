internal import RoostDelivery

/// What file triggers and schedules keep beside their items.
extension Deliveries {
    /// Nothing of an owner waits or runs, or is on its way to that.
    func isIdle(_ owner: DeliveryOwner) -> Bool { lanes[owner]?.queue.isIdle ?? true }

    /// What is in the hands of who carries it out.
    func running(of owner: DeliveryOwner) -> [DeliveryID] { lanes[owner]?.runs.keys.sorted() ?? [] }

    /// The same key may be submitted again, as another item: for work that leaves its place when it has ended.
    func releaseKey(of id: DeliveryID) { store.perform([.releaseKey(id)]) { _ in } }

    /// The owner's mark for a subject; where there is none, `value`, which is kept from now on.
    func mark(of owner: DeliveryOwner, for subject: String, orElse value: Int64, _ then: @escaping (Int64) -> Void) {
        store.perform([.readMark(DeliveryMark(owner: owner, subject: subject, value: value))]) { result in
            if case .success(let findings) = result, case .mark(let found)? = findings.first { then(found) }
        }
    }

    func forgetMark(of owner: DeliveryOwner) { store.perform([.removeMark(owner)]) { _ in } }
}
