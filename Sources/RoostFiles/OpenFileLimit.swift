internal import Glibc

/// How many files this process may have open.
public enum OpenFileLimit {
    /// Raises the limit as far as the system allows and returns it.
    public static func raise() -> Int {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 1024 }
        limit.rlim_cur = limit.rlim_max
        _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        return Int(clamping: limit.rlim_cur)
    }

    /// Whether fewer than `reserve` more files can be opened, or than an eighth of all where the limit is low. The limit may
    /// have been changed from outside.
    public static func isNear(reserve: Int) -> Bool {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return false }
        let total = Int(clamping: limit.rlim_cur)
        // The lowest number that is free: as many are open, or more.
        let free = fcntl(0, F_DUPFD_CLOEXEC, 0)
        guard free >= 0 else { return errno == EMFILE }
        close(free)
        return Int(free) + min(reserve, total / 8) >= total
    }
}
