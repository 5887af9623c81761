#include "core/pnrp_elem.h"

#include "core/limits.h"

bool pn_elem_mismatch(pn_reader_t *r, uint32_t field, uint32_t length) {
  uint32_t start = r->at;
  uint32_t left = pn_reader_left(r);
  if (left < PN_LENGTH_ELEMENT_HEADER)
    return pn_reader_fail(r, PN_ERR_TRUNCATED, start);
  uint32_t head = pn_peek_be32(r);
  if (head >> 16 != field)
    return pn_reader_fail(r, PN_ERR_UNEXPECTED_FIELD, start);
  if ((head & 0xffff) != length)
    return pn_reader_fail(r, PN_ERR_BAD_LENGTH, start + 2);
  return pn_reader_fail(r, PN_ERR_TRUNCATED, start + PN_LENGTH_ELEMENT_HEADER);
}

bool pn_elem_open(pn_reader_t *r, uint32_t field, uint32_t *content) {
  uint32_t start = r->at;
  uint32_t length = pn_peek_be32(r) & 0xffff;
  *content = 0;
  if (pn_elem_peek(r) != field)
    return pn_elem_mismatch(r, field, length);
  if (length <= PN_LENGTH_ELEMENT_HEADER)
    return pn_reader_fail(r, PN_ERR_BAD_LENGTH, start + 2);
  if (length > pn_reader_left(r))
    return pn_reader_fail(r, PN_ERR_TRUNCATED, start + PN_LENGTH_ELEMENT_HEADER);
  r->at += PN_LENGTH_ELEMENT_HEADER;
  *content = length - PN_LENGTH_ELEMENT_HEADER;
  return true;
}

bool pn_elem_array(pn_reader_t *r, const pn_array_rule_t *rule, uint32_t *entries,
                   uint32_t *count) {
  uint32_t start = r->at;
  uint32_t content;
  *entries = *count = 0;
  if (!pn_elem_open(r, rule->field, &content))
    return false;
  if (content < PN_LENGTH_ARRAY_INNER)
    return pn_reader_fail(r, PN_ERR_BAD_LENGTH, start + 2);
  uint32_t number = pn_read_be16(r);
  uint32_t array_length = pn_read_be16(r);
  uint32_t entry_field = pn_read_be16(r);
  uint32_t entry_length = pn_read_be16(r);
  if (number < rule->minimum || number > rule->maximum)
    return pn_reader_fail(r, PN_ERR_BAD_COUNT, start + 4);
  uint32_t expected = PN_LENGTH_ARRAY_INNER + number * rule->entry_length;
  if (array_length != expected)
    return pn_reader_fail(r, PN_ERR_BAD_ARRAY, start + 6);
  if (entry_field != rule->entry_field)
    return pn_reader_fail(r, PN_ERR_BAD_ARRAY, start + 8);
  if (entry_length != rule->entry_length)
    return pn_reader_fail(r, PN_ERR_BAD_ARRAY, start + 10);
  if (content != expected)
    return pn_reader_fail(r, PN_ERR_BAD_ARRAY, start + 2);
  *entries = pn_read_span(r, number * rule->entry_length);
  *count = number;
  return pn_reader_ok(r);
}

bool pn_elem_finish(pn_reader_t *r, uint32_t end) {
  if (!pn_reader_ok(r))
    return false;
  uint32_t left = pn_reader_left(r);
  if (r->end - end > PN_LIMIT_FINAL_PADDING || !pn_reader_is_zero(r, r->at, left))
    return pn_reader_fail(r, PN_ERR_TRAILING_BYTES, r->at);
  return true;
}
