#ifndef CLibuv_SHIM_H
#define CLibuv_SHIM_H
#include <uv.h>
#endif
