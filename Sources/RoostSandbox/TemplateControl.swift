internal import CRoost
internal import Glibc
public import RoostBasics

/// A template's end of its control socket: orders come from the host, reports go to it.
///
/// The host is trusted here. A broken socket means that the host is gone, and so should the template be.
public struct TemplateControl: Sendable {
    public enum Message: Sendable {
        /// `descriptors`: channel memory, doorbell, bodies; the receiver's.
        case fork(InstanceID, descriptors: [Int32])
        /// The memory file that was asked for, or nil above the limit.
        case modelMemory(Int32?)
        /// The host has let go of this template.
        case closed
    }

    /// What loading found.
    public struct Report: Sendable {
        public var loadNanoseconds: UInt64 = 0
        public var privateBytes: UInt64 = 0
        public var dataBytes: UInt64 = 0
        public var memoryBytes: UInt64 = 0
        public var threads = 1
        public var examples = 0
        public var isForkable = true

        public init() {}
    }

    public init() {}

    /// The first message: what to load. Puts the descriptors that came with it in their places and closes all others.
    /// Nil when the host let go before.
    public func receiveOrder() throws(RoostError) -> TemplateOrder? {
        let received = roost_receive(ROOST_FD_CONTROL, 1)
        guard received.status > 0 else { return nil }
        guard received.message.kind == ROOST_ORDER.rawValue else { throw unexpected(received.message.kind) }
        var order = TemplateOrder(received.message)
        var rest = received.descriptors.numbers[...]
        let (output, result, plugin) = (rest.popFirst(), rest.popFirst(), rest.popFirst())
        var model: Int32 = -1
        if case .file = order.model { model = rest.popFirst() ?? -1 }
        let examples = order.hasExamples ? rest.popFirst() ?? -1 : -1
        guard let output, let result, let plugin else {
            throw RoostError(.system, "an order without its descriptors")
        }
        // Now, because it is among those that are closed below.
        if order.hasColumns { order.columns = try WholeFile.read(rest.popFirst() ?? -1, "the card's columns") }
        let arrangement = roost_arrangement(
            output: output, result: result, plugin: plugin, model: model, examples: examples)
        let status = roost_arrange_descriptors(arrangement)
        guard status == 0 else {
            throw RoostError(.system, "arranging descriptors: \(SystemError.text(-status))")
        }
        unsafe roost_set_process_name(order.label)  // what ps shows
        return order
    }

    /// Waits for the next message.
    public func next() throws(RoostError) -> Message {
        let received = roost_receive(ROOST_FD_CONTROL, 1)
        guard received.status > 0 else { return .closed }
        let descriptors = received.descriptors.numbers
        switch received.message.kind {
        case ROOST_FORK.rawValue where descriptors.count == 3:
            return .fork(InstanceID(rawValue: received.message.instance_id), descriptors: descriptors)
        case ROOST_MODEL_MEMORY.rawValue: return .modelMemory(descriptors.first)
        default: throw unexpected(received.message.kind)
        }
    }

    /// Asks the host for model memory and waits; nil above the limit, or when the host is gone.
    public func modelMemory(bytes: Int) -> Int32? {
        var message = roost_message()
        message.kind = ROOST_ASK_MODEL_MEMORY.rawValue
        message.bytes = UInt64(bytes)
        guard send(message), case .modelMemory(let file)? = try? next() else { return nil }
        return file
    }

    public func warn(_ text: String) { send(unsafe roost_message_with_text(ROOST_WARNING.rawValue, text)) }

    /// Passes on the listener of refused calls, when there is one, and closes it here.
    public func sandboxed(refusals: Int32?) {
        var message = roost_message()
        message.kind = ROOST_SANDBOXED.rawValue
        // Too many descriptors on their way: refusals are then silent, the rest is as before.
        if !send(message, refusals.map { [$0] } ?? []) { send(message) }
        if let refusals { close(refusals) }
    }

    /// `signature` is the JSON that the host reads from the result file.
    public func loaded(_ report: Report, signature: [UInt8]) throws(RoostError) {
        var message = roost_message()
        message.kind = ROOST_LOADED.rawValue
        message.flags = report.isForkable ? 0 : ROOST_IS_SINGLE.rawValue
        message.bytes = try writeResult(signature)
        message.report = roost_report(
            load_ns: report.loadNanoseconds, private_bytes: report.privateBytes, data_bytes: report.dataBytes,
            memory_bytes: report.memoryBytes, threads: UInt32(report.threads), examples: UInt32(report.examples))
        send(message)
    }

    public func failed(_ error: RoostError) {
        var message = roost_message()
        message.kind = ROOST_FAILED.rawValue
        let failure: roost_failure =
            switch error.code {
            case .unsupported: ROOST_FAILURE_NOT_MY_FORMAT
            case .system: ROOST_FAILURE_SYSTEM
            case .pluginFailed, .invalidArgument, .notFound, .conflict, .forbidden, .tooLarge, .overloaded,
                .unavailable, .deadline:
                ROOST_FAILURE_PLUGIN
            }
        message.status = Int32(failure.rawValue)
        message.bytes = (try? writeResult(Array(error.message.utf8.prefix(Self.resultBytesMax)))) ?? 0
        send(message)
    }

    public func forked(_ instance: InstanceID, process: Int32, isTemplate: Bool) {
        var message = roost_message()
        message.kind = ROOST_FORKED.rawValue
        message.instance_id = instance.rawValue
        message.process = process
        message.flags = isTemplate ? ROOST_IS_SINGLE.rawValue : 0
        send(message)
    }

    public func forkRefused(_ instance: InstanceID, error: Int32) {
        var message = roost_message()
        message.kind = ROOST_FORK_REFUSED.rawValue
        message.instance_id = instance.rawValue
        message.status = error
        send(message)
    }

    /// Size of the result file.
    public static let resultBytesMax = 1 << 20

    private func writeResult(_ bytes: [UInt8]) throws(RoostError) -> UInt64 {
        guard bytes.count <= Self.resultBytesMax else {
            throw RoostError(
                .pluginFailed, "its signature takes \(bytes.count) bytes; \(Self.resultBytesMax) are possible")
        }
        let written = unsafe bytes.withUnsafeBytes { unsafe pwrite(ROOST_FD_RESULT, $0.baseAddress, $0.count, 0) }
        guard written == bytes.count else {
            throw RoostError(.system, "writing the result: \(SystemError.text(errno))")
        }
        return UInt64(written)
    }

    @discardableResult
    private func send(_ message: roost_message, _ descriptors: [Int32] = []) -> Bool {
        roost_send(ROOST_FD_CONTROL, message, roost_descriptors(descriptors)) == 0
    }

    private func unexpected(_ kind: UInt32) -> RoostError {
        RoostError(.system, "the host sent message \(kind), which a template does not expect")
    }
}
