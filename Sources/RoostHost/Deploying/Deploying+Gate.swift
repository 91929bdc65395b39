internal import RoostBasics
internal import RoostFunctions
internal import RoostProcess

/// Gates: what a version has to reach between probation and traffic.
extension Deploying {
    /// Begins to measure a version that has passed probation; false when nothing is asked of it.
    ///
    /// What was proven before, by another build of the host, has passed its gate then: a restart must not take away
    /// what serves because a file of rows has gone or the labels have changed.
    func holdAgainstGate(
        _ id: VersionID, _ stored: StoredFile, _ settings: LoadSettings, _ proof: Probation.Result
    ) throws -> Bool {
        guard let policy = manifests[id.function].gate, let function = machine.functions[id.function],
            function.versions[id.number]?.verification == nil
        else { return false }
        let candidate = GateTrial.Candidate(id: id, artifact: proof.artifact, verification: proof.verification)
        let leading = function.route.map { VersionID(id.function, $0.leading) }
        let trial = try GateTrial(
            policy, threshold: manifests[id.function].threshold, candidate,
            serving: leading.flatMap { $0 == id ? nil : proven($0) }, settings,
            patience: options.loadTimeout, on: loop, processes
        ) { [unowned self] verdict in judged(id, stored, settings, proof, verdict) }
        trials[id] = (trial, proof.template)
        submit { [disk] in disk.readGate(id, policy) }
        return true
    }

    private func proven(_ id: VersionID) -> GateTrial.Candidate? {
        guard let artifact = artifact(id),
            let verification = machine.functions[id.function]?.versions[id.number]?.verification
        else { return nil }
        return GateTrial.Candidate(id: id, artifact: artifact, verification: verification)
    }

    private func judged(
        _ id: VersionID, _ stored: StoredFile, _ settings: LoadSettings, _ proof: Probation.Result,
        _ verdict: Result<String, RoostError>
    ) {
        trials[id] = nil
        switch verdict {
        case .success(let words):
            onLine("\(id) gate: \(words)")
            // One that may not be forked was used up as the instance that answered.
            accept(id, stored, settings, proof, keepingTemplate: proof.report.isForkable)
        case .failure(let error):
            processes.kill(proof.template)
            tell(.verifyFailed(id, digest: stored.digest, reason: "gate: \(error)"))
        }
    }

    func cancelTrial(of id: VersionID) {
        guard let (trial, template) = trials.removeValue(forKey: id) else { return }
        trial.cancel()
        processes.kill(template)
    }
}
