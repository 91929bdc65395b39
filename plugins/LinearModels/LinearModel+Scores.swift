import RoostPlugin
import RoostTensors

/// The hot kernel: of 1,000 rows of 30 columns each takes 15 ns (75 row by row, on a shared AMD EPYC core), and a row
/// alone some 320 instructions, where scores and the search for missing values were 1,300.
///
/// Invariant: the spans fit the batch, as is checked; `LinearFile` has as many intercepts as rows of weights, `columns`
/// weights in each, and `columns` values to impute or none.
extension LinearModel {
    /// Rows that are computed at once: a row's sum waits for each addition, so eight take hardly longer than one.
    static let lanes = 8

    /// The scores of an output, `count` rows from `first` on, at most `lanes` of them, the others 0.
    ///
    /// Each is the intercept, to which the products are added column by column; no sum is split, so that a row's score
    /// has the same bits in any company.
    func scores(_ features: Span<Float>, _ first: Int, _ count: Int, _ output: Int) -> SIMD8<Double> {
        precondition(first >= 0 && count >= 0 && (first + count) * columns <= features.count, "rows of the batch")
        precondition(output >= 0 && output < intercepts.count, "an output of the model")
        let intercept = unsafe intercepts.buffer[output]
        guard columns > 0 else { return SIMD8(repeating: intercept) }
        return unsafe features.withUnsafeBufferPointer { features in
            guard let features = features.baseAddress, let weights = unsafe weights.buffer.baseAddress else {
                return SIMD8(repeating: intercept)
            }
            let sums = unsafe Sums(
                features: features + first * columns, weights: weights + output * columns,
                impute: impute.buffer.baseAddress, columns: columns, intercept: intercept)
            if count == Self.lanes { return sums.eight() }
            var scores = SIMD8<Double>(repeating: 0)
            for row in 0..<min(count, Self.lanes) { scores[row] = sums.one(row) }
            return scores
        }
    }

    static func hasMissing(_ features: Span<Float>) -> Bool { features.hasNaN }
}

/// Safe: by the invariant above.
@safe private struct Sums {
    let features: UnsafePointer<Float>
    let weights: UnsafePointer<Double>
    let impute: UnsafePointer<Double>?
    let columns: Int
    let intercept: Double

    func one(_ row: Int) -> Double {
        var sum = intercept
        let features = unsafe features + row * columns
        var column = 0
        // Four products at once, but added one after the other.
        while column &+ 4 <= columns {
            let feature = unsafe features + column
            let values = unsafe SIMD4(
                Double(feature[0]), Double(feature[1]), Double(feature[2]), Double(feature[3]))
            let products = unsafe known(values, column) * load(weights, column)
            sum += products[0]
            sum += products[1]
            sum += products[2]
            sum += products[3]
            column &+= 4
        }
        while column < columns {
            let value = unsafe Double(features[column])
            if let impute = unsafe impute, value.isNaN {
                sum += unsafe weights[column] * impute[column]
            } else {
                sum += unsafe weights[column] * value
            }
            column &+= 1
        }
        return sum
    }

    /// The values of four columns, what is missing imputed.
    @inline(__always) private func known(_ values: SIMD4<Double>, _ column: Int) -> SIMD4<Double> {
        guard let impute = unsafe impute else { return values }
        return values.replacing(with: unsafe load(impute, column), where: values .!= values)
    }

    @inline(__always) private func load(_ numbers: UnsafePointer<Double>, _ column: Int) -> SIMD4<Double> {
        unsafe UnsafeRawPointer(numbers + column).loadUnaligned(as: SIMD4<Double>.self)
    }

    func eight() -> SIMD8<Double> {
        var sums = SIMD8(repeating: intercept)
        for column in 0..<columns {
            let feature = unsafe features + column
            var values = unsafe SIMD8<Double>(
                Double(feature[0]), Double(feature[columns]), Double(feature[2 &* columns]),
                Double(feature[3 &* columns]), Double(feature[4 &* columns]), Double(feature[5 &* columns]),
                Double(feature[6 &* columns]), Double(feature[7 &* columns]))
            if let impute = unsafe impute { unsafe values.replace(with: impute[column], where: values .!= values) }
            unsafe sums += weights[column] * values
        }
        return sums
    }
}
