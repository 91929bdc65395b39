#ifndef CLibuv_SHIM_H
#define CLibuv_SHIM_H
#include <sys/timerfd.h>
#include <uv.h>
#endif
