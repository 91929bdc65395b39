/* llhttp comes as C sources inside Debian's node-llhttp; compiled in place, nothing is vendored. */
#include "CLLHTTP.h"
