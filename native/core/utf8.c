#include "core/utf8.h"

/* More than any text has left, so that such a byte ends the check. */
#define NO_LEAD 0xffffffffu

/* How many continuation bytes follow this lead byte, and the range of the first of them, which is
 * where overlong forms, surrogates and too large code points show. NO_LEAD: not a lead byte. */
static uint32_t lead(uint32_t byte, uint32_t *low, uint32_t *high) {
  *low = 0x80;
  *high = 0xbf;
  if (byte < 0x80)
    return 0;
  if (byte >= 0xc2 && byte <= 0xdf)
    return 1;
  if (byte >= 0xe0 && byte <= 0xef) {
    if (byte == 0xe0)
      *low = 0xa0;
    if (byte == 0xed)
      *high = 0x9f;
    return 2;
  }
  if (byte >= 0xf0 && byte <= 0xf4) {
    if (byte == 0xf0)
      *low = 0x90;
    if (byte == 0xf4)
      *high = 0x8f;
    return 3;
  }
  return NO_LEAD;
}

bool pn_utf8_is_valid(const pn_reader_t *r, uint32_t at, uint32_t length) {
  uint32_t end = at + length;
  while (at < end) {
    uint32_t low, high;
    uint32_t more = lead(pn_reader_byte(r, at++), &low, &high);
    if (more > end - at)
      return false;
    for (; more > 0; more--) {
      uint32_t byte = pn_reader_byte(r, at++);
      if (byte < low || byte > high)
        return false;
      low = 0x80;
      high = 0xbf;
    }
  }
  return true;
}
