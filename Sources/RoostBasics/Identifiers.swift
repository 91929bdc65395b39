/// One request on its way through the host. The slot is reused, the generation tells its users apart.
public struct RequestID: Hashable, Sendable {
    public let slot: UInt32
    public let generation: UInt32

    @inlinable public init(slot: UInt32, generation: UInt32) {
        self.slot = slot
        self.generation = generation
    }
    /// As it travels through a channel.
    @inlinable public init(rawValue: UInt64) {
        self.init(slot: UInt32(truncatingIfNeeded: rawValue), generation: UInt32(truncatingIfNeeded: rawValue >> 32))
    }
    @inlinable public var rawValue: UInt64 { UInt64(generation) << 32 | UInt64(slot) }
}

/// One process that answers requests; never used again after its death.
public struct InstanceID: Hashable, Sendable, CustomStringConvertible {
    public let rawValue: UInt32
    @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }
    public var description: String { "#\(rawValue)" }
}

/// One process that has loaded a version and waits; never used again after its death.
public struct TemplateID: Hashable, Sendable, CustomStringConvertible {
    public let rawValue: UInt32
    @inlinable public init(rawValue: UInt32) { self.rawValue = rawValue }
    public var description: String { "template \(rawValue)" }
}
