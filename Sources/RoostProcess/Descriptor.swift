internal import CRoost
internal import Glibc

/// One open descriptor, closed with its owner.
final class Descriptor {
    let number: Int32
    init(_ number: Int32) { self.number = number }
    deinit { close(number) }
}

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

    /// Takes them over: what is not kept is closed.
    func taken() -> [Descriptor] {
        unsafe withUnsafeBytes(of: at) { bytes in
            (0..<Int(count)).map { Descriptor(unsafe bytes.load(fromByteOffset: $0 * 4, as: Int32.self)) }
        }
    }
}

/// The words for an error number.
func systemText(_ number: Int32) -> String {
    let words = unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 128) { buffer in
        guard let start = buffer.baseAddress, unsafe strerror_r(number, start, buffer.count) == 0 else {
            return "unknown error"
        }
        return unsafe String(cString: start)
    }
    return "\(words) (\(number))"
}
