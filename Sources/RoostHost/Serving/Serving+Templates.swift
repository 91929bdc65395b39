internal import RoostBasics
internal import RoostLoop
internal import RoostPool
internal import RoostProcess
internal import RoostScaling

/// The memory of templates: the cache hears what becomes of them, and those that it gives up are ended.
extension Serving {
    /// Begins to load a version if nothing of it is there.
    func prepare(_ service: VersionService) {
        guard case .cold = service.template else { return }
        do throws(RoostError) {
            let id = try processes.load(
                service.artifact, label: service.id.description, service.loadSettings, owner: service.templateNews)
            service.template = .loading(id, since: loop.now)
            guard isCurrent(service) else { return }
            cache.loading(service.id)
            evict()
        } catch { loadFailed(service, error) }
    }

    /// Ends the template; instances go on.
    func cool(_ service: VersionService) {
        end(service)
        if isCurrent(service) { cache.gone(service.id) }
    }

    private func end(_ service: VersionService) {
        switch service.template {
        case .cold: return
        case .loading(let id, _), .warm(let id): processes.kill(id)
        }
        service.template = .cold
        endSpare(service)
    }

    /// Ends what the cache gives up.
    func evict() {
        while let id = cache.next(at: loop.now) {
            guard let service = services[id] else { continue }
            end(service)
            onNews(service, .templateLost)
        }
    }

    /// A retired version's successor may have its name already: what becomes of the old one is no news to the cache.
    func isCurrent(_ service: VersionService) -> Bool { services[service.id] === service }

    /// The version went from idle to busy, or is busy for long.
    func noteCall(_ service: VersionService, at now: Instant) {
        service.calledAt = now
        if isCurrent(service) { cache.touched(service.id, at: now) }
    }

    /// Whether the version's template stays, whatever that means for others.
    func pin(_ service: VersionService, _ isPinned: Bool) {
        guard service.isPinned != isPinned else { return }
        service.isPinned = isPinned
        if isPinned {
            cache.pin(service.id)
            warmSoon(service)
        } else {
            cache.unpin(service.id)
            evict()
        }
    }

    /// The template can be forked.
    func becameWarm(_ service: VersionService, _ id: TemplateID, _ report: LoadReport) {
        var took = Instant.Span(nanoseconds: report.loadNanoseconds)
        if case .loading(_, let since) = service.template { took = max(took, loop.now - since) }
        service.report = report
        service.loadedAt = loop.now
        service.loadTook = took
        service.template = .warm(id)
        // Until it is measured.
        let known = ByteCount(bytes: Int(clamping: report.privateBytes + report.modelMemoryBytes))
        let isCurrent = isCurrent(service)
        if isCurrent { cache.loaded(service.id, size: service.templateSize ?? known, loadTime: took) }
        forkAll(service, from: id)
        if isCurrent {
            measure(service)
            letGo(service)
        }
        if !warmQueue.isEmpty { scheduleWarming() }
    }

    /// A template that nobody waits for may be evicted again: each fork that was asked of it runs.
    func letGo(_ service: VersionService) {
        guard isCurrent(service), service.startsAsked.isEmpty, !service.instances.contains(where: { $0.pid == nil }),
            service.spare == nil || service.spare?.pid != nil
        else { return }
        cache.release(service.id)
        evict()
    }

    /// What it takes of the machine is looked up on another thread: that is a walk through all its pages.
    private func measure(_ service: VersionService) {
        guard case .warm(let template) = service.template, let process = processes.process(of: template) else { return }
        let id = service.id
        meter?.submit { Measurement(id: id, template: template, memory: ProcessMemory(of: process)) }
    }

    struct Measurement: Sendable {
        let id: VersionID
        let template: TemplateID
        let memory: ProcessMemory?
    }

    func measured(_ found: Measurement) {
        guard let service = services[found.id], let memory = found.memory,
            case .warm(found.template) = service.template
        else { return }
        service.templateSize = ByteCount(bytes: memory.proportionalBytes)
        cache.measured(found.id, size: ByteCount(bytes: memory.proportionalBytes))
        evict()
    }

    // MARK: without being asked

    /// Loads the version's template when nothing more urgent is to do, if there is memory for it.
    func warmSoon(_ service: VersionService) {
        guard case .cold = service.template else { return }
        // Taken from the end: what is pinned goes before all others, which go in the order of asking.
        warmQueue.insert(service.id, at: service.isPinned ? warmQueue.count : 0)
        scheduleWarming()
    }

    func scheduleWarming() {
        // A timer that cannot start is a closed one: the host is ending.
        try? warming.start(after: Self.warmingPause) { [unowned self] in warmNext() }
    }

    /// One at a time: callers' own loads must not wait for these.
    private func warmNext() {
        if let id = warmingNow, case .loading = services[id]?.template { return }
        while let id = warmQueue.popLast() {
            guard let service = services[id], case .cold = service.template else { continue }
            guard service.isPinned || service.pool.demand == .kept && cache.free >= expectedSize(service) else {
                continue
            }
            warmingNow = id
            prepare(service)
            // It goes on when this one is loaded. One that cannot even be begun is left for a caller to hear of.
            if case .loading = service.template { return }
        }
    }

    func expectedSize(_ service: VersionService) -> ByteCount { service.templateSize ?? cache.sizeDefault }

    private static let warmingPause = Instant.Span.milliseconds(2)

    /// All templates were lost with their nursery: those that have traffic come back, the busiest first.
    func warmAgain() {
        let kept = services.values.filter { $0.pool.demand == .kept }
        for service in kept.sorted(by: { $0.statistics.requests > $1.statistics.requests }) { warmSoon(service) }
    }
}
