#include "core/graph_text.h"

#include "core/utf8.h"

bool pn_graph_is_utf8(const pn_reader_t *r, uint32_t at, uint32_t length, uint32_t least,
                      uint32_t most) {
  if (length == 0 || pn_reader_byte(r, at + length - 1) != 0)
    return false;
  uint32_t units = 0;
  for (uint32_t i = 0; i < length - 1; i++) {
    uint32_t byte = pn_reader_byte(r, at + i);
    if (byte == 0)
      return false;
    /* a continuation byte adds nothing, the lead of four bytes makes a pair of surrogates */
    units += (uint32_t)((byte & 0xc0) != 0x80) + (uint32_t)(byte >= 0xf0);
  }
  return units >= least && units <= most && pn_utf8_is_valid(r, at, length - 1);
}

bool pn_graph_is_utf16(const pn_reader_t *r, uint32_t at, uint32_t units, uint32_t little) {
  bool open = false; /* a high surrogate was seen */
  for (uint32_t i = 0; i < units; i++, at += 2) {
    uint32_t unit = pn_reader_unit(r, at, little);
    if ((unit == 0) != (i == units - 1) || open != ((unit & 0xfc00) == 0xdc00))
      return false;
    open = (unit & 0xfc00) == 0xd800;
  }
  return units > 0;
}
