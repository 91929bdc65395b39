internal import CRoost
internal import Glibc
internal import RoostBasics
internal import RoostSandbox

/// The one process from which templates are forked: no foreign code, one thread, forever.
///
/// It is the parent of templates and instances alike, so it alone learns how they ended. Everything that comes of a
/// template stays in the template's process group, which the sandbox does not let it leave: that is how a stranger's
/// claim to an instance is checked, and how what nobody announced is found and ended.
final class Nursery {
    /// A template and its descendants.
    private struct Group {
        /// The template's pid, and so the group's.
        let process: Int32
        var templateRuns = true
        var instances = 0
    }

    /// A child whose end is awaited by its pidfd.
    private struct Child {
        let template: TemplateID
        let instance: InstanceID?
        let process: Int32
        let pidfd: Int32
    }

    private let control = NurseryControl()
    private let work: InstanceWork
    private let watch: Int32
    private var groups: [TemplateID: Group] = [:]
    private var children: [UInt64: Child] = [:]
    private var nextTag: UInt64 = 1
    private let controlTag: UInt64 = 0

    init(_ work: InstanceWork) {
        self.work = work
        watch = roost_watch_make()
    }

    /// Until the host is gone. As pid 1 its end is the end of everything below it.
    func run() -> Int32 {
        guard roost_settle_nursery() == 0, watch >= 0, roost_watch_add(watch, control.descriptor, controlTag) == 0
        else { return 1 }
        work.beforeAll()
        while true {
            let ready = roost_watch_next(watch)
            guard ready.status > 0 else { return 1 }
            if ready.tag == controlTag {
                guard handleMessages() else { return end() }
            } else {
                reap(ready.tag)
            }
        }
    }

    /// False when the host is gone.
    private func handleMessages() -> Bool {
        while let message = control.next() {
            switch message {
            case .start(let template, let socket): start(template, socket)
            case .adopt(let instance, let template, let process): adopt(instance, template, process)
            case .kill(let instance, let template): kill(instance, template)
            case .closed: return false
            }
        }
        return true
    }

    private func end() -> Int32 {
        for group in groups.values { roost_kill_group(group.process) }
        roost_await_children()
        return 0
    }

    private func start(_ template: TemplateID, _ socket: Int32) {
        let nursery = getpid()
        let process = roost_fork_template(socket)
        if process == 0 { TemplateProcess(work, nursery: nursery).run() }
        close(socket)
        guard process > 0 else { return control.refused(template, error: -process) }
        let pidfd = roost_pidfd_open(process)
        guard pidfd >= 0 else {
            roost_kill_group(process)
            return control.refused(template, error: -pidfd)
        }
        groups[template] = Group(process: process)
        awaitEnd(of: Child(template: template, instance: nil, process: process, pidfd: pidfd))
        control.started(template, pidfd: pidfd)
    }

    private func adopt(_ instance: InstanceID, _ template: TemplateID, _ process: Int32) {
        guard let group = groups[template], roost_is_child_in_group(process, group.process) != 0,
            !children.values.contains(where: { $0.process == process })
        else { return control.adoptionRefused(instance, of: template) }
        let pidfd = roost_pidfd_open(process)
        guard pidfd >= 0 else { return control.adoptionRefused(instance, of: template) }
        groups[template]?.instances += 1
        awaitEnd(of: Child(template: template, instance: instance, process: process, pidfd: pidfd))
        control.adopted(instance, of: template, pidfd: pidfd)
    }

    private func kill(_ instance: InstanceID?, _ template: TemplateID) {
        for child in children.values where child.template == template && child.instance == instance {
            _ = roost_pidfd_kill(child.pidfd, SIGKILL)
        }
    }

    private func awaitEnd(of child: Child) {
        children[nextTag] = child
        _ = roost_watch_add(watch, child.pidfd, nextTag)
        nextTag += 1
    }

    private func reap(_ tag: UInt64) {
        guard let child = children[tag], var group = groups[child.template] else { return }
        if child.instance == nil { group.templateRuns = false } else { group.instances -= 1 }
        if !group.templateRuns && group.instances == 0 {
            // Before reaping, while the dead child still keeps the group's number from being given to others.
            roost_kill_group(group.process)
            groups[child.template] = nil
        } else {
            groups[child.template] = group
        }
        let end = roost_reap(child.pidfd)
        guard end.status > 0 else { return }
        children[tag] = nil
        close(child.pidfd)
        control.exited(child.template, child.instance, how: end.how, value: end.value, cpu: end.cpu_ns)
        if groups[child.template] == nil { reapStrays(group.process) }
    }

    /// What a dead group left behind and nobody had announced.
    private func reapStrays(_ group: Int32) {
        while case let stray = roost_peek_group(group), stray.status > 0 { _ = roost_reap_process(stray.process) }
    }
}
