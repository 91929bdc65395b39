internal import RoostBasics
internal import RoostChannel
internal import RoostSandbox

extension InstanceWork {
    /// What the product does: golden examples after load, requests from the channel.
    public static var serving: InstanceWork {
        InstanceWork(
            afterLoad: { template throws(RoostError) in try GoldenCheck.run(template) },
            serve: { instance in
                do {
                    let channel = try InstanceChannel(
                        memory: instance.memory, doorbell: instance.doorbell, bodies: instance.bodies)
                    let requests = try RequestLoop(
                        channel, instance.model, label: instance.label, rowsMax: instance.batchRows)
                    StandardError.write("\(requests.run())")
                } catch {
                    StandardError.write("\(error)")
                }
                return 1
            })
    }
}
