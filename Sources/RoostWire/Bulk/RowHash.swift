internal import RoostBasics
internal import RoostTensors

/// A hash of the elements of a row, the same on every run: words are multiplied into it, both halves of the product
/// kept (as in Wang Yi's wyhash).
struct RowHash {
    private var state: UInt64 = 0x243F_6A88_85A3_08D3  // of π

    var value: UInt64 { SplitMix.mix(state) }

    @inline(__always) private mutating func combine(_ word: UInt64) {
        let product = (state ^ word).multipliedFullWidth(by: 0xA076_1D64_78BD_642F)
        state = product.high ^ product.low &+ word
    }

    mutating func combine(_ input: TensorBuffer, row: Int) {
        guard input.dtype != .bytes else {
            input.withElements(BytesElement.self) { all in
                for index in row * input.rowElements..<(row + 1) * input.rowElements {
                    combine(UInt64(truncatingIfNeeded: all[index].size))
                    all[index].withBytes { combine($0) }
                }
            }
            return
        }
        let size = input.rowElements * input.dtype.byteSize
        input.withBytes { combine($0.extracting(row * size..<(row + 1) * size)) }
    }

    @inline(__always) private mutating func combine(_ bytes: RawSpan) {
        var at = 0
        while at &+ 8 <= bytes.byteCount {
            combine(unsafe bytes.unsafeLoadUnaligned(fromByteOffset: at, as: UInt64.self))
            at &+= 8
        }
        guard at < bytes.byteCount else { return }
        var word: UInt64 = 0
        while at < bytes.byteCount {
            word = word << 8 | UInt64(bytes[at])
            at &+= 1
        }
        combine(word)
    }
}
