#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "roost_process.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

int32_t roost_pidfd_open(int32_t process) {
  int descriptor = (int)syscall(SYS_pidfd_open, process, 0);
  return descriptor < 0 ? -errno : descriptor;
}

int32_t roost_pidfd_kill(int32_t pidfd, int32_t signal) {
  return syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) == 0 ? 0 : -errno;
}

int32_t roost_pidfd_process(int32_t pidfd) {
  char path[48], text[512];
  snprintf(path, sizeof path, "/proc/self/fdinfo/%d", pidfd);
  int file = open(path, O_RDONLY | O_CLOEXEC);
  if (file < 0) return 0;
  ssize_t size = read(file, text, sizeof text - 1);
  close(file);
  if (size <= 0) return 0;
  text[size] = 0;
  const char *line = strstr(text, "\nPid:");
  int process = 0;
  if (line == NULL || sscanf(line, "\nPid: %d", &process) != 1 || process < 0) return 0;
  return process;
}

static roost_reaped wait_for(idtype_t kind, id_t id, int flags) {
  siginfo_t what;
  memset(&what, 0, sizeof what);
  struct rusage use;
  memset(&use, 0, sizeof use);
  long status;
  do status = syscall(SYS_waitid, kind, id, &what, WEXITED | WNOHANG | flags, &use); /* glibc's has no usage */
  while (status != 0 && errno == EINTR);
  if (status != 0) return (roost_reaped){-errno, 0, 0, 0, 0};
  uint64_t seconds = (uint64_t)(use.ru_utime.tv_sec + use.ru_stime.tv_sec);
  uint64_t microseconds = (uint64_t)(use.ru_utime.tv_usec + use.ru_stime.tv_usec);
  return (roost_reaped){what.si_pid != 0, what.si_pid, what.si_code, what.si_status,
                        seconds * 1000000000ull + microseconds * 1000ull};
}

roost_reaped roost_reap(int32_t pidfd) { return wait_for((idtype_t)P_PIDFD, (id_t)pidfd, 0); }

roost_reaped roost_peek_group(int32_t group) { return wait_for(P_PGID, (id_t)group, WNOWAIT); }

int32_t roost_reap_process(int32_t process) { return wait_for(P_PID, (id_t)process, 0).status; }

int32_t roost_is_child_in_group(int32_t process, int32_t group) {
  if (process <= 1 || getpgid(process) != group) return 0;
  /* Only a child may be waited for; a running one gives nothing, a stranger ECHILD. */
  return wait_for(P_PID, (id_t)process, WNOWAIT).status >= 0;
}

void roost_kill_group(int32_t group) {
  if (group > 1) kill(-group, SIGKILL);
}

void roost_await_children(void) {
  while (waitpid(-1, NULL, 0) > 0 || errno == EINTR) continue;
}

int32_t roost_watch_make(void) {
  int descriptor = epoll_create1(EPOLL_CLOEXEC);
  return descriptor < 0 ? -errno : descriptor;
}

int32_t roost_watch_add(int32_t watch, int32_t descriptor, uint64_t tag) {
  struct epoll_event event = {.events = EPOLLIN, .data.u64 = tag};
  return epoll_ctl(watch, EPOLL_CTL_ADD, descriptor, &event) == 0 ? 0 : -errno;
}

roost_watched roost_watch_next(int32_t watch) {
  struct epoll_event event;
  int count;
  do count = epoll_wait(watch, &event, 1, -1);
  while (count < 0 && errno == EINTR);
  return count < 0 ? (roost_watched){-errno, 0} : (roost_watched){1, event.data.u64};
}

int32_t roost_memory_file(const char *name, uint64_t bytes) {
  int descriptor = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (descriptor < 0) return -errno;
  if (ftruncate(descriptor, (off_t)bytes) == 0 && fcntl(descriptor, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW) == 0)
    return descriptor;
  int error = errno;
  close(descriptor);
  return -error;
}

int32_t roost_seal(int32_t descriptor, int32_t against_writing) {
  int seals = F_SEAL_SEAL | (against_writing ? F_SEAL_WRITE : 0);
  return fcntl(descriptor, F_ADD_SEALS, seals) == 0 ? 0 : -errno;
}

roost_pair roost_output_pipe(void) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return (roost_pair){-errno, -1, -1};
  /* Each end has flags of its own: a plugin that changes its end's leaves this one alone. */
  fcntl(ends[0], F_SETFL, O_NONBLOCK);
  return (roost_pair){0, ends[0], ends[1]};
}
