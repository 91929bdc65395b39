/* What a template does to itself before it runs foreign code. Results are 0 or -errno. */
#ifndef ROOST_SANDBOX_H
#define ROOST_SANDBOX_H
#include <stdint.h>

/* Gives up root for `user` and `group`, and every capability, whoever we are. A positive error number when this root
   may not become another user (it is one only inside a user namespace); the capabilities are gone all the same. */
int32_t roost_drop_root(uint32_t user, uint32_t group);

/* SIGKILL when the parent ends, and a look whether it already has: -ESRCH then. Also after every fork. */
int32_t roost_die_with_parent(int32_t expected_parent);

int32_t roost_no_new_privileges(void);

/* A soft and hard limit, never raised. */
enum roost_limited {
  ROOST_LIMIT_MEMORY, /* what may be written and is not shared (RLIMIT_DATA) */
  ROOST_LIMIT_CORE,
  ROOST_LIMIT_FILES,
  ROOST_LIMIT_LOCKED,
  ROOST_LIMIT_QUEUES,
  ROOST_LIMIT_STACK,    /* which the limit of memory does not count */
  ROOST_LIMIT_ADDRESSES /* nor what it takes to keep track of mappings */
};
int32_t roost_limit(enum roost_limited resource, uint64_t amount);

/* Landlock. A ruleset handles all that this kernel knows; what is not allowed is then refused. */
int32_t roost_landlock_version(void); /* 0: absent */
#define ROOST_LANDLOCK_SIGNALS 6 /* the first version that keeps signals among the processes under one ruleset */
int32_t roost_landlock_make(int32_t refuse_network);
int32_t roost_landlock_allow_file(int32_t ruleset, int32_t descriptor);
/* Reading and executing below a path; 0 also when there is no such path. */
int32_t roost_landlock_allow_path(int32_t ruleset, const char *path);
/* Writing to a device as well. */
int32_t roost_landlock_allow_device(int32_t ruleset, const char *path);
int32_t roost_landlock_enforce(int32_t ruleset);

/* Instance: it makes no other process, by a limit that binds everybody but root; and it signals (abort, raise) only
   its own kind, by Landlock. Where one of them does not hold, a seccomp filter more: 60 µs in each fork. */
int32_t roost_settle_instance(int32_t refuse_forks, int32_t signals_scoped);

/* The folder of a loaded library such as "libswiftCore.so", or NULL. Valid until the next call. */
const char *roost_library_folder(const char *library);

#endif
