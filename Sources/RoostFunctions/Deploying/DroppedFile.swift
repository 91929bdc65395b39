/// How a file in the drop folder looked when the folder was listed.
public struct FileStamp: Hashable, Sendable {
    public let size: Int
    /// Nanoseconds since 1970, by the file system's clock.
    public let modifiedNS: Int
    public let inode: UInt64

    public init(size: Int, modifiedNS: Int, inode: UInt64) {
        self.size = size
        self.modifiedNS = modifiedNS
        self.inode = inode
    }
}

/// One regular file of a folder listing. Folders and links to them are left out by who lists.
public struct FileEntry: Hashable, Sendable {
    public let name: String
    public let stamp: FileStamp

    public init(name: String, stamp: FileStamp) {
        self.name = name
        self.stamp = stamp
    }
}

/// What a file's own structure says about being complete.
public enum FileShape: Hashable, Sendable {
    /// It carries a digest of itself that matches: complete without waiting.
    case sealed
    /// Nothing is missing.
    case whole
    /// Something is missing that further writing may bring.
    case growing(reason: String)
    /// It can never be deployed as it is.
    case broken(reason: String)
}

/// A copy in the store.
public struct StoredFile: Hashable, Sendable {
    public enum Kind: String, Hashable, Sendable {
        /// A shared object behind the plugin ABI.
        case plugin
        /// A model file for an installed runtime.
        case model
    }

    /// SHA-256 in hexadecimal; also its name in the store.
    public let digest: String
    public let size: Int
    public let kind: Kind

    public init(digest: String, size: Int, kind: Kind) {
        self.digest = digest
        self.size = size
        self.kind = kind
    }
}

/// Where a file of the drop folder stands, until it has become a version.
public enum FilePhase: Hashable, Sendable {
    /// Seen as it is since then; `shape` once it has been examined. Goes to copying, refused.
    case settling(shape: FileShape?)
    /// Being copied into the store. Goes to accepted, settling (it changed meanwhile), refused.
    case copying
    /// It is the file of a version, or of its latest one. Goes to settling when it changes.
    case accepted
    /// Not deployed, and why. Goes to settling when it changes or the cause is gone.
    case refused(reason: String)
}
