#include "CLLHTTP.h"
#pragma clang diagnostic ignored "-Wunused-parameter"
#include "/usr/share/llhttp/http.c"
