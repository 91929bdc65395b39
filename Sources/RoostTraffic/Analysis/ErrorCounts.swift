/// Errors of one version over all strata, standardised, with how much more they vary than independent ones.
struct ErrorCounts {
    let standard: Standardised
    /// Weighed.
    let sum: Double
    /// As counted, in strata with both versions.
    let errors: Int
    let requests: Int
    /// Of `sum`, if requests were independent of each other.
    let variance: Double
    /// By how many times errors by key vary more than that; at least 1.
    let effect: Double

    init(_ arms: [Arm], against others: [Arm]) {
        let standard = Standardised(arms.map(\.requests), against: others.map(\.requests))
        self.standard = standard
        var (sum, errors, requests, variance) = (0.0, 0, 0, 0.0)
        for (arm, weight) in zip(arms, standard.weights) where weight > 0 {
            sum += weight * Double(arm.errors)
            errors += arm.errors
            requests += arm.requests
            variance += weight * weight * Double(arm.errors) * (1 - Self.rate(arm))
        }
        (self.sum, self.errors, self.requests, self.variance) = (sum, errors, requests, variance)
        effect = Self.effect(arms, standard.weights, variance: variance)
    }

    var rate: Double { standard.size > 0 ? sum / standard.size : 0 }

    private static func rate(_ arm: Arm) -> Double { Double(arm.errors) / Double(max(1, arm.requests)) }

    /// Blocks are added up over strata first: a key that came back in the next step is still one key.
    private static func effect(_ arms: [Arm], _ weights: [Double], variance: Double) -> Double {
        guard variance > 0, !arms.allSatisfy(\.blocks.isEmpty) else { return 1 }
        var (spread, ofKeys, blocks) = (0.0, 0.0, 0.0)
        for block in 0..<KeyBlocks.count {
            var (residual, isUsed) = (0.0, false)
            for (arm, weight) in zip(arms, weights) where weight > 0 {
                let (requests, errors) = arm.blocks[block]
                guard requests > 0 else { continue }
                isUsed = true
                residual += weight * (Double(errors) - rate(arm) * Double(requests))
                ofKeys += weight * weight * Double(errors) * (1 - rate(arm))
            }
            spread += residual * residual
            if isUsed { blocks += 1 }
        }
        guard blocks > 0 else { return 1 }
        // All from one key: whatever happened, happened once.
        guard blocks > 1 else { return max(1, variance) }
        return max(1, (spread * blocks / (blocks - 1) + variance - ofKeys) / variance)
    }
}
