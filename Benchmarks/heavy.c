/* A plugin whose load is work: with BURN it keeps a processor busy for so many seconds; without, it copies its model into
   memory for all instances and sums its words up on the way. It answers with the sum of a row's two numbers. */
#include <stddef.h>
#include <time.h>

#include "roost_plugin.h"

ROOST_PLUGIN_RECORD(ROOST_FORK_SAFE);

static int32_t fail(const roost_host *host, const char *text, size_t size) {
  host->fail(host->context, text, size);
  return ROOST_ERROR;
}

#ifdef BURN
static int32_t work(roost_load_args *args) {
  struct timespec begun, now;
  clock_gettime(CLOCK_MONOTONIC, &begun);
  do {
    for (volatile int turn = 0; turn < 1000000; turn++) continue;
    clock_gettime(CLOCK_MONOTONIC, &now);
  } while (now.tv_sec - begun.tv_sec < BURN);
  args->model = (void *)&roost_plugin_record_;
  return ROOST_OK;
}
#else
static int32_t work(roost_load_args *args) {
  const uint64_t *words = args->data;
  size_t count = args->size / sizeof *words;
  if (count == 0) return fail(args->host, "no model", 8);
  uint64_t *model = args->host->model_memory(args->host->context, count * sizeof *words);
  if (model == NULL) return fail(args->host, "no memory", 9);
  uint64_t sum = 0;
  for (size_t at = 0; at < count; at++) sum += model[at] = words[at];
  model[0] = sum;
  args->model = model;
  return ROOST_OK;
}
#endif

static int32_t load(roost_load_args *args) { return work(args); }

static const int64_t rows_of_two[] = {-1, 2}, rows[] = {-1};

static int32_t signature(roost_signature_args *args) {
  static const roost_tensor_spec input = {"features", rows_of_two, 2, ROOST_FP32};
  static const roost_tensor_spec output = {"predictions", rows, 1, ROOST_FP32};
  args->tensor_spec_size = sizeof input;
  args->inputs = &input, args->input_count = 1;
  args->outputs = &output, args->output_count = 1;
  return ROOST_OK;
}

static int32_t predict(const roost_predict_args *args) {
  const float *in = args->inputs[0].data;
  int64_t shape[] = {(int64_t)args->rows};
  float *out = args->output(args->call, 0, shape, 1);
  if (out == NULL) return ROOST_ERROR;
  for (uint64_t row = 0; row < args->rows; row++) out[row] = in[2 * row] + in[2 * row + 1];
  return ROOST_OK;
}

static const roost_plugin plugin = {
    .abi_version = ROOST_ABI_VERSION, .struct_size = sizeof(roost_plugin),
    .name = "heavy", .version = "1", .load = load, .signature = signature, .predict = predict,
};

const roost_plugin *roost_plugin_entry(void) { return &plugin; }
