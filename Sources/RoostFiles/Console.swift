internal import Glibc

/// Lines for the person or program that started the process, out at once: nothing is lost when it ends.
public enum Console {
    /// To standard output.
    public static func print(_ line: String) { write(line, to: 1) }
    /// To standard error.
    public static func warn(_ line: String) { write(line, to: 2) }

    private static func write(_ line: String, to descriptor: Int32) {
        let bytes = Array("\(line)\n".utf8)
        // A closed terminal must not end the host, so that nobody looks at what came of it.
        _ = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
    }
}
