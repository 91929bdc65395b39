import LinearModels
import PluginTesting
import RoostBasics
import RoostPlugin
import TreeModels

/// The input is a file of XGBoost's.
func fuzzTrees(_ input: [UInt8]) throws { try fuzz(TreesModel.self, input) }

/// The input is a file of docs/LINEAR.md.
func fuzzLinear(_ input: [UInt8]) throws { try fuzz(LinearModel.self, input) }

/// What loads predicts, and a row's answer is the same alone and among others.
private func fuzz<Loaded: Model>(_ type: Loaded.Type, _ input: [UInt8]) throws {
    let host: TestHost
    do { host = try TestHost(type, input, modelBytesMax: 64 << 20) } catch {
        try expect(error is TestHost.Refusal, "an error of another kind: \(error)")
        return
    }
    let width = host.inputs[0].shape[1]
    guard width <= 256, host.outputs[0].shape.dropFirst().reduce(1, *) <= 256 else { return }
    var chance = input.chance
    let rows = 70
    let values: [Float] = [.nan, 0, -0.0, 1, -1, .infinity, -.infinity, 0.5, 1e30]
    let features = (0..<rows * width).map { _ in
        Bool.random(using: &chance)
            ? values[Int.random(in: values.indices, using: &chance)]
            : Float.random(in: -100...100, using: &chance)
    }
    let together = try host.predict(features, shape: [rows, width])
    for row in [0, 1, 63, 64, 69] {
        let alone = try host.predict(Array(features[row * width..<(row + 1) * width]), shape: [1, width])
        for (index, output) in alone {
            guard let among = together[index] else {
                throw Broken(description: "output \(index) is given for one row only")
            }
            let isSame =
                host.outputs[index].dtype == .float32
                ? output.floats.map(\.bits) == among.floats.row(row, of: rows).map(\.bits)
                : host.outputs[index].dtype == .int64
                    ? output.integers == among.integers.row(row, of: rows)
                    : output.texts == among.texts.row(row, of: rows)
            try expect(isSame, "row \(row) has another output \(index) alone")
        }
    }
}

extension Float {
    /// One pattern for all that is no number: which one it is depends on the order of operands.
    fileprivate var bits: UInt32 { isNaN ? Float.nan.bitPattern : bitPattern }
}

extension Array {
    fileprivate func row(_ row: Int, of rows: Int) -> [Element] {
        let width = count / rows
        return Array(self[row * width..<(row + 1) * width])
    }
}
