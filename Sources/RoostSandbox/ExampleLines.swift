internal import Glibc
public import RoostBasics

/// The file of golden examples that a template was given, split into lines.
public enum ExampleLines {
    /// The lines without their ends. The descriptor stays open.
    public static func read(_ descriptor: Int32) throws(RoostError) -> [[UInt8]] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = unsafe pread(descriptor, &chunk, chunk.count, off_t(bytes.count))
            guard count >= 0 else { throw RoostError(.system, "the golden examples cannot be read") }
            if count == 0 { break }
            bytes.append(contentsOf: chunk[..<count])
        }
        return bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { line in
            line.last == UInt8(ascii: "\r") ? Array(line.dropLast()) : Array(line)
        }
    }
}
