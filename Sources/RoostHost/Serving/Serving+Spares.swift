internal import RoostBasics
internal import RoostPool
internal import RoostProcess
internal import RoostScaling

/// Instances forked ahead: a version that was called and has fallen to zero keeps one process that waits at its channel,
/// so that the next first request pays for a wake-up instead of a fork.
///
/// A spare is no instance: the pool does not know it, it has no requests, costs what a fork costs (about 0.3 MB), and
/// goes with its template. There is one only where there is no instance, so a version never has more processes than
/// `scale.max`, and only for the versions that were called last.
extension Serving {
    /// Versions that have a spare at the same time.
    static let sparesMax = 32

    /// After an instance's end, forks a spare if that was the last one.
    func keepSpare(_ service: VersionService) {
        guard case .warm(let template) = service.template, service.report?.isForkable == true, service.spare == nil,
            service.instances.isEmpty, service.startsAsked.isEmpty, service.pool.isIdle, !service.isRetiring,
            service.pool.demand == .kept, !service.pool.isQuarantined, places.free > spares.count
        else { return }
        // Without descriptors or memory to spare, the next request forks and says so.
        guard var spare = try? forked(from: template) else { return }
        spare.wasSpare = true
        service.spare = spare
        serviceOf[spare.id] = service
        spares.append(service)
        if isCurrent(service) { cache.hold(service.id) }
        if spares.count > Self.sparesMax { endSpare(spares[0]) }
    }

    /// The version's spare, from now on an instance.
    func takeSpare(_ service: VersionService) -> VersionService.Live? {
        guard let spare = service.spare else { return nil }
        forget(service)
        return spare
    }

    func endSpare(_ service: VersionService) {
        guard let spare = service.spare else { return }
        serviceOf[spare.id] = nil
        forget(service)
        processes.kill(spare.id)
    }

    func spareStarted(_ id: InstanceID, process: Int32, of service: VersionService) {
        guard service.spare?.id == id else { return }
        service.spare?.pid = process
        letGo(service)
    }

    /// It ended by itself, or by somebody's hand: the next request forks.
    func spareExited(_ service: VersionService, _ status: ExitStatus) {
        guard let spare = service.spare else { return }
        serviceOf[spare.id] = nil
        forget(service)
        service.log.append(line: "roost: instance \(spare.id), forked ahead, \(status)")
        letGo(service)
    }

    private func forget(_ service: VersionService) {
        service.spare = nil
        spares.removeAll { $0 === service }
    }
}
