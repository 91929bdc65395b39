internal import RoostBasics
internal import RoostChannel
internal import RoostTensors
internal import RoostWire

extension Comparison {
    /// Holds what a version has predicted against what another has answered to the same rows.
    ///
    /// A row's class is its `label`, if both say one; else where the first output is largest (the first of equals);
    /// else, of a single number that is a probability in both, whether it is at least a half. Other rows have none.
    /// - Throws: `.invalidArgument` when the answers have nothing in common.
    init(of batch: TensorBatch, to served: [GoldenExample.Expected]) throws(RoostError) {
        self.init()
        rows = UInt64(batch.rows)
        let label = batch.signature.outputs.firstIndex { $0.name == "label" }
        var common = 0
        for answer in served {
            let output = batch.outputs[answer.output]
            let count = output.dtype == .bytes ? answer.texts.count : answer.numbers.count
            guard count == output.count, output.count > 0 else { continue }
            common += 1
            if answer.output == label {
                decide(batch.rows) { answer.isEqual(to: output, at: $0) }
            } else if output.dtype != .bytes, answer.output < Self.tensorsMax {
                tensors[answer.output] = Numbers(of: output, to: answer.numbers)
            }
        }
        guard common > 0 else {
            throw RoostError(.invalidArgument, "the versions answer with different outputs: nothing can be compared")
        }
        if decisions == 0, let first = served.first(where: { $0.output == 0 }) { decide(by: first, batch.outputs[0]) }
    }

    private mutating func decide(_ rows: Int, _ agrees: (Int) -> Bool?) {
        for row in 0..<rows {
            guard let agrees = agrees(row) else { continue }
            decisions += 1
            if !agrees { flips += 1 }
        }
    }

    private mutating func decide(by served: GoldenExample.Expected, _ output: TensorBuffer) {
        guard output.dtype.isFloatingPoint, served.numbers.count == output.count else { return }
        let width = output.rowElements
        decide(Int(rows)) { row in
            let elements = row * width..<(row + 1) * width
            if width > 1 {
                return Self.largest(elements) { served.numbers[$0] } == Self.largest(elements) { output.number(at: $0) }
            }
            let (before, now) = (served.numbers[row], output.number(at: row))
            guard (0...1).contains(before), (0...1).contains(now) else { return nil }
            return (before >= 0.5) == (now >= 0.5)
        }
    }

    private static func largest(_ elements: Range<Int>, _ value: (Int) -> Double) -> Int {
        var best = elements.lowerBound
        for index in elements.dropFirst() where value(index) > value(best) { best = index }
        return best
    }
}

extension Comparison.Numbers {
    /// What is not finite differs from every number, by nothing that could be added up, and from nothing else.
    fileprivate init(of output: TensorBuffer, to served: [Double]) {
        self.init()
        for (index, before) in served.enumerated() {
            let now = output.number(at: index)
            guard before.isFinite || now.isFinite else {
                elements += 1
                continue
            }
            let difference = abs(now - before), scale = max(abs(now), abs(before))
            guard difference.isFinite else { continue }
            elements += 1
            sum += difference
            largest = max(largest, difference)
            if difference > 0 { relativeSum += difference / scale }
        }
        // A sum of finite numbers need not be one.
        sum = min(sum, Double.greatestFiniteMagnitude)
    }
}
