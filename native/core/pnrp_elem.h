/* Message elements, MS-PNRP 2.2: FieldID (2) | Length (2) | content | padding to the next multiple
 * of 4. Length covers everything but the padding (N-06). */
#ifndef PN_PNRP_ELEM_H
#define PN_PNRP_ELEM_H

#include "core/buf.h"
#include "core/pnrp_const.h"

#ifdef __cplusplus
extern "C" {
#endif

/* FieldID at the reader's place; 0 (which is none) when fewer than 4 bytes are left. */
static inline uint32_t pn_elem_peek(const pn_reader_t *r) {
  return pn_peek_be32(r) >> 16;
}

/* Records why an element that had to be here is not: TRUNCATED, UNEXPECTED_FIELD, BAD_LENGTH. */
bool pn_elem_mismatch(pn_reader_t *r, uint32_t field, uint32_t length);

/* Passes over FieldID and Length of an element of fixed Length, whose content is all there. */
static inline bool pn_elem_fixed(pn_reader_t *r, uint32_t field, uint32_t length) {
  if (pn_reader_left(r) < length || pn_peek_be32(r) != (field << 16 | length))
    return pn_elem_mismatch(r, field, length);
  r->at += PN_LENGTH_ELEMENT_HEADER;
  return true;
}

/* The same for an element of any Length of at least 5; `content` becomes the content's length. */
bool pn_elem_open(pn_reader_t *r, uint32_t field, uint32_t *content);

/* An array element (2.2.2.2, 2.2.2.4, 2.2.2.6.1): passes over it, `entries` is the offset of its
 * first entry. BAD_COUNT when NumEntries is outside minimum..maximum, BAD_ARRAY when its numbers
 * disagree (N-22). */
typedef struct {
  uint32_t field, entry_field, entry_length, minimum, maximum;
} pn_array_rule_t;
bool pn_elem_array(pn_reader_t *r, const pn_array_rule_t *rule, uint32_t *entries, uint32_t *count);

/* Passes over padding, whatever its value (2.2). At the end of the bytes it may be missing. */
static inline void pn_elem_pad(pn_reader_t *r) {
  uint32_t padding = (0u - (r->at - r->origin)) & (PN_LENGTH_ALIGNMENT - 1);
  uint32_t left = pn_reader_left(r);
  r->at += padding < left ? padding : left;
}

/* After the last element, which ended at `end`: at most 3 bytes may follow, padding that belongs
 * to the element (already passed over) included, and the rest of them zero (N-07). */
bool pn_elem_finish(pn_reader_t *r, uint32_t end);

/* ---- writing ---- */

static inline uint32_t pn_align(uint32_t length) {
  return (length + PN_LENGTH_ALIGNMENT - 1) & ~(PN_LENGTH_ALIGNMENT - 1);
}

static inline void pn_write_elem(pn_writer_t *w, uint32_t field, uint32_t length) {
  pn_write_be32(w, field << 16 | length);
}

/* Zero bytes up to the next multiple of 4 counted from `origin`. */
static inline void pn_write_pad(pn_writer_t *w, uint32_t origin) {
  pn_write_zeros(w, (0u - (w->at - origin)) & (PN_LENGTH_ALIGNMENT - 1));
}

static inline void pn_write_array(pn_writer_t *w, uint32_t field, uint32_t entry_field,
                                  uint32_t entry_length, uint32_t count) {
  pn_write_elem(w, field, PN_LENGTH_ARRAY_HEADER + count * entry_length);
  pn_write_be16(w, count);
  pn_write_be16(w, PN_LENGTH_ARRAY_INNER + count * entry_length);
  pn_write_be16(w, entry_field);
  pn_write_be16(w, entry_length);
}

#ifdef __cplusplus
}
#endif

#endif
