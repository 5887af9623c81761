#include "core/buf.h"

bool pn_reader_is_zero(const pn_reader_t *r, uint32_t at, uint32_t length) {
  if (at > r->end || length > r->end - at)
    return false;
  for (uint32_t i = 0; i < length; i++)
    if (r->base[at + i] != 0)
      return false;
  return true;
}
