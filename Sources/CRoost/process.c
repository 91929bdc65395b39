#include "roost_process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <linux/openat2.h>
#include <malloc.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

static int lift(int descriptor) { return fcntl(descriptor, F_DUPFD_CLOEXEC, 64); }

roost_spawned roost_spawn_starter(int32_t binary, int32_t control, char *const *environment) {
  /* Away from the numbers that the actions below write to. */
  int executable = lift(binary), socket = lift(control);
  if (executable < 0 || socket < 0) {
    int error = errno;
    if (executable >= 0) close(executable);
    if (socket >= 0) close(socket);
    return (roost_spawned){-error, -1, -1};
  }
  char path[32];
  snprintf(path, sizeof path, "/proc/self/fd/%d", executable);
  char *arguments[] = {"roost-instance", "starter", NULL};
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, 2, 1);
  posix_spawn_file_actions_adddup2(&actions, socket, ROOST_FD_CONTROL);
  pid_t process = -1;
  int error = posix_spawn(&process, path, &actions, &attributes, arguments, environment);
  posix_spawn_file_actions_destroy(&actions);
  posix_spawnattr_destroy(&attributes);
  close(executable);
  close(socket);
  if (error != 0) return (roost_spawned){-error, -1, -1};
  int pidfd = roost_pidfd_open(process);
  return (roost_spawned){pidfd < 0 ? pidfd : 0, process, pidfd};
}

/* A raw clone without memory sharing: as fork, but free to choose the parent. glibc keeps the old tid for this
   thread; that is harmless without threads and priority-inheriting mutexes (raise asks the kernel). */
static long clone_process(unsigned long flags, int *pidfd) {
  return syscall(SYS_clone, flags | SIGCHLD, NULL, pidfd, NULL, NULL);
}

roost_nursery_start roost_start_nursery(void) {
  roost_nursery_start start = {0, -1, -1, 1, 0};
  /* Whatever a library in the host left open to programs would otherwise stay open as long as the nursery. */
  syscall(SYS_close_range, ROOST_FD_CONTROL + 1, ~0U, 0);
  if (unshare(CLONE_NEWPID) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWPID) != 0) {
    start.in_namespace = 0;
    start.namespace_error = errno;
  }
  long process = clone_process(CLONE_PARENT | CLONE_PIDFD, &start.pidfd);
  if (process < 0) start.status = -errno;
  start.process = (int32_t)process;
  return start;
}

int32_t roost_settle_nursery(void) {
  struct rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
  signal(SIGINT, SIG_IGN);
  signal(SIGTERM, SIG_IGN);
  setsid();
  prctl(PR_SET_NAME, "roost-nursery");
  roost_take_short_turns(500000);
  return prctl(PR_SET_CHILD_SUBREAPER, 1) == 0 ? 0 : -errno;
}

int32_t roost_fork_template(int32_t control) {
  int settled[2];
  if (pipe2(settled, O_CLOEXEC) != 0) return -errno;
  pid_t process = fork();
  int error = errno;
  if (process != 0) {
    close(settled[1]);
    /* Its end comes when the child has its group and closes what it does not need. */
    char nothing;
    while (process > 0 && read(settled[0], &nothing, 1) < 0 && errno == EINTR) continue;
    close(settled[0]);
    return process < 0 ? -error : process;
  }
  setsid();
  if (dup2(control, ROOST_FD_CONTROL) < 0) _exit(111);
  fcntl(ROOST_FD_CONTROL, F_SETFD, FD_CLOEXEC);
  syscall(SYS_close_range, ROOST_FD_CONTROL + 1, ~0U, 0);
  return 0;
}

int32_t roost_fork_instance(void) {
  long process = clone_process(CLONE_PARENT, NULL);
  return process < 0 ? -errno : (int32_t)process;
}

static int place(int from, int to) {
  if (from == to) return 0;
  return dup3(from, to, to <= 2 ? 0 : O_CLOEXEC) < 0 ? -errno : 0;
}

int32_t roost_arrange_descriptors(roost_arrangement received) {
  int from[] = {received.output, received.result, received.plugin, received.model, received.examples};
  const int to[] = {1, ROOST_FD_RESULT, ROOST_FD_PLUGIN, ROOST_FD_MODEL, ROOST_FD_EXAMPLES};
  const int present[] = {1, 1, 1, received.model >= 0, received.examples >= 0};
  /* First out of the way of the numbers that are about to be written. */
  for (int i = 0; i < 5; i++)
    if (present[i] && (from[i] = lift(from[i])) < 0) return -errno;
  syscall(SYS_close_range, ROOST_FD_CONTROL + 1, ROOST_FD_LAST, 0);
  for (int i = 0; i < 5; i++) {
    int status = present[i] ? place(from[i], to[i]) : 0;
    if (status != 0) return status;
  }
  const char *const paths[] = {"/dev/null", "/proc/self/task", "/proc/self/statm"};
  const int numbers[] = {0, ROOST_FD_TASKS, ROOST_FD_MEMORY};
  for (int i = 0; i < 3; i++) {
    int opened = open(paths[i], O_RDONLY | O_CLOEXEC), status = opened < 0 ? -errno : place(opened, numbers[i]);
    if (opened >= 0 && opened != numbers[i]) close(opened);
    if (status != 0) return status;
  }
  syscall(SYS_close_range, ROOST_FD_LAST + 1, ~0U, 0);
  setvbuf(stdout, NULL, _IOLBF, 0); /* what a plugin printed before it crashed is not lost */
  return place(1, 2);
}

void roost_leave_template(int32_t memory, int32_t doorbell, int32_t bodies) {
  /* A template without examples has a gap there, into which what it receives may fall. */
  int first = ROOST_FD_CONTROL;
  for (int number = first; number <= ROOST_FD_PLUGIN; number++) {
    if (number < ROOST_FD_PLUGIN && number != memory && number != doorbell && number != bodies) continue;
    if (first < number) syscall(SYS_close_range, first, number - 1, 0);
    first = number + 1;
  }
}

void roost_exit(int32_t code) {
  fflush(NULL);
  _exit(code);
}

int32_t roost_prefer_to_kill(int32_t process) {
  char path[48];
  snprintf(path, sizeof path, "/proc/%d/oom_score_adj", process);
  int file = open(path, O_WRONLY | O_CLOEXEC);
  if (file < 0) return -errno;
  ssize_t written = write(file, "500", 3);
  int error = errno;
  close(file);
  return written < 0 ? -error : 0;
}

void roost_set_process_name(const char *name) { prctl(PR_SET_NAME, name); }

int32_t roost_thread_count(void) {
  struct stat status; /* a task folder has two links and one per thread */
  return fstat(ROOST_FD_TASKS, &status) == 0 ? (int32_t)status.st_nlink - 2 : -errno;
}

roost_memory_use roost_memory_use_now(void) {
  char text[128];
  ssize_t size = pread(ROOST_FD_MEMORY, text, sizeof text - 1, 0);
  if (size <= 0) return (roost_memory_use){size < 0 ? -errno : -EIO, 0, 0};
  text[size] = 0;
  unsigned long long total, resident, shared, code, library, data;
  if (sscanf(text, "%llu %llu %llu %llu %llu %llu", &total, &resident, &shared, &code, &library, &data) != 6)
    return (roost_memory_use){-EPROTO, 0, 0};
  uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
  return (roost_memory_use){0, (resident > shared ? resident - shared : 0) * page, data * page};
}

/* linux/sched/types.h, whose name for it newer C libraries take as well. */
struct scheduling {
  uint32_t size, policy;
  uint64_t flags;
  int32_t nice;
  uint32_t priority;
  uint64_t runtime, deadline, period;
};

void roost_take_short_turns(uint64_t nanoseconds) {
  struct scheduling wanted = {.size = sizeof wanted};
  if (syscall(SYS_sched_getattr, 0, &wanted, sizeof wanted, 0) != 0 || wanted.policy != 0) return;
  wanted.runtime = nanoseconds;
  syscall(SYS_sched_setattr, 0, &wanted, 0);
}

int32_t roost_rename_new(const char *from, const char *to) {
  return renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE);
}

/* Part by part, following no link: for kernels before 5.6, and for containers that forbid openat2. */
static int32_t open_folder_by_parts(int32_t root, const char *path) {
  char copy[PATH_MAX];
  if (snprintf(copy, sizeof copy, "%s", path) >= (int)sizeof copy) {
    errno = ENAMETOOLONG;
    return -1;
  }
  char *rest = NULL;
  int32_t opened = fcntl(root, F_DUPFD_CLOEXEC, 0);
  for (char *part = strtok_r(copy, "/", &rest); part != NULL && opened >= 0; part = strtok_r(NULL, "/", &rest)) {
    int32_t folder = opened;
    if (strcmp(part, "..") == 0) {
      opened = -1;
      errno = EXDEV;
    } else {
      opened = openat(folder, part, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    }
    int code = errno;
    close(folder);
    errno = code;
  }
  return opened;
}

int32_t roost_open_folder_beneath(int32_t root, const char *path) {
  struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC, .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS};
  for (int attempt = 0; attempt < 64; attempt++) {
    long opened = syscall(SYS_openat2, root, path, &how, sizeof how);
    if (opened >= 0) return (int32_t)opened;
    if (errno == ENOSYS || errno == EPERM) return open_folder_by_parts(root, path);
    /* Something was renamed meanwhile, and the kernel cannot be sure. */
    if (errno != EAGAIN) return -1;
  }
  return -1;
}

/* A read lease is refused while there is a writer. Who opens the file for writing in the moment in which we have it
   makes the kernel send us a signal: one that means nothing to a process that does not wait for it. */
int32_t roost_is_being_written(int32_t file) {
  if (fcntl(file, F_SETSIG, SIGURG) < 0) return -1;
  if (fcntl(file, F_SETLEASE, F_RDLCK) == 0) {
    fcntl(file, F_SETLEASE, F_UNLCK);
    return 0;
  }
  return errno == EAGAIN ? 1 : -1;
}

void roost_yield_to_others(void) { setpriority(PRIO_PROCESS, 0, 19); }

void roost_yield_with_session(void) {
  roost_yield_to_others();
  int group = open("/proc/self/autogroup", O_WRONLY | O_CLOEXEC);
  if (group < 0) return;
  /* A tenth of an equal part: at the lowest, whatever else the machine does would stop it altogether. */
  if (write(group, "10", 2) < 0) errno = 0; /* kernels that do not group by session */
  close(group);
}

void roost_give_back_memory(void) { malloc_trim(0); }

void roost_keep_freed_memory(void) {
  mallopt(M_MMAP_THRESHOLD, 8 << 20);
  mallopt(M_TRIM_THRESHOLD, 32 << 20);
}

uint64_t roost_now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

int32_t roost_cores(void) {
  cpu_set_t set;
  return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}
