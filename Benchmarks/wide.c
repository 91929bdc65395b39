/* A runtime for `Benchmarks/binary`: takes rows of any width. "sum" adds up the bits of each row as 32-bit words, which
 * reads all of it and costs next to nothing; "echo" answers each row with itself. */
#include "roost_plugin.h"

#include <stdint.h>
#include <string.h>

ROOST_PLUGIN_RECORD(ROOST_FORK_SAFE);

static int is_echo;

static int32_t load(roost_load_args *args) {
  if (args->size < 8 || memcmp(args->data, "{\"wide\"", 7) != 0) return ROOST_NOT_MY_FORMAT;
  is_echo = memmem(args->data, args->size, "echo", 4) != NULL;
  args->model = &is_echo;
  return ROOST_OK;
}

static const int64_t row_shape[] = {-1, -1}, sum_shape[] = {-1};
static const roost_tensor_spec input = {"x", row_shape, 2, ROOST_FP32};
static const roost_tensor_spec echo = {"y", row_shape, 2, ROOST_FP32};
static const roost_tensor_spec sum = {"sum", sum_shape, 1, ROOST_UINT32};

static int32_t signature(roost_signature_args *args) {
  args->tensor_spec_size = sizeof(roost_tensor_spec);
  args->column_size = sizeof(roost_column);
  args->inputs = &input;
  args->input_count = 1;
  args->outputs = is_echo ? &echo : &sum;
  args->output_count = 1;
  return ROOST_OK;
}

static int32_t predict(const roost_predict_args *args) {
  const int64_t rows = (int64_t)args->rows, width = args->inputs[0].shape[1], shape[] = {rows, width};
  void *output = args->output(args->call, 0, shape, is_echo ? 2 : 1);
  if (output == NULL) return ROOST_ERROR;
  if (is_echo) {
    memcpy(output, args->inputs[0].data, (size_t)(rows * width) * sizeof(float));
    return ROOST_OK;
  }
  for (int64_t row = 0; row < rows; row++) {
    const uint32_t *words = (const uint32_t *)args->inputs[0].data + row * width;
    uint32_t total = 0;
    for (int64_t index = 0; index < width; index++) total += words[index];
    ((uint32_t *)output)[row] = total;
  }
  return ROOST_OK;
}

static const roost_plugin plugin = {
    .abi_version = ROOST_ABI_VERSION,
    .struct_size = sizeof(roost_plugin),
    .name = "wide",
    .version = "1",
    .load = load,
    .signature = signature,
    .predict = predict,
};

const roost_plugin *roost_plugin_entry(void) { return &plugin; }
