/* Processes: the path from the host through starter and nursery to templates and instances.
 *
 * Results are 0 or -errno, descriptors are close-on-exec, and nothing here allocates.
 */
#ifndef ROOST_PROCESS_H
#define ROOST_PROCESS_H
#include <stdint.h>

#include "roost_control.h"

/* Descriptors of roost-instance by number. The starter and the nursery have ROOST_FD_CONTROL; a template has
   those up to ROOST_FD_LAST while it waits, an instance from ROOST_FD_PLUGIN. */
#define ROOST_FD_CONTROL 3
#define ROOST_FD_RESULT 4
#define ROOST_FD_TASKS 5
#define ROOST_FD_MEMORY 6
#define ROOST_FD_EXAMPLES 7
#define ROOST_FD_PLUGIN 8
#define ROOST_FD_MODEL 9
#define ROOST_FD_LAST 9

/* Host: executes the binary behind a descriptor as the starter, in a session of its own, with default signals
   and ROOST_FD_CONTROL. Standard input is /dev/null, output goes to the host's standard error. */
typedef struct roost_spawned {
  int32_t status; /* 0 or -errno */
  int32_t process;
  int32_t pidfd;
} roost_spawned;
roost_spawned roost_spawn_starter(int32_t binary, int32_t control, char *const *environment);

/* Starter: makes the nursery, as pid 1 of a PID namespace where that is allowed (with a user namespace when
   not root). Returns twice: process == 0 in the nursery. The nursery is the host's child, not the starter's. */
typedef struct roost_nursery_start {
  int32_t status; /* 0 or -errno: the starter could not make it */
  int32_t process;
  int32_t pidfd;
  int32_t in_namespace;
  int32_t namespace_error; /* why not, as error number */
} roost_nursery_start;
roost_nursery_start roost_start_nursery(void);

/* Nursery: no core files, SIGINT and SIGTERM ignored, adopts what its children leave behind. */
int32_t roost_settle_nursery(void);

/* Nursery: fork into a session and process group of its own, by which everything that comes of it is known later, and
   which a scheduler that groups by session gives a part of its own: versions do not take processors from each other.
   0 in the child, the pid or -errno in the nursery. The child has only `control`, as ROOST_FD_CONTROL. */
int32_t roost_fork_template(int32_t control);

/* Template: an instance, as a child of the nursery. 0 in the instance, the pid or -errno in the template. */
int32_t roost_fork_instance(void);

/* Template: takes over what the order brought: output becomes 1 and 2, the others get their numbers (-1: absent),
   everything else is closed. Also opens ROOST_FD_TASKS and ROOST_FD_MEMORY. */
typedef struct roost_arrangement {
  int32_t output, result, plugin, model, examples;
} roost_arrangement;
int32_t roost_arrange_descriptors(roost_arrangement received);

/* Instance: closes what belongs to its template. Randomness of ours comes from the kernel at each use; a plugin
   reseeds its own in after_fork. (Seeding rand() here cost 45 us a fork in page faults.) */
void roost_leave_template(int32_t memory, int32_t doorbell, int32_t bodies);

/* Ends the process with what it printed, without running what foreign code left for the end. */
_Noreturn void roost_exit(int32_t code);

/* Host: when memory runs out, this process goes first. */
int32_t roost_prefer_to_kill(int32_t process);

void roost_set_process_name(const char *name);

/* Template: threads of this process, by ROOST_FD_TASKS; negative: -errno. */
int32_t roost_thread_count(void);

typedef struct roost_memory_use {
  int32_t status;
  uint64_t private_bytes, data_bytes;
} roost_memory_use;
/* Template: by ROOST_FD_MEMORY. */
roost_memory_use roost_memory_use_now(void);

/* pidfds. */
int32_t roost_pidfd_open(int32_t process);
int32_t roost_pidfd_kill(int32_t pidfd, int32_t signal);
/* The process behind a pidfd in the namespace of this process's /proc; 0 when it is gone. */
int32_t roost_pidfd_process(int32_t pidfd);

/* An exited child. */
typedef struct roost_reaped {
  int32_t status; /* 1: reaped; 0: still runs; -errno */
  int32_t process;
  int32_t how; /* CLD_EXITED, CLD_KILLED, CLD_DUMPED */
  int32_t value;
  uint64_t cpu_ns; /* that it has used, also for the kernel */
} roost_reaped;
roost_reaped roost_reap(int32_t pidfd);
/* Looks for an exited child of a process group without reaping it. */
roost_reaped roost_peek_group(int32_t group);
int32_t roost_reap_process(int32_t process);
/* Whether `process` is a child of this one, in `group`. */
int32_t roost_is_child_in_group(int32_t process, int32_t group);
void roost_kill_group(int32_t group);
/* Waits until no child is left. */
void roost_await_children(void);

/* Waiting for several descriptors. */
int32_t roost_watch_make(void);
int32_t roost_watch_add(int32_t watch, int32_t descriptor, uint64_t tag);
typedef struct roost_watched {
  int32_t status; /* 1: one is ready; -errno */
  uint64_t tag;
} roost_watched;
roost_watched roost_watch_next(int32_t watch);

/* Memory files: sized and sealed by the host before anybody else sees them. */
int32_t roost_memory_file(const char *name, uint64_t bytes);
int32_t roost_seal(int32_t descriptor, int32_t against_writing);

/* A pipe for what a version prints: first is the host's, non-blocking. */
roost_pair roost_output_pipe(void);

uint64_t roost_now_ns(void);

/* Asks the scheduler (EEVDF, from Linux 6.12 on) to run this thread and what it forks in turns of so many nanoseconds:
   who takes short turns need not wait for the long ones of others. Older kernels ignore it. */
void roost_take_short_turns(uint64_t nanoseconds);

/* As rename, but never in the place of another file: -1 with errno EEXIST then. */
int32_t roost_rename_new(const char *from, const char *to);

/* Opens the folder `path`, which is relative, below the folder `root`, for acts on what is in it: no `..` and no link
   leads out of the root, whatever others do to the folders on the way meanwhile. -1 with errno EXDEV for what does;
   where the kernel cannot tell, no link is followed at all (ENOTDIR). */
int32_t roost_open_folder_beneath(int32_t root, const char *path);

/* Whether any process has the file open for writing, asked through a descriptor that only reads: 1 or 0, and -1 when
   the system does not tell, since the file belongs to somebody else or its file system has no leases. */
int32_t roost_is_being_written(int32_t file);

/* Lets the calling thread, and what is forked from it, run at the lowest priority. */
void roost_yield_to_others(void);
/* The same for a whole session, which a scheduler that groups processes by session (CONFIG_SCHED_AUTOGROUP) would else
   hold equal to any other, whatever the priority of its processes. */
void roost_yield_with_session(void);

/* Gives the kernel what was freed. */
void roost_give_back_memory(void);
/* Keeps what was freed, up to 32 MiB, for what is asked for next, pieces of up to 8 MiB included. */
void roost_keep_freed_memory(void);

/* Processors that this process may run on. */
int32_t roost_cores(void);

#endif
