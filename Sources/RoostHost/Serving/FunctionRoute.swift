internal import RoostBasics
internal import RoostHTTP
internal import RoostTraffic

/// Where one function's requests go.
final class FunctionRoute {
    let name: FunctionName
    private let nameBytes: [UInt8]
    /// Of the name.
    let hash: Int
    /// The shares in force, with their counter; nil when nothing serves.
    private var counter: SplitCounter?
    /// In the order of the shares' versions.
    private var chosen: [VersionService] = []
    /// For callers that have a key; nil when the function has none.
    private var sticky: Sticky?
    /// Requests that the counter divided because they came without the key.
    private(set) var withoutKey: UInt64 = 0

    /// Who answers for a version on trial; nil when nothing serves.
    private(set) var stable: VersionService?
    /// Who is given copies, and of which part of the requests. Manifest or rollout set it.
    private(set) var shadow: Shadow?

    struct Shadow {
        let service: VersionService
        var sampler: Sampler
    }

    private struct Sticky {
        let reader: StickyReader
        /// Per slot an index into `chosen`.
        let owners: [UInt8]
    }

    init(_ name: FunctionName) {
        self.name = name
        let bytes = Array(name.text.utf8)
        nameBytes = bytes
        hash = RouteTable.hash(bytes.bytes)
    }

    func isNamed(_ name: RawSpan) -> Bool {
        let own = nameBytes
        return own.bytes.hasSameBytes(as: name)
    }

    /// Changes the shares in one step; counting begins anew if they are others. `services` are in the order of the
    /// shares' versions.
    /// - Parameters:
    ///   - stable: answers for those on trial; it need not have a share.
    ///   - trials: the indices of those on trial.
    func set(
        _ shares: TrafficShares?, _ services: [VersionService], stable: VersionService?, trials: Set<Int>, seed: UInt64
    ) {
        for service in chosen { service.isOnTrial = false }
        for index in services.indices { services[index].isOnTrial = trials.contains(index) }
        self.stable = stable
        chosen = services
        // A version whose file cannot be read has no service: then nothing serves rather than somebody else.
        guard let shares, services.count == shares.versions.count else {
            counter = nil
            return
        }
        if counter == nil { counter = SplitCounter(shares, seed: seed) } else { counter?.replace(shares) }
    }

    /// Binds callers with a key to versions, or nobody to any. To be called after `set`.
    func bind(_ key: StickyKey?, _ slots: StickySlots?) {
        // Slots of other shares than those in force are of a decision that is still on its way here.
        guard let key, let slots, slots.versions == counter?.split.versions else {
            sticky = nil
            return
        }
        sticky = Sticky(reader: StickyReader(key, of: name), owners: slots.owners)
    }

    /// Copies a percentage of the answered requests to a version from now on; nil: none.
    func copy(to service: VersionService?, percent: Int, seed: UInt64) {
        guard let service, let sampler = try? Sampler(percent: percent, seed: seed) else {
            shadow = nil
            return
        }
        if shadow?.service !== service || shadow?.sampler.percent != percent {
            shadow = Shadow(service: service, sampler: sampler)
        }
    }

    /// Who is given a copy of the request that was just answered; nil when it is not chosen.
    func nextShadow() -> VersionService? {
        shadow?.sampler.next() == true ? shadow?.service : nil
    }

    /// Who answers this request; nil when nothing serves.
    @inline(__always)
    func next(_ head: borrowing RequestHead) -> Addressee? {
        guard counter != nil else { return nil }
        if sticky != nil, let bound = bound(head) { return bound }
        return (counter?.next()).map { Addressee(service: chosen[$0], route: self, slot: nil) }
    }

    /// Who answers a request of the host itself; nil when nothing serves. Such a request has no key.
    func nextInside() -> Addressee? { (counter?.next()).map { Addressee(service: chosen[$0], route: self, slot: nil) } }

    private func bound(_ head: borrowing RequestHead) -> Addressee? {
        guard let sticky else { return nil }
        guard let slot = sticky.reader.slot(head) else {
            withoutKey &+= 1
            return nil
        }
        return Addressee(service: chosen[Int(sticky.owners[slot])], route: self, slot: UInt16(slot))
    }

    var shares: TrafficShares? { counter?.split.shares }
    var stickyKey: StickyKey? { sticky?.reader.key }

    /// The version with the largest share: it speaks for the function.
    var leading: VersionService? {
        guard let split = counter?.split, let at = split.versions.firstIndex(of: split.shares.leading) else {
            return nil
        }
        return chosen[at]
    }
}

/// Who answers a request, and why.
struct Addressee {
    let service: VersionService
    /// Whose traffic chose the version; nil when the caller named it.
    let route: FunctionRoute?
    /// Of the key by which the caller is bound: requests of one slot may succeed and fail together. Nil when the
    /// caller is not bound.
    let slot: UInt16?
}

extension StickyReader {
    /// The slot of a request; nil when it has no key.
    fileprivate func slot(_ head: borrowing RequestHead) -> Int? {
        var slot: Int?
        switch key.place {
        case .query: slot = self.slot(inQuery: head.query)
        case .header:
            head.findHeader(name.bytes) { value in
                slot = self.slot(of: value)
                return true
            }
        case .cookie:
            head.findHeader(Self.cookie.bytes) { value in
                slot = self.slot(inCookies: value)
                return slot != nil
            }
        }
        return slot
    }

    private static let cookie = Array("cookie".utf8)
}
