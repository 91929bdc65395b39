internal import CRoost
internal import Glibc
public import RoostBasics

/// The nursery's end of its control socket, and what it waits for.
public struct NurseryControl: Sendable {
    public enum Message: Sendable {
        /// `socket`: the template's control socket, the receiver's.
        case start(TemplateID, socket: Int32)
        /// `process` is said to be `instance`, forked by `template`: to be believed only as far as checked.
        case adopt(InstanceID, of: TemplateID, process: Int32)
        /// To be ended: the instance, or without one the template.
        case kill(InstanceID?, of: TemplateID)
        /// The host is gone.
        case closed
    }

    public init() {}

    public var descriptor: Int32 { ROOST_FD_CONTROL }

    /// The next message, or nil when none waits.
    public func next() -> Message? {
        let received = roost_receive(descriptor, 0)
        let descriptors = received.descriptors.numbers
        let template = TemplateID(rawValue: received.message.template_id)
        switch (received.status, received.message.kind) {
        case (1, ROOST_START_TEMPLATE.rawValue):
            guard let socket = descriptors.first else { return nil }
            return .start(template, socket: socket)
        case (1, ROOST_ADOPT.rawValue):
            let instance = InstanceID(rawValue: received.message.instance_id)
            return .adopt(instance, of: template, process: received.message.process)
        case (1, ROOST_KILL.rawValue):
            let number = received.message.instance_id
            return .kill(number == 0 ? nil : InstanceID(rawValue: number), of: template)
        case (0, _): return .closed
        default: return nil  // nothing now, or a message whose descriptors were lost: the host times it out
        }
    }

    /// From the starter: whom it made.
    public func ready(nursery pidfd: Int32, inNamespace: Bool) {
        var message = roost_message()
        message.kind = ROOST_NURSERY_READY.rawValue
        message.flags = inNamespace ? ROOST_IN_NAMESPACE.rawValue : 0
        send(message, [pidfd])
    }

    public func warn(_ text: String) { send(unsafe roost_message_with_text(ROOST_WARNING.rawValue, text)) }

    public func started(_ template: TemplateID, pidfd: Int32) {
        send(message(ROOST_TEMPLATE_STARTED, template), [pidfd])
    }

    public func refused(_ template: TemplateID, error: Int32) {
        var message = message(ROOST_TEMPLATE_REFUSED, template)
        message.status = error
        send(message)
    }

    public func adopted(_ instance: InstanceID, of template: TemplateID, pidfd: Int32) {
        send(message(ROOST_ADOPTED, template, instance), [pidfd])
    }

    public func adoptionRefused(_ instance: InstanceID, of template: TemplateID) {
        send(message(ROOST_ADOPTION_REFUSED, template, instance))
    }

    /// `how` and `value` as waitid gives them; the CPU time used in nanoseconds.
    public func exited(_ template: TemplateID, _ instance: InstanceID?, how: Int32, value: Int32, cpu: UInt64) {
        var message = message(instance == nil ? ROOST_TEMPLATE_EXITED : ROOST_INSTANCE_EXITED, template, instance)
        message.how = how
        message.status = value
        message.bytes = cpu
        send(message)
    }

    private func message(
        _ kind: roost_message_kind, _ template: TemplateID, _ instance: InstanceID? = nil
    ) -> roost_message {
        var message = roost_message()
        message.kind = kind.rawValue
        message.template_id = template.rawValue
        message.instance_id = instance?.rawValue ?? 0
        return message
    }

    /// The host reads at every turn of its loop and the socket has room for hundreds of messages; when it is full
    /// all the same, waiting is right: nobody else depends on the nursery.
    private func send(_ message: roost_message, _ descriptors: [Int32] = []) {
        while roost_send(descriptor, message, roost_descriptors(descriptors)) == -EAGAIN {
            guard roost_wait_writable(descriptor) == 0 else { return }
        }
    }
}
