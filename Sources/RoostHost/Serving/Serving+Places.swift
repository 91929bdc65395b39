internal import RoostBasics
internal import RoostLoop
internal import RoostPool
internal import RoostScaling

/// Instances of all versions share the places that the host has for them.
extension Serving {
    /// The pool wants one more instance.
    func startIfPlaced(_ service: VersionService) {
        if service.claim == .granted {
            service.claim = .none
            return start(service)
        }
        if places.free <= 0 { tellIdle() }
        switch places.claim(.version(service.id), at: loop.now) {
        case .granted: start(service)
        case .wait(let victim):
            service.pool.startRefused(at: loop.now)
            service.claim = .waiting
            if let victim { giveUpOne(victim) }
        }
    }

    /// An instance has ended, or did not come about.
    func placeReleased(_ service: VersionService) {
        places.released(.version(service.id))
        servePlaces()
    }

    /// After a pool's actions: a place that it did not take after all goes to others, and so does its wait.
    func settleClaim(_ service: VersionService) {
        if service.claim == .granted {
            service.claim = .none
            places.released(.version(service.id))
        } else if service.pool.isWaitingForStart {
            // A pool with requests is looked at with every tick of the clock: so is who rests, while it waits.
            tellIdle()
        } else {
            service.claim = .none
            places.withdraw(.version(service.id))
            service.pool.mayStart(at: loop.now)
        }
        servePlaces()
    }

    /// A place for an instance of a job; nil while versions have or want them all.
    func lendPlace() -> PlaceLoan? {
        guard places.free > 0, !places.isContended, case .granted = places.claim(.jobs, at: loop.now) else {
            return nil
        }
        // Whatever a job does can wait: its instances are the first to go.
        places.idle(.jobs, places.held(by: .jobs))
        // Strong, because a weak reference would slow every other one to this object.
        return PlaceLoan { [self] in
            places.released(.jobs)
            servePlaces()
        }
    }

    private func servePlaces() {
        guard !isServingPlaces else { return }
        isServingPlaces = true
        defer { isServingPlaces = false }
        while let outcome = places.next(at: loop.now) {
            switch outcome {
            case .reclaim(let tenant): giveUpOne(tenant)
            case .granted(let tenant):
                guard case .version(let id) = tenant, let service = services[id], service.claim == .waiting else {
                    places.released(tenant)
                    continue
                }
                service.claim = .granted
                service.pool.mayStart(at: loop.now)
                perform(service)
            }
        }
        if places.free > 0, !places.isContended { onPlacesFree() }
    }

    private func giveUpOne(_ tenant: Tenant) {
        guard case .version(let id) = tenant else { return onPlaceWanted() }
        guard let service = services[id] else { return }
        _ = service.pool.giveUpOne(at: loop.now)
        perform(service)
    }

    /// What stands idle now may be given to others. A pause between two requests does not count: taking its instance
    /// away would cost more than it gives.
    private func tellIdle() {
        for service in services.values where !service.instances.isEmpty {
            let isResting = service.pool.isIdle && loop.now - service.busyAt > Self.restingPause
            places.idle(.version(service.id), isResting ? service.pool.idleInstanceCount : 0)
        }
    }

    private static let restingPause = Instant.Span.milliseconds(5)
}
