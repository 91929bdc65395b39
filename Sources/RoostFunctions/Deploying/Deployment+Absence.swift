public import RoostBasics
internal import RoostTraffic

/// Taking a function out of service and back, as clients of a model repository do: its versions stay, and new ones may
/// come, but none takes requests or memory. It is remembered over a restart.
extension Deployment {
    /// `POST /v2/repository/models/credit/unload`. Nothing to do for one that is out of service already.
    /// - Throws: `.notFound`; `.conflict` while a rollout decides about its traffic.
    public mutating func unload(_ name: FunctionName, by who: String, at now: Instant) throws(RoostError)
        -> [DeployAction]
    {
        let function = try known(name)
        guard function.absence == nil else { return takeActions() }
        try demandNoRollout(function)
        functions[name]?.absence = FunctionDeployment.Absence(leading: function.route?.leading)
        functions[name]?.watch = nil
        note(name, by: who, "unloaded", from: function.route?.description ?? "none")
        reroute(name, at: now)
        // What had traffic goes when its last request is answered; what had none, now.
        for version in function.versions.values.sorted(by: { $0.id < $1.id }) where version.state == .ready {
            release(version.id)
        }
        return takeActions()
    }

    /// `POST /v2/repository/models/credit/load`: what serves then follows from the origin of its shares, as ever; a
    /// version that came meanwhile has to earn its traffic where a plan says so. Nothing to do for one in service.
    /// - Throws: `.notFound`.
    public mutating func load(_ name: FunctionName, by who: String, at now: Instant) throws(RoostError)
        -> [DeployAction]
    {
        guard try known(name).absence != nil else { return takeActions() }
        functions[name]?.absence = nil
        note(name, by: who, "loaded")
        reroute(name, at: now)
        if let newest = functions[name]?.highestAvailable, beginsRollout(VersionID(name, newest), at: now) {
            reroute(name, at: now)
        }
        return takeActions()
    }

    /// Whoever wants to change who serves has to take the function back into service first.
    func demandPresence(_ function: FunctionDeployment) throws(RoostError) {
        if let reason = function.absenceReason { throw RoostError(.conflict, reason) }
    }
}
