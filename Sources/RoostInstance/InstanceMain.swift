internal import CRoost
public import RoostBasics
public import RoostPlugins
internal import RoostSandbox

/// A loaded template, before anything is forked from it.
public struct LoadedTemplate {
    /// `credit@3`.
    public let label: String
    public let model: LoadedModel
    /// A file of golden examples, JSON Lines, to be read from its start.
    public let examples: Int32?
    /// How many of them to check.
    public let examplesMax: Int
}

/// A process that answers requests through its channel.
public struct ServingInstance {
    public let id: InstanceID
    public let label: String
    public let model: LoadedModel
    /// Rows that a batch may have.
    public let batchRows: Int
    /// The channel's memory, its doorbell and its socket for bodies; the receiver's.
    public let memory: Int32
    public let doorbell: Int32
    public let bodies: Int32

    public init(
        id: InstanceID, label: String, model: LoadedModel, batchRows: Int, memory: Int32, doorbell: Int32, bodies: Int32
    ) {
        self.id = id
        self.label = label
        self.model = model
        self.batchRows = batchRows
        self.memory = memory
        self.doorbell = doorbell
        self.bodies = bodies
    }
}

/// What roost-instance does when it is neither forking nor waiting.
public struct InstanceWork {
    /// In the nursery, once: pays first-use costs of our own code, in memory that all templates then share.
    public var beforeAll: () -> Void
    /// In the template, after load: checks the golden examples and pays first-use costs. Returns how many it checked;
    /// a thrown error is a failed load.
    public var afterLoad: (LoadedTemplate) throws(RoostError) -> Int
    /// In the instance: answers requests until the host lets go. Returns the exit code.
    public var serve: (ServingInstance) -> Int32

    public init(
        beforeAll: @escaping () -> Void = {}, afterLoad: @escaping (LoadedTemplate) throws(RoostError) -> Int,
        serve: @escaping (ServingInstance) -> Int32
    ) {
        self.beforeAll = beforeAll
        self.afterLoad = afterLoad
        self.serve = serve
    }
}

/// The way of roost-instance: starter, nursery, template, instance. One thread, no loop, no tasks.
public enum InstanceMain {
    /// `arguments` are those of the program: `roost-instance starter`, with its control socket as descriptor 3.
    /// Returns the exit code; in templates and instances it does not return.
    public static func run(_ arguments: [String], _ work: InstanceWork) -> Int32 {
        guard arguments.count == 2, arguments[1] == "starter" else {
            print("roost-instance is started by the host: run `roost serve`")
            return 2
        }
        let start = roost_start_nursery()
        if start.process == 0 { return Nursery(work).run() }
        let control = NurseryControl()
        guard start.status == 0 else {
            control.warn("the nursery cannot be started: \(SystemError.text(-start.status))")
            return 1
        }
        if start.in_namespace == 0 {
            control.warn(
                "no PID namespace (\(SystemError.text(start.namespace_error))): what plugins leave behind is ended by the nursery, not by the kernel"
            )
        }
        control.ready(nursery: start.pidfd, inNamespace: start.in_namespace != 0)
        return 0
    }
}
