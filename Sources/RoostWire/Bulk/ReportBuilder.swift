internal import RoostBasics
internal import RoostTensors

/// Counts the rows of batches into a `DataReport`. Keeps its memory from chunk to chunk.
struct ReportBuilder {
    /// Where the cells of a column stand.
    private enum Layout {
        /// In the rows of the one FP32 matrix.
        case floatMatrix
        /// In the rows of the one matrix of another type.
        case matrix
        /// Each column is an input of one element.
        case inputs
    }

    /// What is counted for each cell of a column.
    private struct Tally {
        let isNumber: Bool
        var missing: UInt64 = 0
        var infinite: UInt64 = 0
        var minimum = Double.infinity
        var maximum = -Double.infinity
        var outOfRange: UInt64 = 0
    }

    private let empty: DataReport
    private let layout: Layout
    private var report: DataReport
    private var tallies: [Tally]
    /// Of each column, `ExactSum.digitCount` digits.
    private var sums: [Int64]
    /// Of those columns whose range is known.
    private var ranges: [(column: Int, range: ClosedRange<Double>)] = []
    /// Rows since the sums were carried.
    private var uncarried = 0

    init(_ inputs: InputLayout) {
        var report = DataReport()
        if let matrix = inputs.matrix {
            report.columns = matrix.columns.map { DataReport.Column(name: $0.name, isNumber: $0.kind == .number) }
            layout = inputs.signature.inputs.first?.dtype == .float32 ? .floatMatrix : .matrix
        } else {
            let isTable = inputs.signature.inputs.allSatisfy { $0.shape.dropFirst().allSatisfy { $0 == 1 } }
            report.columns =
                isTable
                ? inputs.signature.inputs.map {
                    DataReport.Column(name: $0.name, isNumber: $0.dtype != .bytes && $0.dtype != .bool)
                } : []
            layout = .inputs
        }
        (empty, self.report) = (report, report)
        tallies = report.columns.map { Tally(isNumber: $0.isNumber) }
        sums = Array(repeating: 0, count: tallies.count * ExactSum.digitCount)
    }

    /// From now on numbers beyond these ranges are counted; those of columns that the model does not have are left out.
    mutating func watch(_ ranges: [BulkPlan.ColumnRange]) {
        self.ranges = ranges.compactMap { range in
            empty.columns.firstIndex { $0.name == range.column && $0.isNumber }.map { ($0, range.range) }
        }
    }

    mutating func refuse(column: Int?) {
        report.badRows &+= 1
        if let column, report.columns.indices.contains(column) { report.columns[column].refused &+= 1 }
    }

    /// Counts all rows of a batch.
    mutating func add(_ batch: TensorBatch) {
        report.rows &+= UInt64(batch.rows)
        var first = 0
        while first < batch.rows {
            if uncarried == ExactSum.additionsMax { carry() }
            let end = min(batch.rows, first + ExactSum.additionsMax - uncarried)
            switch layout {
            case .floatMatrix: Self.addFloats(batch.inputs[0], first..<end, &tallies, &sums)
            case .matrix:
                for column in tallies.indices {
                    addCells(batch.inputs[0], first..<end, column, stride: tallies.count, offset: column)
                }
            case .inputs:
                for column in tallies.indices {
                    addCells(batch.inputs[column], first..<end, column, stride: 1, offset: 0)
                }
            }
            uncarried += end - first
            first = end
        }
        for (column, range) in ranges { countBeyond(range, column, batch) }
        hash(batch)
    }

    /// The report since the last call.
    mutating func finish() -> DataReport {
        carry()
        for (index, tally) in tallies.enumerated() {
            report.columns[index].missing = tally.missing
            report.columns[index].infinite = tally.infinite
            report.columns[index].minimum = tally.minimum
            report.columns[index].maximum = tally.maximum
            report.columns[index].outOfRange = tally.outOfRange
            let first = index * ExactSum.digitCount
            report.columns[index].exactSum = ExactSum(sums[first..<first + ExactSum.digitCount])
        }
        defer { clear() }
        return report
    }

    private mutating func clear() {
        report = empty
        for index in tallies.indices { tallies[index] = Tally(isNumber: tallies[index].isNumber) }
        for index in sums.indices { sums[index] = 0 }
    }

    private mutating func carry() {
        for index in tallies.indices where uncarried > 0 {
            var span = sums.mutableSpan
            ExactSum.normalize(&span, from: index * ExactSum.digitCount)
        }
        uncarried = 0
    }
}

/// Cells.
extension ReportBuilder {
    private static func addFloats(
        _ input: TensorBuffer, _ rows: Range<Int>, _ tallies: inout [Tally], _ sums: inout [Int64]
    ) {
        let width = tallies.count
        var tallies = tallies.mutableSpan
        var sums = sums.mutableSpan
        input.withElements(Float.self) { all in
            for row in rows {
                for column in 0..<width {
                    let value = all[row &* width &+ column]
                    guard value.isFinite else {
                        if value.isNaN { tallies[column].missing &+= 1 } else { tallies[column].infinite &+= 1 }
                        continue
                    }
                    guard tallies[column].isNumber else { continue }
                    ExactSum.add(value, to: &sums, from: column &* ExactSum.digitCount)
                    // Adding 0 makes one zero of both, of which neither is the smaller one.
                    let wide = Double(value) + 0
                    if wide < tallies[column].minimum { tallies[column].minimum = wide }
                    if wide > tallies[column].maximum { tallies[column].maximum = wide }
                }
            }
        }
    }

    private mutating func addCells(_ input: TensorBuffer, _ rows: Range<Int>, _ column: Int, stride: Int, offset: Int) {
        if input.dtype == .bytes {
            input.withElements(BytesElement.self) { all in
                for row in rows where all[row &* stride &+ offset].size == 0 { tallies[column].missing &+= 1 }
            }
            return
        }
        for row in rows {
            let value = input.number(at: row &* stride &+ offset)
            guard value.isFinite else {
                if value.isNaN { tallies[column].missing &+= 1 } else { tallies[column].infinite &+= 1 }
                continue
            }
            guard tallies[column].isNumber else { continue }
            var span = sums.mutableSpan
            ExactSum.add(value, to: &span, from: column &* ExactSum.digitCount)
            tallies[column].minimum = min(tallies[column].minimum, value + 0)
            tallies[column].maximum = max(tallies[column].maximum, value + 0)
        }
    }

    private mutating func countBeyond(_ range: ClosedRange<Double>, _ column: Int, _ batch: TensorBatch) {
        let (input, stride, offset) =
            layout == .inputs ? (batch.inputs[column], 1, 0) : (batch.inputs[0], tallies.count, column)
        // A bound is rounded as the numbers were: 0.1 is not beyond 0.1.
        let isSingle = input.dtype == .float32
        let low = isSingle ? Double(Float(range.lowerBound)) : range.lowerBound
        let high = isSingle ? Double(Float(range.upperBound)) : range.upperBound
        for row in 0..<batch.rows {
            let value = input.number(at: row &* stride &+ offset)
            if value.isFinite, value < low || value > high { tallies[column].outOfRange &+= 1 }
        }
    }

    /// Puts a hash of what the model sees of each row into the sketch.
    private mutating func hash(_ batch: TensorBatch) {
        for row in 0..<batch.rows {
            var hash = RowHash()
            for input in batch.inputs { hash.combine(input, row: row) }
            report.distinct.insert(hash.value)
        }
    }
}
