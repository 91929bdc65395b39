#ifndef CROOST_H
#define CROOST_H
#include "roost_channel.h"
#include "roost_control.h"
#include "roost_process.h"
#include "roost_sandbox.h"
#endif
