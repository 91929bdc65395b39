/* The shared memory through which host and instance exchange requests and replies. */
#ifndef ROOST_CHANNEL_H
#define ROOST_CHANNEL_H
#include <stdint.h>
#endif
