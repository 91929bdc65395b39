import CRoost
import Glibc
import RoostBasics
import RoostInstance
import RoostPlugins

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
        let buffer = TensorBuffer()
        buffer.resize(numbers.count * 4)
        for (index, number) in numbers.enumerated() {
            unsafe buffer.address.storeBytes(of: number, toByteOffset: index * 4, as: Float.self)
        }
        try model.setInput(0, buffer, shape: [3, 2])
        try model.predict(rows: 3)
        var sums: [Float] = []
        model.outputs.withBytes(0) { bytes in
            for row in 0..<3 { sums.append(unsafe bytes.unsafeLoad(fromByteOffset: row * 4, as: Float.self)) }
        }
        let failed = model.outputs.failedRows.map { "\($0.key)=\($0.value)" }.joined()
        return Array("\(sums[0]) \(sums[1]) shape \(model.outputs.shape(0)) failed \(failed)".utf8)
    }
}
