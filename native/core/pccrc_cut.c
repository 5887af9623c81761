/* Where segments of version 2 end. MS-PCCRC leaves that to the server (DA-8); this is ours, and
 * spec/segments.md describes it for people.
 *
 * Content is seen as windows of 8 MiB. Inside a window a segment ends after the first byte, 32 KiB
 * or more from its start, at which the rolling hash of the last 32 bytes has its upper 15 bits 0;
 * otherwise after 128 KiB. Never would less than 32 KiB be left of the window, whose end is always
 * a segment's. Only the last segment of the content may be shorter. */
#include "core/pccrc.h"
#include "core/pccrc_gear.h"

/* Bytes that the rolling hash sees: each shifts the earlier ones out by a bit. */
#define SEEN 32u
/* The upper 15 bits: one position in 32 Ki on average. */
#define CUT_BITS 0xfffe0000u

static inline uint32_t roll(uint32_t hash, uint8_t byte) {
  return (hash << 1) + pn_gear[byte];
}

/* First length in from … to at which the content wants an end; 0 when there is none. */
static uint32_t find(const uint8_t *bytes, uint32_t from, uint32_t to) {
  uint32_t hash = 0, at = from - SEEN;
  for (; at < from - 1; at++)
    hash = roll(hash, bytes[at]);
  for (; at + 4 <= to; at += 4) {
    const uint32_t one = roll(hash, bytes[at]), two = roll(one, bytes[at + 1]);
    const uint32_t three = roll(two, bytes[at + 2]);
    hash = roll(three, bytes[at + 3]);
    if (one < ~CUT_BITS + 1)
      return at + 1;
    if (two < ~CUT_BITS + 1)
      return at + 2;
    if (three < ~CUT_BITS + 1)
      return at + 3;
    if (hash < ~CUT_BITS + 1)
      return at + 4;
  }
  for (; at < to; at++) {
    hash = roll(hash, bytes[at]);
    if ((hash & CUT_BITS) == 0)
      return at + 1;
  }
  return 0;
}

static uint32_t least(uint32_t a, uint32_t b) {
  return a < b ? a : b;
}

uint32_t pn_cut_window(uint32_t fixed) {
  return fixed == 0 ? PN_LIMIT_CUT_WINDOW : PN_LIMIT_CUT_WINDOW / fixed * fixed;
}

uint32_t pn_cut(uint32_t fixed, const uint8_t *bytes, uint32_t available, uint32_t left,
                bool last) {
  const uint32_t longest = fixed == 0 ? PN_LIMIT_SEGMENT_2 : fixed;
  if (available < least(longest, left) && !last)
    return 0;
  if (fixed != 0 || left < 2 * PN_LIMIT_CUT_MINIMUM)
    return least(least(longest, left), available);
  const uint32_t limit = least(longest, left - PN_LIMIT_CUT_MINIMUM);
  const uint32_t to = least(limit, available);
  const uint32_t found = to < PN_LIMIT_CUT_MINIMUM ? 0 : find(bytes, PN_LIMIT_CUT_MINIMUM, to);
  if (found != 0)
    return found;
  return least(left <= longest ? left : limit, available);
}
