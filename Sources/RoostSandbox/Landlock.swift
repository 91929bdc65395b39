internal import CRoost
internal import Glibc
internal import RoostBasics

/// Which files plugin code may open: libraries, facts about the machine, and its own artifact.
enum Landlock {
    private static let folders = [
        "/lib", "/lib64", "/lib32", "/libx32", "/usr/lib", "/usr/lib64", "/usr/local/lib",
        "/etc/ld.so.cache", "/etc/localtime", "/usr/share/zoneinfo", "/sys/devices/system/cpu",
    ]
    private static let devices = ["/dev/null", "/dev/urandom"]

    /// A ruleset that waits to be enforced, or nil where the kernel has none.
    static func prepare(refusingNetwork: Bool, files: [Int32]) throws(RoostError) -> Int32? {
        guard roost_landlock_version() > 0 else { return nil }
        let ruleset = roost_landlock_make(refusingNetwork ? 1 : 0)
        try Sandbox.check(ruleset, "Landlock")
        for folder in folders + swiftRuntime {
            try Sandbox.check(unsafe roost_landlock_allow_path(ruleset, folder), "Landlock for \(folder)")
        }
        for device in devices {
            try Sandbox.check(unsafe roost_landlock_allow_device(ruleset, device), "Landlock for \(device)")
        }
        for file in files { try Sandbox.check(roost_landlock_allow_file(ruleset, file), "Landlock for the artifact") }
        return ruleset
    }

    /// Where this process's own Swift library came from: plugins link the same.
    private static var swiftRuntime: [String] {
        guard let folder = unsafe roost_library_folder("libswiftCore.so") else { return [] }
        return unsafe [String(cString: folder)]
    }
}
