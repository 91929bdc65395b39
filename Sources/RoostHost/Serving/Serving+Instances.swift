internal import RoostBasics
internal import RoostChannel
internal import RoostLoop
internal import RoostPool
internal import RoostProcess
internal import RoostScaling

/// Templates and instances: how a pool's wish for one more becomes a process, and what a death leads to.
extension Serving: InstanceOwner {
    func start(_ service: VersionService) {
        service.startsAsked.append(loop.now)
        switch service.template {
        case .warm(let id): forkAll(service, from: id)
        case .cold: prepare(service)
        case .loading: break
        }
        // Until it has been forked.
        if isCurrent(service) { cache.hold(service.id) }
        letGo(service)
    }

    /// Forks what was asked for; a template that may not be forked becomes the first of them.
    func forkAll(_ service: VersionService, from template: TemplateID) {
        while case .warm(let current) = service.template, current == template, !service.startsAsked.isEmpty {
            let asked = service.startsAsked.removeFirst()
            fork(service, from: template, asked: asked)
            if service.report?.isForkable == false {
                // It is an instance now. The next one is loaded afresh.
                service.template = .cold
                if isCurrent(service) { cache.gone(service.id) }
                if !service.startsAsked.isEmpty { prepare(service) }
            }
        }
    }

    private func fork(_ service: VersionService, from template: TemplateID, asked: Instant) {
        let begun = loop.now
        do {
            var live = try takeSpare(service) ?? forked(from: template)
            live.timing = StartTiming(asked: asked, loaded: max(asked, min(begun, service.loadedAt)), forked: begun)
            try adopt(live, of: service)
        } catch {
            note(service, "no instance could be started: \(error)")
            service.pool.startFailed(isBlameless: true, at: loop.now)
            placeReleased(service)
        }
    }

    /// A new process at its channel, which nobody knows of yet.
    func forked(from template: TemplateID) throws -> VersionService.Live {
        let id = processes.nameInstance()
        let channel = try takeChannel()
        try processes.fork(id, from: template, descriptors: channel.descriptorsForInstance)
        channel.handedOver()
        let timing = StartTiming(asked: loop.now, loaded: loop.now, forked: loop.now)
        return VersionService.Live(id: id, channel: channel, timing: timing, pid: nil)
    }

    /// The spare one, whose making nobody has to wait for.
    private func takeChannel() throws(ChannelError) -> HostChannel {
        defer { spareChannel = nil }
        return if let spareChannel { spareChannel } else { try HostChannel() }
    }

    /// Once per turn, when everybody has been given work.
    func refillSpareChannel() {
        // Without descriptors to spare, the next fork says so.
        if spareChannel == nil { spareChannel = try? HostChannel() }
    }

    /// A reply may have been taken before the ring that announces it is heard. One that rings again and again with
    /// nothing to say is after the loop's time.
    func rangInVain(_ instance: InstanceID, of service: VersionService) {
        guard let at = service.position(of: instance) else { return }
        service.instances[at].vainRings += 1
        guard service.instances[at].vainRings == Self.vainRingsMax else { return }
        end(service, instance, because: "it rang \(Self.vainRingsMax) times without an answer")
    }

    private static let vainRingsMax = 100

    // MARK: news

    func instanceStarted(_ id: InstanceID, process: Int32) {
        guard let service = service(of: id) else { return }
        guard let at = service.position(of: id) else { return spareStarted(id, process: process, of: service) }
        service.instances[at].pid = process
        service.noteReady(at, since: loop.now, at: loop.now)
        service.instances[at].timing.forked = loop.now
        letGo(service)
    }

    func instanceExited(_ id: InstanceID, _ status: ExitStatus) {
        guard let service = service(of: id) else { return }
        guard service.spare?.id != id else { return spareExited(service, status) }
        buried(id, of: service, status.description)
    }

    func loaded(_ service: VersionService, _ id: TemplateID, _ report: LoadReport) {
        guard case .loading(id, _) = service.template else { return processes.kill(id) }
        becameWarm(service, id, report)
        onLoaded(service, nil)
        perform(service)
    }

    /// Takes a process that has loaded this version for its template.
    func adopt(_ template: TemplateID, _ report: LoadReport, for service: VersionService) {
        guard case .cold = service.template else { return processes.kill(template) }
        processes.handOver(template, to: service.templateNews)
        becameWarm(service, template, report)
        perform(service)
    }

    func loadFailed(_ service: VersionService, _ error: RoostError) {
        service.template = .cold
        if isCurrent(service) { cache.gone(service.id) }
        note(service, error.message)
        let starts = service.startsAsked.count
        service.startsAsked = []
        for _ in 0..<starts {
            service.pool.startFailed(isBlameless: error.isOutsideCause, at: loop.now)
            placeReleased(service)
        }
        if !warmQueue.isEmpty { scheduleWarming() }
        onLoaded(service, error)
        perform(service)
    }

    func templateGone(_ service: VersionService, _ id: TemplateID, _ status: ExitStatus) {
        switch service.template {
        case .loading(id, _): loadFailed(service, RoostError(.pluginFailed, "\(service.id) while loading: \(status)"))
        case .warm(id):
            note(service, "the template \(status)")
            service.template = .cold
            endSpare(service)
            if isCurrent(service) { cache.gone(service.id) }
            if !service.startsAsked.isEmpty { prepare(service) }
            onNews(service, .templateLost)
        case .cold, .loading, .warm: break
        }
    }
}
