internal import RoostBasics
internal import RoostChannel
internal import RoostPool

/// A version as it runs: its template, its instances, its queue, and what its callers have been promised.
///
/// Belongs to the loop. `Serving` acts on it; others read.
final class VersionService {
    /// From the file to a process that can be forked.
    enum Template {
        /// Only the file. Goes to loading.
        case cold
        /// A process is reading it. Goes to warm, or cold when that fails.
        case loading(TemplateID, since: Instant)
        /// Waits to be forked, or (when `single`) has become the one instance. Goes to cold when it dies.
        case warm(TemplateID)
    }

    /// One running instance.
    struct Live {
        let id: InstanceID
        let channel: HostChannel
        let timing: StartTiming
        /// In the host's PID namespace; nil until the kernel has told.
        var pid: Int32?
    }

    let id: VersionID
    let artifact: Artifact
    var pool: Pool
    var template = Template.cold
    var templatePID: Int32?
    /// What loading found, once it succeeded.
    var report: LoadReport?
    var instances: [Live] = []
    /// By ticket index.
    private(set) var inFlight: [InFlight] = []
    var statistics = VersionStatistics()
    var log = OutputLog()
    /// When instances that wait for the template were asked for.
    var startsAsked: [Instant] = []
    /// Why the last instance or template ended, for people.
    var lastFailure: String?
    /// Listed in `Serving.touched` and `Serving.active` respectively.
    var isTouched = false
    var isActive = false
    /// `Roost-Version: 3` and the line's end.
    let versionField: [UInt8]

    init(id: VersionID, artifact: Artifact, settings: PoolSettings) {
        self.id = id
        self.artifact = artifact
        pool = Pool(settings: settings)
        versionField = Array("Roost-Version: \(id.number)\r\n".utf8)
    }

    /// Keeps a copy of an accepted request.
    func hold(
        _ ticket: Ticket, _ header: RequestHeader, contentTypeText: RawSpan, body: RawSpan, arrived: Instant
    ) {
        let index = Int(ticket.index)
        while inFlight.count <= index { inFlight.append(InFlight(header: header, arrived: arrived)) }
        inFlight[index].header = header
        inFlight[index].arrived = arrived
        inFlight[index].contentTypeText.assign(contentTypeText)
        inFlight[index].body.assign(body)
    }

    /// Gives back the memory of an unusually large body.
    func forget(_ ticket: Ticket) {
        let index = Int(ticket.index)
        if inFlight[index].body.capacity > 1 << 16 { inFlight[index].body = [] }
    }

    func noteDispatch(_ ticket: Ticket, frameEnd: UInt64, timing: PhaseTiming) {
        inFlight[Int(ticket.index)].frameEnd = frameEnd
        inFlight[Int(ticket.index)].timing = timing
    }

    func position(of instance: InstanceID) -> Int? { instances.firstIndex { $0.id == instance } }
}
