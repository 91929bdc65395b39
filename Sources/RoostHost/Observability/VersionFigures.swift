internal import RoostBasics
internal import RoostPool
internal import RoostProcess

/// What a version uses now and has used, for metrics and status: reads `/proc` once for each of its processes.
struct VersionFigures {
    let id: VersionID
    let statistics: VersionStatistics
    let instanceCount: Int
    let busyCount: Int
    let queueDepth: Int
    /// CPU time of template and instances, those included that have ended.
    private(set) var cpu: Instant.Span
    /// Resident memory of template and instances.
    private(set) var memory = (privateBytes: 0, sharedBytes: 0)

    init(_ service: VersionService, _ host: Host) {
        id = service.id
        statistics = service.statistics
        instanceCount = service.instances.count
        busyCount = service.instances.count { service.pool.outstanding(of: $0.id) > 0 }
        queueDepth = service.pool.queueDepth
        cpu = service.cpuOfEnded
        var processes = service.instances.compactMap(\.pid)
        if case .warm(let template) = service.template, let process = host.processes.process(of: template) {
            processes.append(process)
        }
        for process in processes {
            cpu = cpu + ProcessTime.used(by: process)
            guard let found = ProcessMemory(of: process) else { continue }
            memory.privateBytes += found.privateBytes
            memory.sharedBytes += found.sharedBytes
        }
    }

    /// CPU time that 1,000 predictions cost, loading included; nil before the first.
    var cpuPerThousand: Instant.Span? {
        guard statistics.rows > 0 else { return nil }
        return Instant.Span(nanoseconds: UInt64(Double(cpu.nanoseconds) / Double(statistics.rows) * 1000))
    }
}
