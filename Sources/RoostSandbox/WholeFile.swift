internal import Glibc
internal import RoostBasics

/// Reads all of a small file that came with an order.
enum WholeFile {
    /// From its beginning; the descriptor stays open.
    /// - Parameter what: for the error.
    static func read(_ descriptor: Int32, _ what: String) throws(RoostError) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = unsafe pread(descriptor, &chunk, chunk.count, off_t(bytes.count))
            guard count >= 0 else { throw RoostError(.system, "\(what) cannot be read") }
            if count == 0 { return bytes }
            bytes.append(contentsOf: chunk[..<count])
        }
    }
}
