internal import CRoost
internal import RoostBasics
internal import RoostPlugins
internal import RoostSandbox
internal import RoostTensors
internal import RoostWire

/// Runs golden examples in a freshly loaded template: proof in probation, and the payment of first-use costs.
enum GoldenCheck {
    /// Returns how many were checked.
    /// - Throws: `pluginFailed` naming the first example that is wrong or cannot be read.
    static func run(_ template: LoadedTemplate, _ codec: Codec) throws(RoostError) -> Int {
        guard template.model.canPredict, let examples = template.examples, template.examplesMax > 0 else { return 0 }
        defer { codec.batch.reset() }
        var checked = 0
        for (index, line) in try ExampleLines.read(examples).enumerated() where !line.isEmpty {
            guard checked < template.examplesMax else { break }
            try check(line, number: index + 1, template.model, codec.decoder, codec.batch)
            checked += 1
        }
        return checked
    }

    private static func check(
        _ line: [UInt8], number: Int, _ model: LoadedModel, _ decoder: RequestDecoder, _ batch: TensorBatch
    ) throws(RoostError) {
        batch.reset()
        do throws(RoostError) {
            let example = try decoder.example(line.bytes, into: batch)
            try model.predict(batch)
            if let failed = model.failedRows.min(by: { $0.key < $1.key }) {
                throw RoostError(.pluginFailed, "row \(failed.key + 1): \(failed.value)")
            }
            guard let difference = example.difference(batch, rows: 0..<example.rows) else { return }
            throw RoostError(.pluginFailed, "wrong answer: \(difference)")
        } catch {
            throw RoostError(.pluginFailed, "golden example \(number): \(error.message)")
        }
    }
}
