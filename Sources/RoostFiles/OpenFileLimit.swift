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
        let reserve = min(reserve, total / 8)
        var folder = stat()
        if unsafe stat("/proc/self/fd", &folder) == 0, folder.st_size > 0 {
            return Int(folder.st_size) + reserve >= total
        }
        // Before Linux 6.2 nobody tells how many are open: at least as many as the lowest free number.
        let free = fcntl(0, F_DUPFD_CLOEXEC, 0)
        guard free >= 0 else { return errno == EMFILE }
        close(free)
        return Int(free) + reserve >= total
    }
}
