/* Control messages between host, nursery and templates: fixed size, over SOCK_SEQPACKET, with descriptors.
 *
 * Passed by value, so that Swift needs no pointers for them. Both ends are of one build; what comes from a
 * template is checked by the host all the same, because a plugin may have written it.
 */
#ifndef ROOST_CONTROL_H
#define ROOST_CONTROL_H
#include <stdint.h>

enum roost_message_kind {
  /* host to nursery */
  ROOST_START_TEMPLATE = 1, /* template; descriptor: its control socket */
  ROOST_ADOPT,              /* template, instance, process */
  ROOST_KILL,               /* template, instance (0: the template itself), whose pidfd the host could not take */
  /* nursery to host */
  ROOST_NURSERY_READY,    /* descriptor: pidfd of the nursery (from the starter); flags */
  ROOST_WARNING,          /* text */
  ROOST_TEMPLATE_STARTED, /* template; descriptor: pidfd */
  ROOST_TEMPLATE_REFUSED, /* template, status: error number */
  ROOST_ADOPTED,          /* template, instance; descriptor: pidfd */
  ROOST_ADOPTION_REFUSED, /* template, instance */
  ROOST_TEMPLATE_EXITED,  /* template, how (CLD_*), status; bytes: CPU time used, in ns */
  ROOST_INSTANCE_EXITED,  /* template, instance, how, status; bytes: CPU time used, in ns */
  /* host to template */
  ROOST_ORDER,        /* order; descriptors: by ROOST_WITH_* in this sequence: output, result, plugin, model, examples,
                         columns */
  ROOST_FORK,         /* instance; descriptors: channel memory, doorbell, bodies */
  ROOST_MODEL_MEMORY, /* answer; descriptor: the memfd, or none with status: error number */
  /* template to host */
  ROOST_ASK_MODEL_MEMORY, /* bytes */
  ROOST_LOADED,           /* report; bytes: size of the signature in the result memfd */
  ROOST_FAILED,           /* status: enum roost_failure; bytes: size of the text in the result memfd */
  ROOST_FORKED,           /* instance, process; flags: ROOST_IS_SINGLE when the template itself became it */
  ROOST_FORK_REFUSED,     /* instance, status: error number */
  ROOST_SANDBOXED         /* descriptor, when the kernel has it: where refused system calls are announced */
};

enum roost_message_flags {
  ROOST_IN_NAMESPACE = 1,   /* the nursery is pid 1 of a PID namespace */
  ROOST_WITH_MODEL = 2,     /* the order carries a model file */
  ROOST_WITH_EXAMPLES = 4,  /* the order carries golden examples */
  ROOST_MODEL_IN_PLUGIN = 8, /* the model is a section of the plugin's file */
  ROOST_ALLOW_NETWORK = 16,
  ROOST_ALLOW_THREADS = 32,
  ROOST_FORKS_ALLOWED = 64, /* for tests: the fork rule of the sandbox is off */
  ROOST_IS_FORK_SAFE = 128,
  ROOST_IS_SINGLE = 256,
  ROOST_WITH_COLUMNS = 1024, /* the order carries what the card says of the columns */
  ROOST_IN_BACKGROUND = 512 /* its processes run when nobody else wants the processor */
};

enum roost_failure { ROOST_FAILURE_PLUGIN = 1, ROOST_FAILURE_NOT_MY_FORMAT, ROOST_FAILURE_SYSTEM };

/* What the host wants loaded, and how. */
typedef struct roost_order {
  uint64_t load_memory_bytes; /* private memory while loading */
  uint64_t memory_bytes;      /* and afterwards; 0: three times what loading took, at least 256 MiB */
  uint64_t model_offset;      /* ROOST_MODEL_IN_PLUGIN: page-aligned place in the plugin's file */
  uint64_t model_bytes;
  uint32_t open_files;
  uint32_t user, group; /* taken when the host is root */
  uint32_t batch_rows;   /* rows that a batch may have */
  uint32_t examples_max; /* golden examples to check; the rest is left */
  uint32_t reserved;
  char label[64];        /* "credit@3" */
} roost_order;

/* What loading found. */
typedef struct roost_report {
  uint64_t load_ns;
  uint64_t private_bytes; /* resident and this process's own */
  uint64_t data_bytes;    /* what the memory limit counts */
  uint64_t memory_bytes;  /* the limit that was set */
  uint32_t threads;
  uint32_t examples; /* golden examples that were checked */
} roost_report;

typedef struct roost_message {
  uint32_t kind; /* enum roost_message_kind; 0 is none */
  uint32_t flags;
  uint32_t template_id, instance_id;
  int32_t process; /* a pid in the nursery's namespace */
  int32_t how, status;
  uint32_t reserved;
  uint64_t bytes;
  union {
    roost_order order;
    roost_report report;
    char text[160];
  };
} roost_message;

#define ROOST_DESCRIPTORS_MAX 6

typedef struct roost_descriptors {
  int32_t count;
  int32_t at[ROOST_DESCRIPTORS_MAX];
} roost_descriptors;

typedef struct roost_received {
  int32_t status; /* 1: a message; 0: the other end is closed; -EAGAIN: nothing now; else -errno */
  roost_message message;
  roost_descriptors descriptors; /* close-on-exec, the receiver's */
} roost_received;

/* A connected pair of control sockets, close-on-exec. status is 0 or -errno. */
typedef struct roost_pair {
  int32_t status, first, second;
} roost_pair;
roost_pair roost_control_pair(void);

/* Never blocks and never raises SIGPIPE: 0 or -errno (EAGAIN: the peer does not read). The descriptors stay
   the caller's. */
int32_t roost_send(int32_t socket, roost_message message, roost_descriptors descriptors);

/* Waits until there is room to send again: 0, or -errno when the peer is gone. */
int32_t roost_wait_writable(int32_t socket);

/* A message of another size gives -EPROTO. One with more descriptors than fit, also at the descriptor limit, where the
   kernel drops them silently, gives -EMFILE: the message is there, what came with it is closed. */
roost_received roost_receive(int32_t socket, int32_t may_wait);

/* Text is cut to fit; zero-terminated. */
roost_message roost_message_with_text(uint32_t kind, const char *text);

#endif
