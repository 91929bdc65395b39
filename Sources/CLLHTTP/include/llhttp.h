/* llhttp's own sources say #include "llhttp.h"; lead them to the installed header. */
#include "CLLHTTP.h"
