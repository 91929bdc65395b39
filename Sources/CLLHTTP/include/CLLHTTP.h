#ifndef CLLHTTP_H
#define CLLHTTP_H
/* The parser and everybody who sees its types must agree on strictness: without it
   a lone CR ends a header block. */
#ifndef LLHTTP_STRICT_MODE
#define LLHTTP_STRICT_MODE 1
#endif
#include "/usr/share/include/llhttp/llhttp.h"
#endif
