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
        // Numbers are given from below: what is free lies above the lowest that is, and where the highest are taken, others
        // have used the reserve up.
        guard let lowest = free(from: 0) else { return errno == EMFILE }
        return lowest + reserve >= total || free(from: total - reserve / 2 - 1) == nil
    }

    /// The lowest number from `first` on that is free.
    private static func free(from first: Int) -> Int? {
        let number = fcntl(0, F_DUPFD_CLOEXEC, Int32(clamping: first))
        guard number >= 0 else { return nil }
        close(number)
        return Int(number)
    }
}
