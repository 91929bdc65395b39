public import RoostBasics

/// A file that holds one secret: the token that management asks for, or shows.
public enum TokenFile {
    /// Shorter ones can be guessed.
    public static let bytesMin = 16
    public static let bytesMax = 4096

    /// The token in the file at `path`, without white space around it.
    /// - Throws: when there is none, or none that a header may carry.
    public static func read(_ path: String) throws(RoostError) -> String {
        let file = try FileDescriptor(reading: path)
        let bytes = try file.read(bytesMax + 1, at: 0)
        let isSpace = { (byte: UInt8) in byte == 0x20 || (0x09...0x0D).contains(byte) }
        let start = bytes.firstIndex { !isSpace($0) } ?? bytes.count
        let end = (bytes.lastIndex { !isSpace($0) } ?? -1) + 1
        let token = bytes[min(start, end)..<end]
        guard bytes.count <= bytesMax, token.count >= bytesMin else {
            throw RoostError(
                .invalidArgument,
                "\(path) must hold a token of \(bytesMin) to \(bytesMax) characters, as `openssl rand -hex 32` makes one"
            )
        }
        guard token.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw RoostError(.invalidArgument, "\(path) must hold one token, of visible ASCII characters")
        }
        return String(decoding: token, as: UTF8.self)
    }
}
