internal import Glibc

/// The words for an error number.
public enum SystemError {
    /// `Permission denied (13)`; `number` is positive.
    public static func text(_ number: Int32) -> String {
        let words = unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 128) { buffer in
            guard let start = buffer.baseAddress, unsafe strerror_r(number, start, buffer.count) == 0 else {
                return "unknown error"
            }
            return unsafe String(cString: start)
        }
        return "\(words) (\(number))"
    }
}
