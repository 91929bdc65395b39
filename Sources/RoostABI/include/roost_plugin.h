/* roost_plugin.h: all that a plugin sees of Roost, and all that Roost sees of a plugin.
 *
 * POLICY
 *  - A plugin is a shared object that exports one symbol, roost_plugin_entry, and carries one
 *    ROOST_PLUGIN_RECORD, which the host reads without running any of its code.
 *  - Released fields, values and meanings never change. Structs grow at their end only; whoever
 *    fills a struct sets its struct_size, and a reader looks no further than that. Fields beyond
 *    struct_size count as zero, a NULL call as absent. ROOST_ABI_VERSION changes only when this
 *    promise has to be broken.
 *  - OWNERSHIP is in the name: roost_host_* and every *_args belong to the host and die when the
 *    call that received them returns; everything that a plugin hands out stays the plugin's and
 *    must stay valid as long as its comment says.
 *  - Calls come from one thread, one at a time. Nothing may unwind across them.
 *  - Threads, signals, descriptors: the process belongs to the host. A plugin starts no thread
 *    (unless it says ROOST_NEEDS_THREADS), keeps signal dispositions as they are, and never closes
 *    or reads descriptors that it did not open. A crash or exit() ends this one process only.
 *  - fork: the host loads once and forks the loaded process for each instance. What load made in
 *    model_memory is shared by all of them and READ-ONLY once load has returned; everything else is
 *    copied on write. Reseed random generators in after_fork.
 *  - A row's answer must not depend, in any bit, on the rows that share its batch.
 */
#ifndef ROOST_PLUGIN_H
#define ROOST_PLUGIN_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ROOST_ABI_VERSION 1u

/* Flags of the record; the host ORs those of all records in one file. */
#define ROOST_FORK_SAFE 1ull     /* after load the process may be forked, and every fork predicts */
#define ROOST_NEEDS_THREADS 2ull /* load or predict starts threads: never forked, each instance loads afresh */
#define ROOST_NEEDS_DEVICE 4ull  /* reserved */

typedef struct roost_plugin_record {
  char magic[8]; /* "ROOSTABI" */
  uint32_t abi_version;
  uint32_t record_size;
  uint64_t flags;
} roost_plugin_record;

#define ROOST_PLUGIN_RECORD(record_flags)                                                              \
  __attribute__((section(".roost.abi"), used)) static const roost_plugin_record roost_plugin_record_ = \
      {{'R', 'O', 'O', 'S', 'T', 'A', 'B', 'I'}, ROOST_ABI_VERSION, sizeof(roost_plugin_record), (record_flags)}

/* Status of every call. Anything but ROOST_OK may be explained by host->fail. */
enum {
  ROOST_OK = 0,
  ROOST_ERROR = 1,         /* the model failed: 500 */
  ROOST_INVALID_INPUT = 2, /* predict, invoke: the caller's input is wrong: 400 */
  ROOST_NOT_MY_FORMAT = 3  /* load: the file is of no kind that this runtime reads; another may try */
};

/* Element types, named as in the Open Inference Protocol v2. */
enum {
  ROOST_BOOL = 1, ROOST_UINT8 = 2, ROOST_UINT16 = 3, ROOST_UINT32 = 4, ROOST_UINT64 = 5,
  ROOST_INT8 = 6, ROOST_INT16 = 7, ROOST_INT32 = 8, ROOST_INT64 = 9,
  ROOST_FP16 = 10, ROOST_FP32 = 11, ROOST_FP64 = 12,
  ROOST_BYTES = 13 /* elements are roost_bytes */
};

/* One element of a ROOST_BYTES tensor: any bytes, no terminator. */
typedef struct roost_bytes {
  const void *data;
  size_t size;
} roost_bytes;

enum { ROOST_LOG_DEBUG = 0, ROOST_LOG_INFO = 1, ROOST_LOG_WARNING = 2, ROOST_LOG_ERROR = 3 };

/* What the host does for a plugin. Texts are UTF-8 of the given size and are copied. */
typedef struct roost_host {
  uint32_t struct_size;
  uint32_t abi_version;
  void *context; /* first argument of every call below */
  /* A line for `roost logs`. */
  void (*log)(void *context, int32_t level, const char *text, size_t size);
  /* Why the present call is about to return something else than ROOST_OK. */
  void (*fail)(void *context, const char *text, size_t size);
  /* During load only: zeroed memory, 64-byte aligned, shared by all instances, never freed,
     read-only once load has returned. NULL above limits.model. */
  void *(*model_memory)(void *context, size_t size);
} roost_host;

typedef struct roost_load_args {
  uint32_t struct_size;
  uint32_t reserved;
  const roost_host *host;
  /* The model file: a path that may be opened again, and its bytes, page-aligned, mapped read-only
     for the life of the process. NULL and 0 when the plugin's own file carries no model. */
  const char *path;
  const void *data;
  size_t size;
  void *model; /* OUT: handed to every later call */
} roost_load_args;

/* OWNERSHIP: the plugin's, valid until unload. */
typedef struct roost_tensor_spec {
  const char *name;
  const int64_t *shape; /* dimension 0 is the batch: -1. Others may be -1: any extent */
  uint32_t rank;        /* 1 to 8 */
  uint32_t dtype;
} roost_tensor_spec;

enum { ROOST_COLUMN_NUMBER = 0, ROOST_COLUMN_CATEGORY = 1, ROOST_COLUMN_TEXT = 2 };

/* OWNERSHIP: the plugin's, valid until unload. */
typedef struct roost_column {
  const char *name;
  const char *const *categories; /* ROOST_COLUMN_CATEGORY: the words; the model sees their index */
  uint32_t category_count;
  uint32_t kind;
  uint32_t missing_refused; /* 1: an empty cell is the caller's error; 0: it is NaN */
  uint32_t reserved;
} roost_column;

typedef struct roost_signature_args {
  uint32_t struct_size;
  uint32_t tensor_spec_size; /* OUT: sizeof(roost_tensor_spec) as the plugin knows it */
  void *model;
  const roost_host *host;
  const roost_tensor_spec *inputs;  /* OUT */
  const roost_tensor_spec *outputs; /* OUT */
  uint32_t input_count;             /* OUT */
  uint32_t output_count;            /* OUT */
  const roost_column *columns;      /* OUT: names for the columns of the one FP32 or FP64 input; or NULL */
  uint32_t column_count;            /* OUT */
  uint32_t column_size;             /* OUT: sizeof(roost_column) as the plugin knows it */
} roost_signature_args;

/* OWNERSHIP: the host's. Inputs come in the order of the signature. */
typedef struct roost_host_tensor {
  const void *data; /* dense, row-major, 64-byte aligned */
  const int64_t *shape;
  uint32_t rank;
  uint32_t dtype;
} roost_host_tensor;

typedef struct roost_predict_args {
  uint32_t struct_size;
  uint32_t input_count;
  void *model;
  const roost_host *host;
  const roost_host_tensor *inputs;
  uint64_t rows;          /* extent of dimension 0 of every input and output */
  uint64_t deadline_ns;   /* CLOCK_MONOTONIC; 0: none. Advice: the host enforces it */
  const char *parameters; /* the request's parameters, a JSON object; or NULL */
  size_t parameters_size;
  void *call; /* first argument of the two calls below */
  /* Memory for output `index` of the signature, to be filled completely before predict returns.
     Call once per output. NULL (return ROOST_ERROR then) when the shape contradicts the signature.
     Elements of ROOST_BYTES point to memory of the plugin, valid until its next call. */
  void *(*output)(void *call, uint32_t index, const int64_t *shape, uint32_t rank);
  /* This row has no answer, the others do. Its places in the outputs are ignored. */
  void (*fail_row)(void *call, uint64_t row, const char *text, size_t size);
} roost_predict_args;

/* A body as it came, for what tensors cannot say. */
typedef struct roost_invoke_args {
  uint32_t struct_size;
  uint32_t reserved;
  void *model;
  const roost_host *host;
  const void *body;
  size_t body_size;
  const char *content_type; /* "" when the caller named none */
  uint64_t deadline_ns;
  void *call;
  /* The whole reply, once; copied. */
  void (*reply)(void *call, const char *content_type, const void *body, size_t size);
} roost_invoke_args;

/* OWNERSHIP: the plugin's, constant, valid for the life of the process. */
typedef struct roost_plugin {
  uint32_t abi_version; /* ROOST_ABI_VERSION */
  uint32_t struct_size;
  const char *name;    /* of the plugin or runtime: "trees" */
  const char *version; /* of its code, for people: "1.0" */
  const char *formats; /* model files it reads, comma-separated, for people; or NULL: it carries its own model */
  int32_t (*load)(roost_load_args *);
  int32_t (*signature)(roost_signature_args *);
  int32_t (*predict)(const roost_predict_args *);
  /* Optional from here on. */
  int32_t (*after_fork)(void *model, const roost_host *); /* in every instance, before its first predict */
  int32_t (*warm_up)(void *model, const roost_host *);    /* after load: pay first-use costs now */
  void (*unload)(void *model);
  int32_t (*invoke)(const roost_invoke_args *); /* takes POST …/predict whole; predict may then be NULL */
} roost_plugin;

/* The one exported symbol. */
__attribute__((visibility("default"))) const roost_plugin *roost_plugin_entry(void);

#if defined(__cplusplus)
#define ROOST_FROZEN(type, field, offset) static_assert(offsetof(type, field) == offset, "ABI 1 is frozen")
#else
#define ROOST_FROZEN(type, field, offset) _Static_assert(offsetof(type, field) == offset, "ABI 1 is frozen")
#endif
ROOST_FROZEN(roost_plugin_record, flags, 16);
ROOST_FROZEN(roost_host, model_memory, 32);
ROOST_FROZEN(roost_load_args, model, 40);
ROOST_FROZEN(roost_tensor_spec, dtype, 20);
ROOST_FROZEN(roost_column, reserved, 28);
ROOST_FROZEN(roost_signature_args, column_size, 60);
ROOST_FROZEN(roost_host_tensor, dtype, 20);
ROOST_FROZEN(roost_predict_args, fail_row, 80);
ROOST_FROZEN(roost_invoke_args, reply, 64);
ROOST_FROZEN(roost_plugin, invoke, 80);

#ifdef __cplusplus
}
#endif
#endif
