internal import RoostBasics
internal import RoostDelivery

/// Whose items they are: those of one trigger, or of its sink. The kind is part of it, since an item of one kind means
/// nothing to another that took its name.
struct DeliveryOwner: Hashable, Sendable, Comparable, CustomStringConvertible {
    enum Kind: String, Hashable, Sendable, CaseIterable {
        case file, schedule, event, queue, sink
    }

    let function: FunctionName
    /// The name of the trigger in the manifest.
    let trigger: String
    let kind: Kind

    init(_ function: FunctionName, _ trigger: String, _ kind: Kind) {
        self.function = function
        self.trigger = trigger
        self.kind = kind
    }

    /// As metrics and status call it: the outcomes on their way to a sink are told apart from what they came from.
    var label: String { kind == .sink ? "\(trigger)/sink" : trigger }
    var description: String { "\(function)/\(label)" }

    static func < (left: Self, right: Self) -> Bool {
        (left.function, left.label) < (right.function, right.label)
    }
}

/// One item on its way into the store.
struct DeliverySubmission: Hashable, Sendable {
    let owner: DeliveryOwner
    /// Unique within the owner: the same key again is the same item.
    let key: String
    /// What the owner needs to run it, in its own words.
    let payload: [UInt8]
}

/// An item as it lies on the disk.
struct StoredDelivery: Hashable, Sendable {
    var record: DeliveryRecord
    var payload: [UInt8] = []
    /// What its successful run left; nil without.
    var result: [UInt8]?
}

/// What a run has to say when it succeeds.
struct DeliveryOutput: Hashable, Sendable {
    /// Kept with the item, in the same transaction as its end.
    var result: [UInt8]?
    /// Submitted in the same transaction; a key that is known is not submitted again.
    var then: [DeliverySubmission] = []
}

/// What was asked of an item's owner, and when it is known to be on the disk.
struct SubmittedDelivery: Hashable, Sendable {
    let record: DeliveryRecord
    /// The key was there already.
    let isDuplicate: Bool
}

/// A number that an owner keeps beside its items, and may change in the transaction that submits one.
struct DeliveryMark: Hashable, Sendable {
    let owner: DeliveryOwner
    /// What the number says something of: with another subject it means nothing.
    let subject: String
    let value: Int64
}
