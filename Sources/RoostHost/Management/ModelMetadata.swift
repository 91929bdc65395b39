internal import RoostBasics
internal import RoostFunctions
internal import RoostJSON
internal import RoostTensors

/// A function's metadata as the Open Inference Protocol v2 words it.
struct ModelMetadata {
    let json: JSONValue

    /// - Throws: `notFound`, or `unavailable` when no version can speak for the function.
    init(_ host: Host, _ target: Endpoint.Target) throws(RoostError) {
        let version = try host.version(target)
        let versions = try host.deploying.machine.known(version.id.function).versions.values
            .filter { $0.state.takesRequests }.map(\.id.number).sorted()
        let signature = version.verification?.signature ?? Signature(inputs: [], outputs: [])
        var members = JSONObject([
            ("name", .string(version.id.function.text)),
            ("versions", .array(versions.map { .string($0.description) })),
            ("platform", .string("roost_\(version.verification?.runtime ?? "plugin")")),
            ("inputs", .array(signature.inputs.map(Self.tensor))),
            ("outputs", .array(signature.outputs.map(Self.tensor))),
        ])
        // Not of the protocol, which allows more: what the columns of the one input are called and may hold.
        if !signature.columns.isEmpty { members["columns"] = .array(signature.columns.map(\.json)) }
        members["size"] = .integer(version.stored.size)
        if let card = host.deploying.artifact(version.id)?.card { members["card"] = card.json }
        json = .object(members)
    }

    private static func tensor(_ spec: TensorSpec) -> JSONValue {
        [
            "name": .string(spec.name), "datatype": .string(spec.dtype.name),
            "shape": .array(spec.shape.map { .integer($0) }),
        ]
    }
}
