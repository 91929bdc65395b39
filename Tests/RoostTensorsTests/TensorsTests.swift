import RoostTensors
import Testing

@Suite struct TensorsTests {
    let signature = Signature(
        inputs: [
            TensorSpec(name: "x", dtype: .float32, shape: [-1, 3]), TensorSpec(name: "s", dtype: .bytes, shape: [-1]),
        ],
        outputs: [TensorSpec(name: "y", dtype: .float64, shape: [-1, -1])])

    @Test func elementsKeepTheirValuesAndTheirAlignmentWhileTheBufferGrows() {
        let buffer = TensorBuffer(dtype: .int32, trailing: [7])
        for row in 0..<1000 {
            let first = buffer.grow(by: 7)
            buffer.withMutableElements(Int32.self) { elements in
                for index in 0..<7 { elements[first + index] = Int32(row * 7 + index) }
            }
            #expect(unsafe Int(bitPattern: buffer.address) % TensorBuffer.alignment == 0)
        }
        #expect(buffer.rows == 1000)
        let isIntact = buffer.withElements(Int32.self) { elements in
            elements.indices.allSatisfy { elements[$0] == Int32($0) }
        }
        #expect(isIntact)
        buffer.truncate(to: 14)
        #expect(buffer.rows == 2)
        let extents = unsafe (buffer.shapeAddress(rows: 2)[0], buffer.shapeAddress(rows: 2)[1])
        #expect(extents == (2, 7))
    }

    @Test func aResetBufferGivesLargeMemoryBackAndStaysUsable() {
        let buffer = TensorBuffer(dtype: .float64, trailing: [])
        buffer.grow(by: TensorBuffer.keptBytesMax)
        buffer.reset()
        #expect(buffer.count == 0)
        buffer.grow(by: 2)
        #expect(buffer.withElements(Double.self) { $0[1] } == 0)
    }

    @Test func stringsStayWhereTheyAreUntilTheyAreRolledBack() {
        let arena = ByteArena()
        let words = (0..<20_000).map { "word number \($0)" }
        let first = words[..<100].map { arena.store(Array($0.utf8)) }
        let mark = arena.mark
        for word in words { _ = arena.store(Array(word.utf8)) }
        _ = arena.store([UInt8](repeating: 1, count: 1 << 20))
        arena.rollback(to: mark)
        let next = arena.store([7, 8, 9])
        for (word, stored) in zip(words, first) { #expect(stored.bytes == Array(word.utf8)) }
        #expect(next.bytes == [7, 8, 9])
        arena.reset()
        #expect(arena.store([1]).bytes == [1])
    }

    @Test func rollingBackTakesOnlyTheRowsSinceTheMark() {
        let batch = TensorBatch(signature: signature)
        for input in batch.inputs { input.grow(by: 2 * input.rowElements) }
        batch.commit(rows: 2)
        let mark = batch.mark
        batch.inputs[0].grow(by: 3)
        batch.inputs[1].grow(by: 1)
        batch.commit(rows: 1)
        batch.inputs[0].grow(by: 5)
        batch.rollback(to: mark)
        #expect(batch.rows == 2)
        #expect(batch.inputs.map(\.rows) == [2, 2])
    }

    @Test(
        arguments: [
            (0, [2, 4], nil), (0, [1, 4], "expected shape [2, -1], got [1, 4]"),
            (0, [2], "expected shape [2, -1], got [2]"),
            (0, [2, -1], "expected shape [2, -1], got [2, -1]"), (1, [2, 4], "the signature has 1"),
            (0, [2, 1 << 40], "expected shape"), (0, [], "expected shape [2, -1], got []"),
        ] as [(Int, [Int64], String?)])
    func outputsMustFitTheSignatureAndTheRows(_ index: Int, _ shape: [Int64], _ complaint: String?) {
        let batch = TensorBatch(signature: signature)
        for input in batch.inputs { input.grow(by: 2 * input.rowElements) }
        batch.commit(rows: 2)
        do throws(ShapeMismatch) {
            let output = try batch.prepareOutput(index, shape: shape.span)
            #expect(complaint == nil)
            #expect(output.count == 8 && batch.missingOutput == nil)
            #expect(throws: ShapeMismatch.self) { try batch.prepareOutput(index, shape: shape.span) }
            batch.resetOutputs()
            #expect(batch.missingOutput == "y")
        } catch {
            #expect(complaint.map { error.message.contains($0) } == true, "\(error.message)")
        }
    }
}

extension ByteArena {
    fileprivate func store(_ bytes: [UInt8]) -> BytesElement { unsafe store(bytes.span.bytes) }
}

extension BytesElement {
    fileprivate var bytes: [UInt8] {
        withBytes { span in (0..<span.byteCount).map { unsafe span.unsafeLoad(fromByteOffset: $0, as: UInt8.self) } }
    }
}
