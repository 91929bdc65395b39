/// One group of system calls that plugin code may make, or is told that it may not.
struct SyscallRule {
    let names: [String]
    /// Why it is allowed, or what it would do.
    let reason: String

    init(_ names: String, _ reason: String) {
        self.names = names.split(separator: " ").map(String.init)
        self.reason = reason
    }
}

/// What stands in neither list is unknown: ENOSYS, so that libraries fall back to older calls.
/// Names that an architecture does not have are skipped. Calls that depend on their arguments are in `SystemCalls`.
enum SyscallRules {
    static let allowed = [
        SyscallRule("brk munmap mprotect mremap madvise mincore msync membarrier", "memory of its own"),
        SyscallRule(
            "read pread64 readv preadv preadv2 write pwrite64 writev pwritev lseek close close_range",
            "descriptors that it was given or may open"),
        SyscallRule(
            "fstat newfstatat stat lstat statx access faccessat faccessat2 readlink readlinkat statfs fstatfs",
            "looking at files; Landlock says which may be opened"),
        SyscallRule("getdents64 getcwd dup dup2 dup3 fadvise64 flock", "what readers of files use"),
        SyscallRule(
            "pause rt_sigsuspend poll ppoll select pselect6 epoll_create1 epoll_ctl epoll_wait epoll_pwait "
                + "eventfd2 pipe pipe2",
            "waiting within the process"),
        SyscallRule("sendmsg recvmsg sendto recvfrom shutdown", "the sockets that it was given; it can make none"),
        SyscallRule("clock_gettime clock_getres gettimeofday time nanosleep clock_nanosleep times", "the time"),
        SyscallRule(
            "getpid gettid getppid getuid geteuid getgid getegid getresuid getresgid getgroups getpgrp getpgid getsid",
            "knowing oneself"),
        SyscallRule("uname sysinfo getrusage getrlimit getcpu getrandom capget", "knowing the machine"),
        SyscallRule(
            "sched_yield sched_getaffinity sched_getparam sched_getscheduler sched_get_priority_max sched_get_priority_min",
            "counting cores, giving way"),
        SyscallRule(
            "futex futex_time64 set_tid_address set_robust_list get_robust_list rseq arch_prctl",
            "locks and thread-local memory of the C library"),
        SyscallRule(
            "rt_sigaction rt_sigprocmask rt_sigreturn rt_sigpending rt_sigtimedwait sigaltstack tgkill restart_syscall",
            "abort() and its like: without them it would show up as another signal"),
        SyscallRule("wait4 waitid", "it has no children, and may find that out"),
        SyscallRule("seccomp", "closing its own sandbox further"),
        SyscallRule("exit exit_group", "ending"),
    ]

    static let refused = [
        SyscallRule("fork vfork execve execveat", "starting programs"),
        SyscallRule(
            "kill tkill rt_sigqueueinfo rt_tgsigqueueinfo pidfd_open pidfd_getfd pidfd_send_signal",
            "reaching other processes"),
        SyscallRule("ptrace process_vm_readv process_vm_writev process_madvise kcmp", "looking into other processes"),
        SyscallRule(
            "setpgid setsid setpriority sched_setaffinity sched_setscheduler sched_setparam sched_setattr ioprio_set",
            "taking more than its share"),
        SyscallRule(
            "setuid setgid setreuid setregid setresuid setresgid setgroups setfsuid setfsgid capset",
            "becoming somebody else"),
        SyscallRule("unshare setns mount umount2 pivot_root chroot chdir fchdir", "another view of the system"),
        SyscallRule("memfd_create memfd_secret ftruncate truncate fallocate", "memory that no limit counts"),
        SyscallRule(
            "creat mkdir mkdirat rmdir unlink unlinkat rename renameat renameat2 link linkat symlink symlinkat mknod mknodat",
            "changing files"),
        SyscallRule(
            "chmod fchmod fchmodat chown fchown lchown fchownat utimensat setxattr lsetxattr fsetxattr",
            "changing what files are"),
        SyscallRule("shmget shmat semget msgget mq_open", "memory that outlives the process"),
        SyscallRule(
            "bpf perf_event_open userfaultfd keyctl add_key request_key init_module finit_module delete_module kexec_load reboot",
            "the kernel's own matters"),
    ]

    /// Refused unless the version's limits say `network`.
    static let network = SyscallRule(
        "socketpair connect bind listen accept accept4 getsockname getpeername getsockopt setsockopt sendmmsg recvmmsg",
        "the network")
}
