internal import CRoost

extension roost_descriptors {
    init(_ numbers: [Int32]) {
        precondition(numbers.count <= 6, "more descriptors than a message carries")
        self.init()
        count = Int32(numbers.count)
        unsafe withUnsafeMutableBytes(of: &at) { bytes in
            for (index, number) in numbers.enumerated() {
                unsafe bytes.storeBytes(of: number, toByteOffset: index * 4, as: Int32.self)
            }
        }
    }

    var numbers: [Int32] {
        unsafe withUnsafeBytes(of: at) { bytes in
            (0..<Int(count)).map { unsafe bytes.load(fromByteOffset: $0 * 4, as: Int32.self) }
        }
    }
}
