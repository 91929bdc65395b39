internal import RoostBasics

extension Instant {
    /// Later than anything.
    static let never = Self(nanoseconds: .max)
}
