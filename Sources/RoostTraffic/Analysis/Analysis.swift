/// Judges a new version against the stable one.
public enum Analysis {
    /// What the evidence says of going on to `nextShare` percent of traffic (100: of being promoted).
    public static func judge(_ evidence: Evidence, _ settings: AnalysisSettings, nextShare: Int) -> Verdict {
        Verdict([])
    }

    /// How many requests the new version needs until it may get `nextShare` percent, if it is as the stable one.
    /// - Parameter stable: what is known of the stable version; when it is empty, no errors are expected.
    public static func samplesNeeded(
        _ settings: AnalysisSettings, nextShare: Int, stable: Arm = Arm(warmUpLeft: 0)
    ) -> Int {
        settings.samplesMin
    }
}
