/* A runtime for `Benchmarks/batching`: a predict call takes a millisecond of the processor, however many rows it has, as
 * a model does that has to set something up for each call; then it sums the features of each row. */
#include "roost_plugin.h"

#include <string.h>
#include <time.h>

ROOST_PLUGIN_RECORD(ROOST_FORK_SAFE);

static int32_t load(roost_load_args *args) {
  return args->size >= 10 && memcmp(args->data, "{\"percall\"", 10) == 0 ? ROOST_OK : ROOST_NOT_MY_FORMAT;
}

static const int64_t features_shape[] = {-1, 30}, sums_shape[] = {-1};
static const roost_tensor_spec input = {"features", features_shape, 2, ROOST_FP32};
static const roost_tensor_spec output = {"predictions", sums_shape, 1, ROOST_FP32};

static int32_t signature(roost_signature_args *args) {
  args->tensor_spec_size = sizeof(roost_tensor_spec);
  args->column_size = sizeof(roost_column);
  args->inputs = &input;
  args->input_count = 1;
  args->outputs = &output;
  args->output_count = 1;
  return ROOST_OK;
}

static int64_t processor_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return now.tv_sec * 1000000000 + now.tv_nsec;
}

static int32_t predict(const roost_predict_args *args) {
  const int64_t end = processor_ns() + 1000000;
  const float *features = args->inputs[0].data;
  const int64_t shape[] = {(int64_t)args->rows};
  float *sums = args->output(args->call, 0, shape, 1);
  if (sums == NULL) return ROOST_ERROR;
  for (uint64_t row = 0; row < args->rows; row++) {
    sums[row] = 0;
    for (int column = 0; column < 30; column++) sums[row] += features[30 * row + column];
  }
  while (processor_ns() < end) {}
  return ROOST_OK;
}

static const roost_plugin plugin = {
    .abi_version = ROOST_ABI_VERSION,
    .struct_size = sizeof(roost_plugin),
    .name = "percall",
    .version = "1",
    .formats = "models with a cost for each call",
    .load = load,
    .signature = signature,
    .predict = predict,
};

const roost_plugin *roost_plugin_entry(void) { return &plugin; }
