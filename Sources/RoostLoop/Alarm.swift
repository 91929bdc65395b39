internal import CLibuv
internal import Glibc
public import RoostBasics

/// Fires once at an instant, as exactly as the kernel can (timerfd): libuv's own timers count whole milliseconds.
///
/// It costs a system call for each setting, and keeps the loop alive until it is closed.
public final class Alarm {
    private let descriptor: Int32
    private var poll: Poll?
    private var setting: Instant?

    public init(on loop: Loop, _ onFire: @escaping () -> Void) throws(UVError) {
        descriptor = timerfd_create(CLOCK_MONOTONIC, Int32(TFD_NONBLOCK | TFD_CLOEXEC))
        try UVError.check(descriptor < 0 ? -errno : 0, "timerfd_create")
        poll = try Poll(descriptor, for: .readable, on: loop) { [weak self] _ in
            guard let self else { return }
            self.setting = nil
            onFire()
            // What was set anew has taken back the old report; else it would be made again in each turn.
            if self.setting == nil, self.poll != nil { try? self.arm(nil) }
        }
    }

    /// From now on it fires at `time`, at once when that has passed; nil: not at all.
    public func set(_ time: Instant?) throws(UVError) {
        guard time != setting else { return }
        try arm(time)
        setting = time
    }

    private func arm(_ time: Instant?) throws(UVError) {
        var setting = itimerspec()
        // Zero would mean never.
        let nanoseconds = time.map { max(1, $0.nanoseconds) } ?? 0
        setting.it_value.tv_sec = Int(clamping: nanoseconds / 1_000_000_000)
        setting.it_value.tv_nsec = Int(nanoseconds % 1_000_000_000)
        let status = unsafe timerfd_settime(descriptor, Int32(TFD_TIMER_ABSTIME), &setting, nil)
        try UVError.check(status < 0 ? -errno : 0, "timerfd_settime")
    }

    /// May be repeated. It does not fire any more.
    public func close() {
        guard let poll else { return }
        poll.close()
        self.poll = nil
        Glibc.close(descriptor)
    }

    deinit { close() }
}
