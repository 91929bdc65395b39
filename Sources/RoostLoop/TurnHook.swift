/// Runs at the end of each turn of the loop: after every read, timer and message of the turn, just before the loop
/// blocks. It never keeps the loop alive.
public final class TurnHook {
    /// Which hooks run first.
    public enum Stage: Sendable {
        /// May still make work: sends what the turn has gathered, takes up what was held back.
        case gather
        /// Last: rings the doorbells for all work of the turn.
        case ring
    }

    let onTurnEnd: () -> Void
    private let stage: Stage
    private let loop: Loop

    /// The loop keeps the hook until `close`.
    public init(_ stage: Stage, on loop: Loop, _ onTurnEnd: @escaping () -> Void) {
        (self.stage, self.loop, self.onTurnEnd) = (stage, loop, onTurnEnd)
        loop.preconditionOnLoop()
        loop.add(self, stage)
    }

    /// Not from within a hook. May be repeated.
    public func close() { loop.remove(self, stage) }
}
