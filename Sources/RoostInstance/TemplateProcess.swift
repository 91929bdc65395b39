internal import CRoost
internal import Glibc
internal import RoostBasics
internal import RoostPlugins
internal import RoostSandbox
internal import RoostTensors
internal import RoostWire

/// A process that loads one version inside the sandbox, waits, and forks instances from itself.
struct TemplateProcess {
    private let work: InstanceWork
    /// The parent, also of the instances.
    private let nursery: Int32
    private let control = TemplateControl()

    init(_ work: InstanceWork, nursery: Int32) {
        self.work = work
        self.nursery = nursery
    }

    func run() -> Never {
        do throws(RoostError) {
            guard let order = try control.receiveOrder() else { roost_exit(0) }
            if order.isBackground { roost_yield_with_session() }
            try enterSandbox(order)
            let (template, isForkable) = try load(order)
            wait(template, order, isForkable: isForkable)
        } catch {
            control.failed(error)
            roost_exit(1)
        }
    }

    private func enterSandbox(_ order: TemplateOrder) throws(RoostError) {
        var files = [ROOST_FD_PLUGIN]
        if case .file = order.model { files.append(ROOST_FD_MODEL) }
        let entry = try Sandbox.enter(order.sandbox, parent: nursery, files: files)
        for warning in entry.warnings { control.warn(warning) }
        control.sandboxed(refusals: entry.refusals)
        try Sandbox.limitFiles(order.sandbox)
    }

    /// Runs foreign code for the first time.
    private func load(_ order: TemplateOrder) throws(RoostError) -> (LoadedTemplate, isForkable: Bool) {
        let begin = roost_now_ns()
        let library = try PluginLibrary(descriptor: ROOST_FD_PLUGIN)
        let artifact =
            switch order.model {
            case .none: Artifact()
            case .file(let bytes): try Artifact(descriptor: ROOST_FD_MODEL, offset: 0, byteCount: bytes)
            case .section(let offset, let bytes):
                try Artifact(descriptor: ROOST_FD_PLUGIN, offset: offset, byteCount: bytes)
            }
        let control = control
        let memory = ModelMemory { bytes in control.modelMemory(bytes: bytes) }
        let columns = order.columns.isEmpty ? [] : try ColumnList.decode(order.columns.bytes)
        let model = try LoadedModel(library, artifact: artifact, columns: columns, memory: memory)
        let template = LoadedTemplate(
            label: order.label, model: model, examples: order.hasExamples ? ROOST_FD_EXAMPLES : nil,
            examplesMax: order.examplesMax)
        var report = TemplateControl.Report()
        report.examples = try work.afterLoad(template)
        try model.warmUp()
        // What reading took and freed would be copied, page by page, in every fork.
        roost_give_back_memory()
        report.loadNanoseconds = roost_now_ns() - begin
        try measure(&report, order)
        try control.loaded(report, signature: SignatureText.json(model.signature))
        return (template, report.isForkable)
    }

    /// What it took, and the limit that follows from it.
    private func measure(_ report: inout TemplateControl.Report, _ order: TemplateOrder) throws(RoostError) {
        let use = roost_memory_use_now()
        guard use.status == 0 else {
            throw RoostError(.system, "reading the memory in use: \(SystemError.text(-use.status))")
        }
        report.threads = Int(roost_thread_count())
        report.isForkable = order.isForkSafe && report.threads == 1
        report.privateBytes = use.private_bytes
        report.dataBytes = use.data_bytes
        report.memoryBytes =
            order.memoryBytes > 0 ? order.memoryBytes : max(256 << 20, use.data_bytes &* 3)
        guard use.data_bytes < report.memoryBytes else {
            throw RoostError(
                .pluginFailed,
                "loading took \(use.data_bytes >> 20) MiB of private memory, limits.memory allows \(report.memoryBytes >> 20) MiB: raise it"
            )
        }
        try Sandbox.limitMemory(bytes: report.memoryBytes)
    }

    /// Forks on request. Never returns: a template that may not fork becomes its own only instance.
    private func wait(_ template: LoadedTemplate, _ order: TemplateOrder, isForkable: Bool) -> Never {
        while true {
            guard case .fork(let instance, let descriptors)? = try? control.next() else { roost_exit(0) }
            // A thread that a warm-up left behind would be missing in every fork.
            guard isForkable, roost_thread_count() == 1 else {
                control.forked(instance, process: getpid(), isTemplate: true)
                serve(instance, template, order, descriptors)
            }
            let process = roost_fork_instance()
            if process == 0 { serve(instance, template, order, descriptors) }
            if process > 0 {
                control.forked(instance, process: process, isTemplate: false)
            } else {
                control.forkRefused(instance, error: -process)
            }
            for descriptor in descriptors { close(descriptor) }
        }
    }

    private func serve(
        _ instance: InstanceID, _ template: LoadedTemplate, _ order: TemplateOrder, _ descriptors: [Int32]
    ) -> Never {
        roost_leave_template(descriptors[0], descriptors[1], descriptors[2])
        do throws(RoostError) {
            try Sandbox.enterInstance(order.sandbox, parent: nursery)
            try template.model.afterFork()
        } catch {
            StandardError.write(error.message)
            roost_exit(1)
        }
        let code = work.serve(
            ServingInstance(
                id: instance, label: template.label, model: template.model, batchRows: order.batchRows,
                memory: descriptors[0],
                doorbell: descriptors[1], bodies: descriptors[2]))
        template.model.unload()
        roost_exit(code)
    }
}
