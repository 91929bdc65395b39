#include "CRoost.h"
