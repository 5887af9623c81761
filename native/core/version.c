#include "core/peernet.h"

#ifndef PN_VERSION
#error "PN_VERSION comes from package.json through binding.gyp or native/CMakeLists.txt"
#endif

const char *pn_version(void) { return PN_VERSION; }
