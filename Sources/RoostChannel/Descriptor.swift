internal import Glibc

/// One open descriptor, closed with its owner.
final class Descriptor {
    let number: Int32

    /// Takes over what `operation` returned; throws when that was -1.
    init(_ number: Int32, _ operation: String) throws(ChannelError) {
        guard number >= 0 else { throw .system(operation, errno) }
        self.number = number
    }

    deinit { close(number) }
}
