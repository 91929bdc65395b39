/* A plugin that adds up rows, and does on request whatever a plugin should not. Misdeeds at load are chosen by the
 * preprocessor, later ones by the body of invoke, which answers with the result and its error number. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "roost_plugin.h"

#ifndef FLAGS
#define FLAGS ROOST_FORK_SAFE
#endif
#ifndef ABI
#define ABI ROOST_ABI_VERSION
#endif
#ifndef SIZE
#define SIZE sizeof(roost_plugin)
#endif

ROOST_PLUGIN_RECORD(FLAGS);

static int *shared;
static char first_byte = '-';
static int forks_seen;

static void *idle(void *nothing) {
  pause();
  return nothing;
}

static int fail(const roost_host *host, const char *text, int status) {
  host->fail(host->context, text, strlen(text));
  return status;
}

static int32_t load(roost_load_args *args) {
  pthread_t thread;
  (void)thread;
#if defined(LOAD_FAILS)
  return fail(args->host, "tree 7 has a cycle", ROOST_ERROR);
#elif defined(LOAD_OTHER_FORMAT)
  return ROOST_NOT_MY_FORMAT;
#elif defined(LOAD_CRASHES)
  raise(SIGSEGV);
#elif defined(LOAD_EXITS)
  exit(3);
#elif defined(LOAD_HANGS)
  for (;;) pause();
#elif defined(LOAD_PRINTS)
  printf("printed %d\n", 42);
  args->host->log(args->host->context, ROOST_LOG_WARNING, "logged", 6);
#elif defined(LOAD_THREAD)
  if (pthread_create(&thread, NULL, idle, NULL) != 0 && LOAD_THREAD == 2) abort();
#elif defined(LOAD_SOCKET)
  if (socket(AF_INET, SOCK_STREAM, 0) < 0) return fail(args->host, strerror(errno), ROOST_ERROR);
#elif defined(LOAD_FLOOD)
  for (int i = 0; i < 1000; i++) socket(AF_INET, SOCK_STREAM, 0);
#endif
  shared = args->host->model_memory(args->host->context, 1 << 20);
  if (shared == NULL) return fail(args->host, "no model memory", ROOST_ERROR);
  for (int i = 0; i < 1000; i++) shared[i] = i;
  char *large = args->host->model_memory(args->host->context, 40 << 20);
  if (large != NULL) large[(40 << 20) - 1] = 1;
  if (args->size > 0) {
    first_byte = *(const char *)args->data;
    int again = open(args->path, O_RDONLY);
    if (again < 0) return fail(args->host, "the path cannot be opened again", ROOST_ERROR);
    close(again);
  }
  args->model = shared;
  (void)idle;
  return ROOST_OK;
}

static const int64_t rows_of_two[] = {-1, 2}, rows[] = {-1};

static int32_t signature(roost_signature_args *args) {
  static const roost_tensor_spec inputs[] = {
#ifdef BAD_SHAPE
      {"features", rows_of_two + 1, 1, ROOST_FP32},
#elif defined(BAD_DTYPE)
      {"features", rows_of_two, 2, 99},
#else
      {"features", rows_of_two, 2, ROOST_FP32},
#endif
#ifdef TWO_ALIKE
      {"features", rows_of_two, 2, ROOST_FP32},
#endif
  };
  static const roost_tensor_spec outputs[] = {{"predictions", rows, 1, ROOST_FP32}};
  static const char *const words[] = {"red", "gr\"een"};
  static const roost_column columns[] = {{"age", NULL, 0, ROOST_COLUMN_NUMBER, 1, 0},
                                         {"colour", words, 2, ROOST_COLUMN_CATEGORY, 0, 0}};
  args->tensor_spec_size = sizeof inputs[0];
  args->column_size = sizeof columns[0];
  args->inputs = inputs;
  args->outputs = outputs;
  args->input_count = sizeof inputs / sizeof inputs[0];
  args->output_count = 1;
  args->columns = columns;
  args->column_count = 2;
  return ROOST_OK;
}

static int32_t predict(const roost_predict_args *args) {
  int64_t shape[] = {(int64_t)args->rows};
  float *sums = args->output(args->call, 0, shape, 1);
  if (sums == NULL) return ROOST_ERROR;
  const float *numbers = args->inputs[0].data;
  for (uint64_t row = 0; row < args->rows; row++) {
    sums[row] = numbers[2 * row] + numbers[2 * row + 1];
    if (numbers[2 * row] < 0) args->fail_row(args->call, row, "negative", 8);
  }
  return ROOST_OK;
}

static int32_t after_fork(void *model, const roost_host *host) {
  (void)model, (void)host;
  forks_seen++;
  return ROOST_OK;
}

static int is(const roost_invoke_args *args, const char *wish) {
  return args->body_size == strlen(wish) && memcmp(args->body, wish, args->body_size) == 0;
}

static void exhaust(void) {
  for (;;) {
    char *block = malloc(1 << 20);
    if (block == NULL) abort();
    memset(block, 1, 1 << 20);
  }
}

static int32_t invoke(const roost_invoke_args *args) {
  char text[128];
  long result = 0;
  errno = 0;
  if (is(args, "pid")) result = getpid();
  else if (is(args, "parent")) result = getppid();
  else if (is(args, "shared")) result = shared[999];
  else if (is(args, "first")) result = first_byte;
  else if (is(args, "forks seen")) result = forks_seen;
  else if (is(args, "user")) result = getuid();
  else if (is(args, "segv")) *(volatile int *)8 = 1;
  else if (is(args, "abort")) abort();
  else if (is(args, "exit")) exit(5);
  else if (is(args, "exhaust")) exhaust();
  else if (is(args, "write")) shared[0] = 77;
  else if (is(args, "unprotect")) {
    result = mprotect(shared, 4096, PROT_READ | PROT_WRITE);
    if (result == 0) shared[999] = 77;
  } else if (is(args, "fork")) {
    result = fork();
    if (result == 0) for (;;) pause();
  } else if (is(args, "double fork")) {
    result = fork();
    if (result == 0) {
      if (fork() != 0) _exit(0);
      for (;;) pause();
    }
  } else if (is(args, "sibling")) result = syscall(SYS_clone, CLONE_PARENT | SIGCHLD, NULL, NULL, NULL, NULL);
  else if (is(args, "thread")) {
    pthread_t thread;
    result = pthread_create(&thread, NULL, idle, NULL);
  } else if (is(args, "socket")) result = socket(AF_UNIX, SOCK_STREAM, 0);
  else if (is(args, "read file")) result = open("/etc/passwd", O_RDONLY);
  else if (is(args, "write file")) result = open("/dev/shm/roost-misdeed", O_WRONLY | O_CREAT, 0600);
  else if (is(args, "library")) result = open("/etc/ld.so.cache", O_RDONLY) >= 0 ? 0 : -1;
  else if (is(args, "kill")) result = kill(getppid(), SIGKILL);
  else if (is(args, "kill by thread")) result = syscall(SYS_tgkill, getppid(), getppid(), SIGKILL);
  else if (is(args, "exec")) result = execl("/bin/true", "true", NULL);
  else if (is(args, "anonymous"))
    result = mmap(NULL, 4096, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0;
  else if (is(args, "memfd")) result = memfd_create("x", 0);
  else if (is(args, "unknown")) result = syscall(9999);
  else return fail(args->host, "what?", ROOST_INVALID_INPUT);
  snprintf(text, sizeof text, "%ld %s", result, result < 0 ? strerrorname_np(errno) : "OK");
  args->reply(args->call, "text/plain", text, strlen(text));
  return ROOST_OK;
}

#ifndef NO_ENTRY
static const roost_plugin table = {
    .abi_version = ABI,
    .struct_size = SIZE,
    .name = "misdeeds",
    .version = "1",
#ifndef NO_LOAD
    .load = load,
#endif
    .signature = signature,
#ifndef NO_PREDICT
    .predict = predict,
    .invoke = invoke,
#endif
    .after_fork = after_fork,
};

const roost_plugin *roost_plugin_entry(void) {
  (void)load, (void)predict, (void)invoke;
#ifdef UNDEFINED
  extern void nobody_defines_this(void);
  nobody_defines_this();
#endif
  return &table;
}
#endif
