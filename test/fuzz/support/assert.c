/* The assert hook of fuzz programs: a failed assertion is a crash. */
#include <stdio.h>
#include <stdlib.h>

#include "core/assert.h"

void pn_assert_fail(const char *expression, const char *file, int line) {
  fprintf(stderr, "%s:%d: assertion failed: %s\n", file, line, expression);
  abort();
}
