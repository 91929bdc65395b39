internal import RoostBasics
internal import RoostChannel
internal import RoostPlugins
internal import RoostSandbox

extension InstanceWork {
    /// What the product does: golden examples after load, requests from the channel.
    public static var serving: InstanceWork {
        // Made by the template, found by its forks.
        var made: Codec?
        return InstanceWork(
            beforeAll: {
                Sandbox.rehearse()
                Codec.warmUpProcess()
            },
            afterLoad: { template throws(RoostError) in
                let codec = try Codec(template.model.signature, label: template.label)
                codec.warmUp()
                made = codec
                return try GoldenCheck.run(template, codec)
            },
            serve: { instance in
                do {
                    let channel = try InstanceChannel(
                        memory: instance.memory, doorbell: instance.doorbell, bodies: instance.bodies)
                    let codec = try made ?? Codec(instance.model.signature, label: instance.label)
                    // Nobody waits yet: what the first request would touch for the first time is touched now.
                    if !channel.hasRequest { codec.warmUp() }
                    let requests = RequestLoop(channel, instance.model, codec, rowsMax: instance.batchRows)
                    StandardError.write("\(requests.run())")
                } catch {
                    StandardError.write("\(error)")
                }
                return 1
            })
    }
}
