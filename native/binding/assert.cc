#include <node_api.h>

#include <cstdio>

#include "core/assert.h"

extern "C" void pn_assert_fail(const char *expression, const char *file, int line) {
  char where[256];
  std::snprintf(where, sizeof where, "%s:%d", file, line);
  napi_fatal_error(where, NAPI_AUTO_LENGTH, expression, NAPI_AUTO_LENGTH);
}
