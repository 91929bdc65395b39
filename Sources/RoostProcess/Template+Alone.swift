internal import Glibc
package import RoostBasics
package import RoostLoop

/// A template without a nursery and without a process: what it is told comes from whoever has the other end of its socket.
/// For the fuzzing of what it is told.
extension Template {
    /// - Returns: also the other end, which is the caller's.
    package static func alone(
        _ order: TemplateOrder, _ settings: NurserySettings, on loop: Loop,
        onSignal: @escaping (TemplateSignal) -> Void
    ) throws(RoostError) -> (template: Template, socket: Int32) {
        var end: Descriptor?
        let template = try Template(order, settings, on: loop, socket: &end, onSignal: onSignal)
        guard let end, case let socket = dup(end.number), socket >= 0 else {
            template.close()
            throw RoostError(.system, "no socket")
        }
        return (template, socket)
    }

    /// Hears what was said until now.
    package func listen() { control?.receive() }
}
