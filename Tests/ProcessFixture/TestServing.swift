import CRoost
import Glibc
import RoostBasics
import RoostInstance
import RoostPlugins
import RoostTensors

extension InstanceWork {
    /// Tells the time of its first instruction through the doorbell, then answers each message on the bodies socket
    /// by the plugin's invoke, or its predict when the message says so.
    static var forTests: Self {
        Self(
            afterLoad: { template throws(RoostError) in
                guard let examples = template.examples else { return 0 }
                var bytes = [UInt8](repeating: 0, count: 4096)
                let count = unsafe pread(examples, &bytes, bytes.count, 0)
                guard count >= 0 else { throw RoostError(.system, "examples cannot be read") }
                return bytes.prefix(count).split(separator: UInt8(ascii: "\n")).count
            },
            serve: { instance in
                var now = roost_now_ns()
                _ = unsafe write(instance.doorbell, &now, 8)
                var bytes = [UInt8](repeating: 0, count: 4096)
                while case let count = unsafe recv(instance.bodies, &bytes, bytes.count, 0), count > 0 {
                    let reply = answer(instance.model, Array(bytes.prefix(count)))
                    _ = unsafe send(instance.bodies, reply, reply.count, 0)
                }
                return 7
            })
    }

    private static func answer(_ model: LoadedModel, _ request: [UInt8]) -> [UInt8] {
        do throws(RoostError) {
            if request == Array("predict".utf8) { return try predict(model) }
            let body = unsafe request.span.bytes
            return try model.invoke(body, contentType: "text/plain").body
        } catch {
            return Array("\(error.code): \(error.message)".utf8)
        }
    }

    /// Three rows of two numbers; the plugin adds them up, and refuses the row with a negative one.
    private static func predict(_ model: LoadedModel) throws(RoostError) -> [UInt8] {
        let numbers: [Float] = [1, 2, 3, 4, -1, 5]
        let batch = TensorBatch(signature: model.signature)
        batch.inputs[0].grow(by: numbers.count)
        batch.inputs[0].withMutableElements(Float.self) { span in
            for (index, number) in numbers.enumerated() { span[index] = number }
        }
        batch.commit(rows: 3)
        try model.predict(batch)
        let sums = batch.outputs[0].withElements(Float.self) { span in (0..<3).map { span[$0] } }
        let failed = model.failedRows.map { "\($0.key)=\($0.value)" }.joined()
        let shape = [batch.rows] + batch.outputs[0].trailing
        return Array("\(sums[0]) \(sums[1]) shape \(shape) failed \(failed)".utf8)
    }
}
