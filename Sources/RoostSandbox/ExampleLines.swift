public import RoostBasics

/// The file of golden examples that a template was given, split into lines.
public enum ExampleLines {
    /// The lines without their ends. The descriptor stays open.
    public static func read(_ descriptor: Int32) throws(RoostError) -> [[UInt8]] {
        let bytes = try WholeFile.read(descriptor, "the golden examples")
        return bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { line in
            line.last == UInt8(ascii: "\r") ? Array(line.dropLast()) : Array(line)
        }
    }
}
