internal import CShell
internal import Glibc

/// The folder of the running program's file, links resolved; nil when the system does not say.
public func programFolder() -> String? {
    var path = [CChar](repeating: 0, count: Int(PATH_MAX))
    let length = unsafe readlink("/proc/self/exe", &path, path.count)
    guard length > 0, length < path.count else { return nil }
    let bytes = path.prefix(length).map { UInt8(bitPattern: $0) }
    guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return nil }
    return slash == 0 ? "/" : String(decoding: bytes[..<slash], as: UTF8.self)
}

/// The processors that this process may use, at least one.
public func availableCores() -> Int { Int(roost_available_cores()) }

/// The number of a user given by name or number; nil when there is no such user.
public func userNumber(of user: String) -> UInt32? {
    if let number = UInt32(user) { return number }
    guard let entry = unsafe getpwnam(user) else { return nil }
    return unsafe entry.pointee.pw_uid
}
