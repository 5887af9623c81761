#include "core/pnrp_authority.h"

static const pn_array_rule_t classifier_rule = {PN_FIELD_CLASSIFIER, PN_FIELD_WCHAR,
                                                PN_LENGTH_WCHAR, 0, PN_LIMIT_CLASSIFIER_UNITS};

static const uint32_t known_flags = PN_AUTHORITY_FLAG_L | PN_AUTHORITY_FLAG_B | PN_AUTHORITY_FLAG_N;

/* An element whose content is opaque at this level, if it is the next one. `end` follows. */
static bool read_opaque(pn_reader_t *r, uint32_t field, uint32_t *at, uint32_t *length,
                        uint32_t *end) {
  if (pn_elem_peek(r) != field || !pn_elem_open(r, field, length))
    return false;
  *at = pn_read_span(r, *length);
  *end = r->at;
  return true;
}

/* 2.2.2.6.1: no terminating NUL; 2.2.4: no NUL at all */
static bool read_classifier(pn_reader_t *r, pn_authority_t *out, uint32_t *end) {
  if (pn_elem_peek(r) != PN_FIELD_CLASSIFIER ||
      !pn_elem_array(r, &classifier_rule, &out->classifier, &out->classifier_units))
    return false;
  for (uint32_t i = 0; i < out->classifier_units; i++) {
    uint32_t at = out->classifier + i * PN_LENGTH_WCHAR;
    if (pn_reader_byte(r, at) == 0 && pn_reader_byte(r, at + 1) == 0)
      return pn_reader_fail(r, PN_ERR_BAD_TEXT, at);
  }
  *end = r->at;
  return true;
}

/* The optional elements stand in this order only; one out of order is left over and reported. */
static void read_elements(pn_reader_t *r, pn_authority_t *out, uint32_t *end) {
  if (read_opaque(r, PN_FIELD_CERT_CHAIN, &out->chain, &out->chain_length, end)) {
    out->present |= PN_HAS_CHAIN;
    pn_elem_pad(r);
  }
  if (read_classifier(r, out, end)) {
    out->present |= PN_HAS_CLASSIFIER;
    pn_elem_pad(r);
  }
  if (read_opaque(r, PN_FIELD_EXTENDED_PAYLOAD, &out->extended_payload,
                  &out->extended_payload_length, end)) {
    out->present |= PN_HAS_EXTENDED_PAYLOAD;
    pn_elem_pad(r);
  }
  if (pn_elem_peek(r) == PN_FIELD_ROUTING_ENTRY && pn_route_decode(r, &out->route, end))
    out->present |= PN_HAS_ROUTE;
  /* VALIDATE_CPA owns no padding */
  if (read_opaque(r, PN_FIELD_VALIDATE_CPA, &out->cpa, &out->cpa_length, end))
    out->present |= PN_HAS_CPA;
}

pn_err_t pn_authority_decode(pn_bytes_t source, uint32_t start, uint32_t length,
                             pn_authority_t *out) {
  pn_reader_t r = pn_reader_over(source, start, length);
  memset(out, 0, sizeof *out);
  if (length > PN_LIMIT_AUTHORITY_BUFFER)
    pn_reader_fail(&r, PN_ERR_BAD_LENGTH, start);
  if (pn_elem_fixed(&r, PN_FIELD_FLAGS_FIELD, PN_LENGTH_FLAGS_FIELD)) {
    out->flags = pn_read_be16(&r) & known_flags;
    uint32_t end = r.at;
    pn_elem_pad(&r);
    read_elements(&r, out, &end);
    if (pn_reader_left(&r) >= PN_LENGTH_ELEMENT_HEADER)
      pn_reader_fail(&r, PN_ERR_UNEXPECTED_FIELD, r.at);
    pn_elem_finish(&r, end);
  }
  out->code = r.code;
  out->at = r.code == PN_OK ? 0 : r.failed_at - start;
  return (pn_err_t)out->code;
}

static bool has(const pn_authority_t *buffer, uint32_t bit) {
  return (buffer->present & bit) != 0;
}

/* Content of an element, which Length (16 bits) has to cover. */
static bool is_content_length(uint32_t length) {
  return length > 0 && length <= 0xffff - PN_LENGTH_ELEMENT_HEADER;
}

static uint32_t cpa_length(const pn_authority_t *buffer, const pn_authority_parts_t *parts) {
  return parts->cpa != NULL ? pn_cpa_length(parts->cpa) : buffer->cpa_length;
}

static uint32_t payload_length(const pn_authority_t *buffer, const pn_authority_parts_t *parts) {
  return parts->extended_payload != NULL ? pn_extpayload_length(parts->extended_payload)
                                         : buffer->extended_payload_length;
}

static pn_err_t check(const pn_authority_t *buffer, const pn_authority_parts_t *parts) {
  if (has(buffer, PN_HAS_CHAIN) && !is_content_length(buffer->chain_length))
    return PN_ERR_BAD_LENGTH;
  if (has(buffer, PN_HAS_EXTENDED_PAYLOAD) && !is_content_length(payload_length(buffer, parts)))
    return PN_ERR_BAD_LENGTH;
  if (has(buffer, PN_HAS_CPA) && !is_content_length(cpa_length(buffer, parts)))
    return PN_ERR_BAD_LENGTH;
  if (has(buffer, PN_HAS_CLASSIFIER) && buffer->classifier_units > PN_LIMIT_CLASSIFIER_UNITS)
    return PN_ERR_BAD_COUNT;
  if (has(buffer, PN_HAS_ROUTE) && pn_route_length(&buffer->route) == 0)
    return PN_ERR_BAD_COUNT;
  return PN_OK;
}

static uint32_t buffer_length(const pn_authority_t *buffer, const pn_authority_parts_t *parts) {
  uint32_t length = pn_align(PN_LENGTH_FLAGS_FIELD);
  if (has(buffer, PN_HAS_CHAIN))
    length += pn_align(PN_LENGTH_ELEMENT_HEADER + buffer->chain_length);
  if (has(buffer, PN_HAS_CLASSIFIER))
    length += pn_align(PN_LENGTH_ARRAY_HEADER + buffer->classifier_units * PN_LENGTH_WCHAR);
  if (has(buffer, PN_HAS_EXTENDED_PAYLOAD))
    length += pn_align(PN_LENGTH_ELEMENT_HEADER + payload_length(buffer, parts));
  if (has(buffer, PN_HAS_ROUTE))
    length += pn_route_length(&buffer->route);
  if (has(buffer, PN_HAS_CPA))
    length += PN_LENGTH_ELEMENT_HEADER + cpa_length(buffer, parts);
  return length;
}

uint32_t pn_authority_length(const pn_authority_t *buffer, const pn_authority_parts_t *parts) {
  if (check(buffer, parts) != PN_OK)
    return 0;
  uint32_t length = buffer_length(buffer, parts);
  return length <= PN_LIMIT_AUTHORITY_BUFFER ? length : 0;
}

static void write_opaque(pn_writer_t *w, uint32_t field, uint32_t at, uint32_t length,
                         pn_bytes_t source) {
  pn_write_elem(w, field, PN_LENGTH_ELEMENT_HEADER + length);
  pn_write_span(w, source, at, length);
}

static void write_classifier(pn_writer_t *w, const pn_authority_t *buffer, pn_bytes_t source) {
  pn_write_array(w, PN_FIELD_CLASSIFIER, PN_FIELD_WCHAR, PN_LENGTH_WCHAR, buffer->classifier_units);
  pn_write_span(w, source, buffer->classifier, buffer->classifier_units * PN_LENGTH_WCHAR);
}

static void fail(pn_writer_t *w, pn_err_t code) {
  if (w->code == PN_OK)
    w->code = code;
}

static void write_payload(pn_writer_t *w, const pn_authority_t *buffer,
                          const pn_extpayload_t *payload, pn_bytes_t source) {
  if (payload == NULL) {
    write_opaque(w, PN_FIELD_EXTENDED_PAYLOAD, buffer->extended_payload,
                 buffer->extended_payload_length, source);
    return;
  }
  pn_write_elem(w, PN_FIELD_EXTENDED_PAYLOAD,
                PN_LENGTH_ELEMENT_HEADER + pn_extpayload_length(payload));
  fail(w, pn_extpayload_encode(payload, true, source, w));
}

static void write_cpa(pn_writer_t *w, const pn_authority_t *buffer, const pn_cpa_t *cpa,
                      pn_bytes_t source) {
  if (cpa == NULL) {
    write_opaque(w, PN_FIELD_VALIDATE_CPA, buffer->cpa, buffer->cpa_length, source);
    return;
  }
  pn_write_elem(w, PN_FIELD_VALIDATE_CPA, PN_LENGTH_ELEMENT_HEADER + pn_cpa_length(cpa));
  fail(w, pn_cpa_encode(cpa, true, source, w));
}

pn_err_t pn_authority_encode(const pn_authority_t *buffer, const pn_authority_parts_t *parts,
                             pn_bytes_t source, pn_writer_t *w) {
  pn_err_t code = check(buffer, parts);
  if (code != PN_OK)
    return code;
  uint32_t length = buffer_length(buffer, parts);
  uint32_t origin = w->at;
  if (length > PN_LIMIT_AUTHORITY_BUFFER)
    return PN_ERR_BAD_LENGTH;
  if (length > w->size - w->at)
    return PN_ERR_NO_BUFFER;
  pn_write_elem(w, PN_FIELD_FLAGS_FIELD, PN_LENGTH_FLAGS_FIELD);
  pn_write_be32(w, (buffer->flags & known_flags) << 16);
  if (has(buffer, PN_HAS_CHAIN)) {
    write_opaque(w, PN_FIELD_CERT_CHAIN, buffer->chain, buffer->chain_length, source);
    pn_write_pad(w, origin);
  }
  if (has(buffer, PN_HAS_CLASSIFIER)) {
    write_classifier(w, buffer, source);
    pn_write_pad(w, origin);
  }
  if (has(buffer, PN_HAS_EXTENDED_PAYLOAD)) {
    write_payload(w, buffer, parts->extended_payload, source);
    pn_write_pad(w, origin);
  }
  if (has(buffer, PN_HAS_ROUTE))
    pn_route_encode(w, &buffer->route, source);
  if (has(buffer, PN_HAS_CPA))
    write_cpa(w, buffer, parts->cpa, source);
  return (pn_err_t)w->code;
}
