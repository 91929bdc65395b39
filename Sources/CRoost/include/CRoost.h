#ifndef CROOST_H
#define CROOST_H
#include "roost_channel.h"
#endif
