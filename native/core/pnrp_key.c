/* CPA public key (MS-PNRP 2.2.3.1.4) and SIGNATURE (2.2.3.2), declared in pnrp_cpa.h. */
#include "core/pnrp_cpa.h"

static const char algorithm[] = "1.2.840.113549.1.1.1";

/* The DER RSAPublicKey of 140 bytes: SEQUENCE of 137, INTEGER of 129 whose leading zero says that
 * the top bit of the 1024-bit modulus is set, INTEGER 65537. */
static const uint8_t der_head[] = {0x30, 0x81, 0x89, 0x02, 0x81, 0x81, 0x00};
static const uint8_t der_tail[] = {0x02, 0x03, 0x01, 0x00, 0x01};

static bool is_key(const pn_reader_t *r, uint32_t data) {
  uint32_t modulus = data + (uint32_t)sizeof der_head;
  uint32_t tail = data + PN_LENGTH_PUBLIC_KEY_DATA - (uint32_t)sizeof der_tail;
  return pn_reader_equals(r, data, der_head, sizeof der_head) &&
         (pn_reader_byte(r, modulus) & 0x80) != 0 &&
         pn_reader_equals(r, tail, der_tail, sizeof der_tail);
}

bool pn_public_key_decode(pn_reader_t *r, uint32_t *data) {
  uint32_t start = r->at;
  uint32_t field_length = pn_read_le16(r);
  uint32_t oid_length = pn_read_le16(r);
  pn_read_le16(r); /* Reserved */
  uint32_t data_length = pn_read_le16(r);
  pn_read_u8(r); /* PublicKey Unused */
  uint32_t oid = pn_read_span(r, PN_LENGTH_PUBLIC_KEY_OID);
  *data = pn_read_span(r, PN_LENGTH_PUBLIC_KEY_DATA);
  if (!pn_reader_ok(r))
    return false;
  if (field_length != PN_LENGTH_CPA_PUBLIC_KEY)
    return pn_reader_fail(r, PN_ERR_BAD_PUBLIC_KEY, start);
  if (oid_length != PN_LENGTH_PUBLIC_KEY_OID)
    return pn_reader_fail(r, PN_ERR_BAD_PUBLIC_KEY, start + 2);
  if (data_length != PN_LENGTH_PUBLIC_KEY_DATA)
    return pn_reader_fail(r, PN_ERR_BAD_PUBLIC_KEY, start + 6);
  if (!pn_reader_equals(r, oid, algorithm, PN_LENGTH_PUBLIC_KEY_OID))
    return pn_reader_fail(r, PN_ERR_BAD_PUBLIC_KEY, oid);
  if (!is_key(r, *data))
    return pn_reader_fail(r, PN_ERR_BAD_PUBLIC_KEY, *data);
  return true;
}

void pn_public_key_encode(pn_writer_t *w, uint32_t data, pn_bytes_t source) {
  pn_write_le16(w, PN_LENGTH_CPA_PUBLIC_KEY);
  pn_write_le16(w, PN_LENGTH_PUBLIC_KEY_OID);
  pn_write_le16(w, 0);
  pn_write_le16(w, PN_LENGTH_PUBLIC_KEY_DATA);
  pn_write_u8(w, 0);
  pn_write_bytes(w, algorithm, PN_LENGTH_PUBLIC_KEY_OID);
  pn_reader_t r = pn_reader_over(source, data, PN_LENGTH_PUBLIC_KEY_DATA);
  pn_read_span(&r, PN_LENGTH_PUBLIC_KEY_DATA);
  if (pn_reader_ok(&r) && !is_key(&r, data) && w->code == PN_OK)
    w->code = PN_ERR_BAD_PUBLIC_KEY;
  pn_write_span(w, source, data, PN_LENGTH_PUBLIC_KEY_DATA);
}

bool pn_signature_decode(pn_reader_t *r, uint32_t *data) {
  uint32_t start = r->at;
  uint32_t field_length = pn_read_le16(r);
  uint32_t signature_length = pn_read_le16(r);
  uint32_t algorithm_id = pn_read_le32(r);
  *data = pn_read_span(r, PN_LENGTH_SIGNATURE_DATA);
  if (!pn_reader_ok(r))
    return false;
  if (field_length != PN_LENGTH_SIGNATURE)
    return pn_reader_fail(r, PN_ERR_BAD_SIGNATURE, start);
  if (signature_length != PN_LENGTH_SIGNATURE_DATA)
    return pn_reader_fail(r, PN_ERR_BAD_SIGNATURE, start + 2);
  if (algorithm_id != PN_VALUE_SIGNATURE_ALG_ID)
    return pn_reader_fail(r, PN_ERR_BAD_SIGNATURE, start + 4);
  return true;
}

void pn_signature_encode(pn_writer_t *w, uint32_t data, pn_bytes_t source) {
  pn_write_le16(w, PN_LENGTH_SIGNATURE);
  pn_write_le16(w, PN_LENGTH_SIGNATURE_DATA);
  pn_write_le32(w, PN_VALUE_SIGNATURE_ALG_ID);
  pn_write_span(w, source, data, PN_LENGTH_SIGNATURE_DATA);
}
