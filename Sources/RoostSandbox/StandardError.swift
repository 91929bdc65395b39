internal import Glibc

/// The pipe that the host keeps for people.
public enum StandardError {
    /// One line, in one write.
    public static func write(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        unsafe bytes.withUnsafeBytes { _ = unsafe Glibc.write(2, $0.baseAddress, $0.count) }
    }
}
