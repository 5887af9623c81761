#include "core/pnrp_extpayload.h"

#include "core/pnrp_cpa.h"
#include "core/utf8.h"

#define STRING_TYPE_LENGTH 2u

/* Width of a unit of the text, which is also the length of its terminating NUL. */
static uint32_t unit_length(uint32_t string_type) {
  return string_type == PN_STRING_TYPE_UNICODE ? PN_LENGTH_WCHAR : 1;
}

/* Up to Payload Length; the numbers that depend on it are compared once it is known. */
static bool read_fixed(pn_reader_t *r, pn_extpayload_t *out, uint32_t *payload_length) {
  uint32_t start = r->at;
  out->length = pn_read_le16(r);
  uint32_t version = pn_read_be16(r); /* minor before major */
  pn_read_le16(r);                    /* Reserved */
  out->signed_length = pn_read_le16(r);
  out->not_after_low = pn_read_le32(r);
  out->not_after_high = pn_read_le32(r);
  out->pnrp_id = pn_read_span(r, PN_LENGTH_PNRP_ID);
  out->nonce = pn_read_span(r, PN_LENGTH_NONCE_VALUE);
  uint32_t payloads = pn_read_le16(r);
  uint32_t total = pn_read_le16(r);
  out->payload_type = pn_read_le32(r);
  *payload_length = pn_read_le16(r);
  if (!pn_reader_ok(r))
    return false;
  if (out->length != r->end - start)
    return pn_reader_fail(r, PN_ERR_BAD_LENGTH, start);
  if (version != (PN_VALUE_EXTENDED_PAYLOAD_MINOR << 8 | PN_VALUE_EXTENDED_PAYLOAD_MAJOR))
    return pn_reader_fail(r, PN_ERR_BAD_VERSION, start + 2);
  if (payloads != 1)
    return pn_reader_fail(r, PN_ERR_BAD_COUNT, start + PN_OFFSET_EXTENDED_PAYLOAD_NUM_PAYLOADS);
  if (total != PN_LENGTH_EXTENDED_PAYLOAD_INNER + *payload_length)
    return pn_reader_fail(r, PN_ERR_BAD_LENGTH, start + PN_OFFSET_EXTENDED_PAYLOAD_TOTAL);
  if (out->signed_length != PN_LENGTH_EXTENDED_PAYLOAD_FIXED + *payload_length)
    return pn_reader_fail(r, PN_ERR_BAD_LENGTH,
                          start + PN_OFFSET_EXTENDED_PAYLOAD_SIGNATURE_OFFSET);
  return true;
}

static bool is_payload_length(uint32_t type, uint32_t length) {
  if (type == PN_PAYLOAD_TYPE_BINARY)
    return length >= 1 && length <= PN_LIMIT_EXTENDED_PAYLOAD_BINARY;
  return type == PN_PAYLOAD_TYPE_STRING && length >= PN_LIMIT_EXTENDED_PAYLOAD_STRING_MINIMUM &&
         length <= PN_LIMIT_EXTENDED_PAYLOAD_STRING;
}

/* The text's only NUL is the unit at its end (2.2.3.3, N-44). */
static bool read_text(pn_reader_t *r, pn_extpayload_t *out, uint32_t payload_length) {
  uint32_t string_type_at = r->at;
  out->string_type = pn_read_le16(r);
  uint32_t unit = unit_length(out->string_type);
  uint32_t length = payload_length - STRING_TYPE_LENGTH;
  if (out->string_type > PN_STRING_TYPE_UTF8)
    return pn_reader_fail(r, PN_ERR_BAD_VALUE, string_type_at);
  out->data = pn_read_span(r, length);
  if (!pn_reader_ok(r))
    return false;
  if (length % unit != 0)
    return pn_reader_fail(r, PN_ERR_BAD_TEXT, out->data);
  out->data_length = length - unit;
  for (uint32_t at = 0; at < length; at += unit) {
    bool is_nul = pn_reader_is_zero(r, out->data + at, unit);
    if (is_nul != (at == out->data_length))
      return pn_reader_fail(r, PN_ERR_BAD_TEXT, out->data + at);
  }
  if (out->string_type == PN_STRING_TYPE_UTF8 && !pn_utf8_is_valid(r, out->data, out->data_length))
    return pn_reader_fail(r, PN_ERR_BAD_TEXT, out->data);
  return true;
}

static bool read_payload(pn_reader_t *r, pn_extpayload_t *out, uint32_t length) {
  uint32_t type_at = r->at - PN_LENGTH_PAYLOAD_FIXED;
  if (out->payload_type != PN_PAYLOAD_TYPE_STRING && out->payload_type != PN_PAYLOAD_TYPE_BINARY)
    return pn_reader_fail(r, PN_ERR_BAD_PAYLOAD, type_at);
  if (!is_payload_length(out->payload_type, length))
    return pn_reader_fail(r, PN_ERR_BAD_PAYLOAD, type_at + 4);
  if (out->payload_type == PN_PAYLOAD_TYPE_STRING)
    return read_text(r, out, length);
  out->data_length = length;
  out->data = pn_read_span(r, length);
  return pn_reader_ok(r);
}

pn_err_t pn_extpayload_decode(pn_bytes_t source, uint32_t start, uint32_t length,
                              pn_extpayload_t *out) {
  pn_reader_t r = pn_reader_over(source, start, length);
  uint32_t payload_length;
  memset(out, 0, sizeof *out);
  if (read_fixed(&r, out, &payload_length) && read_payload(&r, out, payload_length) &&
      pn_signature_decode(&r, &out->signature) && pn_reader_left(&r) != 0)
    pn_reader_fail(&r, PN_ERR_BAD_LENGTH, r.at);
  out->code = r.code;
  out->at = r.code == PN_OK ? 0 : r.failed_at - start;
  return (pn_err_t)out->code;
}

uint32_t pn_extpayload_payload_length(const pn_extpayload_t *payload) {
  uint32_t length = payload->data_length;
  if (length > PN_LIMIT_EXTENDED_PAYLOAD_STRING)
    return 0;
  if (payload->payload_type == PN_PAYLOAD_TYPE_STRING)
    length += STRING_TYPE_LENGTH + unit_length(payload->string_type);
  return is_payload_length(payload->payload_type, length) ? length : 0;
}

uint32_t pn_extpayload_length(const pn_extpayload_t *payload) {
  uint32_t length = pn_extpayload_payload_length(payload);
  return length == 0 ? 0 : PN_LENGTH_EXTENDED_PAYLOAD_FIXED + length + PN_LENGTH_SIGNATURE;
}

pn_err_t pn_extpayload_encode(const pn_extpayload_t *payload, bool with_signature,
                              pn_bytes_t source, pn_writer_t *w) {
  uint32_t payload_length = pn_extpayload_payload_length(payload);
  bool is_text = payload->payload_type == PN_PAYLOAD_TYPE_STRING;
  if (payload_length == 0 || (is_text && payload->string_type > PN_STRING_TYPE_UTF8))
    return PN_ERR_BAD_PAYLOAD;
  uint32_t signed_length = PN_LENGTH_EXTENDED_PAYLOAD_FIXED + payload_length;
  if (signed_length + (with_signature ? PN_LENGTH_SIGNATURE : 0) > w->size - w->at)
    return PN_ERR_NO_BUFFER;
  pn_write_le16(w, signed_length + PN_LENGTH_SIGNATURE);
  pn_write_u8(w, PN_VALUE_EXTENDED_PAYLOAD_MINOR);
  pn_write_u8(w, PN_VALUE_EXTENDED_PAYLOAD_MAJOR);
  pn_write_le16(w, 0);
  pn_write_le16(w, signed_length);
  pn_write_le32(w, payload->not_after_low);
  pn_write_le32(w, payload->not_after_high);
  pn_write_span(w, source, payload->pnrp_id, PN_LENGTH_PNRP_ID);
  pn_write_span(w, source, payload->nonce, PN_LENGTH_NONCE_VALUE);
  pn_write_le16(w, 1);
  pn_write_le16(w, PN_LENGTH_EXTENDED_PAYLOAD_INNER + payload_length);
  pn_write_le32(w, payload->payload_type);
  pn_write_le16(w, payload_length);
  if (is_text)
    pn_write_le16(w, payload->string_type);
  pn_write_span(w, source, payload->data, payload->data_length);
  if (is_text)
    pn_write_zeros(w, unit_length(payload->string_type));
  if (with_signature)
    pn_signature_encode(w, payload->signature, source);
  return (pn_err_t)w->code;
}
