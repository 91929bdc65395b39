/* A runtime for `Benchmarks/fork`: maps a model file of any size, touches every page of it while loading, so that all
 * of it stands in the template's page tables, and then sums the features of each row. */
#include "roost_plugin.h"

#include <string.h>

ROOST_PLUGIN_RECORD(ROOST_FORK_SAFE);

static int64_t touched;

static int32_t load(roost_load_args *args) {
  const char *bytes = args->data;
  if (args->size < 7 || memcmp(bytes, "MAPPED\n", 7) != 0) return ROOST_NOT_MY_FORMAT;
  for (size_t place = 0; place < args->size; place += 4096) touched += bytes[place];
  return ROOST_OK;
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

static int32_t predict(const roost_predict_args *args) {
  const float *features = args->inputs[0].data;
  const int64_t shape[] = {(int64_t)args->rows};
  float *sums = args->output(args->call, 0, shape, 1);
  if (sums == NULL) return ROOST_ERROR;
  for (uint64_t row = 0; row < args->rows; row++) {
    sums[row] = 0;
    for (int column = 0; column < 30; column++) sums[row] += features[30 * row + column];
  }
  return ROOST_OK;
}

static const roost_plugin plugin = {
    .abi_version = ROOST_ABI_VERSION,
    .struct_size = sizeof(roost_plugin),
    .name = "mapped",
    .version = "1",
    .formats = "mapped files",
    .load = load,
    .signature = signature,
    .predict = predict,
};

const roost_plugin *roost_plugin_entry(void) { return &plugin; }
