import RoostBasics

/// What a policy made of a trace.
struct Figures {
    /// From arrival to the beginning of the call's own service, in nanoseconds, in order.
    private let waits: [UInt64]
    /// Instances times the seconds that they existed, those included in which they started or ended.
    let instanceSeconds: Double
    let starts: Int

    init(waits: [UInt64], instanceSeconds: Double, starts: Int) {
        self.waits = waits.sorted()
        self.instanceSeconds = instanceSeconds
        self.starts = starts
    }

    /// The smallest wait that `share` of all calls do not exceed.
    func quantile(_ share: Double) -> UInt64 {
        waits.isEmpty ? 0 : waits[min(waits.count - 1, Int(Double(waits.count) * share))]
    }

    /// Three cells of a table.
    var cells: String {
        "\(Self.time(quantile(0.5))) | \(Self.time(quantile(0.99))) | \(Int(instanceSeconds.rounded()))"
    }

    /// Milliseconds, with the digits that matter.
    private static func time(_ nanoseconds: UInt64) -> String {
        let milliseconds = Double(nanoseconds) / 1e6
        if milliseconds >= 10 { return "\(Int(milliseconds.rounded()))" }
        return "\((milliseconds * 100).rounded() / 100)"
    }
}
