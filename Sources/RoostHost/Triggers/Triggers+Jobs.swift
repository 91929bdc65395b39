internal import RoostBasics
internal import RoostDelivery
internal import RoostFiles
internal import RoostFunctions
internal import RoostLoop

/// Triggers whose items are whole files, scored as jobs.
extension Triggers {
    private var triggered: TriggeredJobs {
        TriggeredJobs(jobs: host.jobs) { [unowned host = self.host] function throws(RoostError) in
            try host.jobModel(function.text, version: nil)
        }
    }

    /// Has a file scored for an item, by the job that was begun for it if there is one.
    func score(
        _ spec: JobSpec, for item: RunningDelivery, of owner: DeliveryOwner, _ done: @escaping TriggeredJobs.Done
    ) {
        guard !triggered.follow(item, of: owner, done) else { return }
        triggered.begin(spec, item, of: owner, done)
    }

    func open(_ trigger: FileTrigger, _ spec: TriggerSpec, of function: FunctionName) {
        let owner = DeliveryOwner(function, spec.name, .file)
        watches.removeValue(forKey: owner)?.stop()
        do throws(UVError) {
            watches[owner] = try FileWatch(
                owner, spec, trigger, data: host.jobs.places.roots[0], rescan: host.options.rescan, on: host.loop,
                deliveries, triggered
            ) { Console.print($0) }
        } catch { Console.warn("roost: warning: \(owner): \(error)") }
    }

    func open(_ trigger: ScheduleTrigger, _ spec: TriggerSpec, of function: FunctionName) {
        let owner = DeliveryOwner(function, spec.name, .schedule)
        schedules.removeValue(forKey: owner)?.stop()
        do throws(UVError) {
            schedules[owner] = try Schedule(owner, spec, trigger, on: host.loop, deliveries, triggered) {
                Console.print($0)
            }
        } catch { Console.warn("roost: warning: \(owner): \(error)") }
    }

    func stopFiles(_ owner: DeliveryOwner) {
        deliveries.stop(owner)
        watches.removeValue(forKey: owner)?.stop()
    }

    func stopSchedule(_ owner: DeliveryOwner) {
        deliveries.stop(owner)
        deliveries.forgetMark(of: owner)
        schedules.removeValue(forKey: owner)?.stop()
    }

    /// The host ends.
    func closeJobs() {
        for watch in watches.values { watch.close() }
        for schedule in schedules.values { schedule.stop() }
    }
}
