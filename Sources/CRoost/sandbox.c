#include "roost_sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <link.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int32_t roost_drop_root(uint32_t user, uint32_t group) {
  /* In this order: after setuid the first two would fail. */
  for (int capability = 0; capability <= 63; capability++)
    if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0 && errno == EINVAL) break;
  prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
  int kept = 0;
  if (geteuid() == 0 && (setgroups(0, NULL) != 0 || setresgid(group, group, group) != 0 ||
                         setresuid(user, user, user) != 0))
    kept = errno;
  struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  struct __user_cap_data_struct none[2] = {{0, 0, 0}, {0, 0, 0}};
  return syscall(SYS_capset, &header, none) == 0 ? kept : -errno;
}

int32_t roost_die_with_parent(int32_t expected_parent) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return -errno;
  return getppid() == expected_parent ? 0 : -ESRCH;
}

int32_t roost_no_new_privileges(void) { return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? 0 : -errno; }

int32_t roost_limit(enum roost_limited what, uint64_t amount) {
  static const int resources[] = {RLIMIT_DATA, RLIMIT_CORE, RLIMIT_NOFILE, RLIMIT_MEMLOCK, RLIMIT_MSGQUEUE,
                                  RLIMIT_STACK, RLIMIT_AS};
  int resource = resources[what];
  struct rlimit limit;
  if (getrlimit((__rlimit_resource_t)resource, &limit) != 0) return -errno;
  if (amount < limit.rlim_max) limit.rlim_max = amount;
  limit.rlim_cur = limit.rlim_max;
  return setrlimit((__rlimit_resource_t)resource, &limit) == 0 ? 0 : -errno;
}

/* Landlock, declared here because Debian's header is older than the kernels that we meet. */
struct landlock_ruleset {
  uint64_t handled_files, handled_network, scoped;
};
struct landlock_path {
  uint64_t allowed;
  int32_t parent;
} __attribute__((packed));

enum {
  FILE_EXECUTE = 1 << 0, FILE_WRITE = 1 << 1, FILE_READ = 1 << 2, FOLDER_READ = 1 << 3,
  FILES_OF_VERSION_1 = (1 << 13) - 1, /* execute … make_sym */
  FILE_REFER = 1 << 13, FILE_TRUNCATE = 1 << 14, DEVICE_IOCTL = 1 << 15,
  NETWORK_BIND_CONNECT = 3, SCOPE_SOCKETS_SIGNALS = 3
};

int32_t roost_landlock_version(void) {
  long version = syscall(444, NULL, 0, 1);
  return version < 0 ? 0 : (int32_t)version;
}

int32_t roost_landlock_make(int32_t refuse_network) {
  int version = roost_landlock_version();
  struct landlock_ruleset rules = {FILES_OF_VERSION_1, 0, 0};
  size_t size = sizeof rules.handled_files;
  if (version >= 2) rules.handled_files |= FILE_REFER;
  if (version >= 3) rules.handled_files |= FILE_TRUNCATE;
  if (version >= 4) {
    size = offsetof(struct landlock_ruleset, scoped);
    if (refuse_network) rules.handled_network = NETWORK_BIND_CONNECT;
  }
  if (version >= 5) rules.handled_files |= DEVICE_IOCTL;
  if (version >= ROOST_LANDLOCK_SIGNALS) {
    size = sizeof rules;
    rules.scoped = SCOPE_SOCKETS_SIGNALS;
  }
  long ruleset = syscall(444, &rules, size, 0);
  return ruleset < 0 ? -errno : (int32_t)ruleset;
}

static int32_t allow(int ruleset, int descriptor, uint64_t allowed) {
  struct landlock_path rule = {allowed, descriptor};
  return syscall(445, ruleset, 1, &rule, 0) == 0 ? 0 : -errno;
}

int32_t roost_landlock_allow_file(int32_t ruleset, int32_t descriptor) {
  return allow(ruleset, descriptor, FILE_EXECUTE | FILE_READ);
}

static int32_t allow_path(int ruleset, const char *path, uint64_t allowed_file) {
  int descriptor = open(path, O_PATH | O_CLOEXEC);
  if (descriptor < 0) return errno == ENOENT || errno == EACCES ? 0 : -errno;
  struct stat status;
  int result = fstat(descriptor, &status) != 0 ? -errno : 0;
  if (result == 0) result = allow(ruleset, descriptor, allowed_file | (S_ISDIR(status.st_mode) ? FOLDER_READ : 0));
  close(descriptor);
  return result;
}

int32_t roost_landlock_allow_path(int32_t ruleset, const char *path) {
  return allow_path(ruleset, path, FILE_EXECUTE | FILE_READ);
}

int32_t roost_landlock_allow_device(int32_t ruleset, const char *path) {
  return allow_path(ruleset, path, FILE_WRITE | FILE_READ);
}

int32_t roost_landlock_enforce(int32_t ruleset) {
  int32_t status = syscall(446, ruleset, 0) == 0 ? 0 : -errno;
  close(ruleset);
  return status;
}

/* What the two cheaper means leave open where they do not hold. */
static int32_t add_filter(int refuse_forks) {
  struct sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, refuse_forks ? SYS_clone : ~0U, 0, 2),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, CLONE_PARENT | SIGCHLD, 3, 4),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_tgkill, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[0])),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)getpid(), 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  struct sock_fprog filter = {sizeof program / sizeof program[0], program};
  return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter) == 0 ? 0 : -errno;
}

int32_t roost_settle_instance(int32_t refuse_forks, int32_t signals_scoped) {
  const struct rlimit none = {0, 0};
  int limited = !refuse_forks || (getuid() != 0 && setrlimit(RLIMIT_NPROC, &none) == 0);
  return limited && signals_scoped ? 0 : add_filter(refuse_forks);
}

struct search {
  const char *library;
  char folder[PATH_MAX];
};

static int look_at(struct dl_phdr_info *loaded, size_t size, void *context) {
  (void)size;
  struct search *search = context;
  const char *name = strrchr(loaded->dlpi_name, '/');
  if (name == NULL || strcmp(name + 1, search->library) != 0) return 0;
  size_t length = (size_t)(name - loaded->dlpi_name);
  if (length == 0 || length >= sizeof search->folder) return 0;
  memcpy(search->folder, loaded->dlpi_name, length);
  search->folder[length] = 0;
  return 1;
}

const char *roost_library_folder(const char *library) {
  static struct search search;
  search.library = library;
  search.folder[0] = 0;
  dl_iterate_phdr(look_at, &search);
  return search.folder[0] ? search.folder : NULL;
}
