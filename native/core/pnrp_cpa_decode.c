#include "core/pnrp_cpa.h"

static const uint32_t known_flags =
    PN_CPA_FLAG_X | PN_CPA_FLAG_F | PN_CPA_FLAG_C | PN_CPA_FLAG_A | PN_CPA_FLAG_U | PN_CPA_FLAG_R;

static bool has(const pn_cpa_t *cpa, uint32_t flag) {
  return (cpa->flags & flag) != 0;
}

static bool check_flags(pn_reader_t *r, uint32_t start, uint32_t kind, const pn_cpa_t *cpa) {
  bool names_something = has(cpa, PN_CPA_FLAG_A) || has(cpa, PN_CPA_FLAG_C);
  bool text_without_name = has(cpa, PN_CPA_FLAG_U) && !has(cpa, PN_CPA_FLAG_F);
  bool wrong_kind = (kind == PN_CPA_REVOKE && !has(cpa, PN_CPA_FLAG_R)) ||
                    (kind == PN_CPA_LIVE && has(cpa, PN_CPA_FLAG_R));
  if (!names_something || text_without_name || wrong_kind)
    return pn_reader_fail(r, PN_ERR_BAD_FLAGS, start + PN_OFFSET_CPA_FLAGS);
  return true;
}

/* Up to and including Service Location, which every CPA has in the same place. */
static bool read_fixed(pn_reader_t *r, uint32_t kind, pn_cpa_t *cpa) {
  uint32_t start = r->at;
  cpa->length = pn_read_le16(r);
  uint32_t versions = pn_read_be32(r); /* minor before major, twice */
  cpa->flags = pn_read_u8(r) & known_flags;
  pn_read_u8(r);
  cpa->not_after_low = pn_read_le32(r);
  cpa->not_after_high = pn_read_le32(r);
  cpa->service_location = pn_read_span(r, PN_LENGTH_SERVICE_LOCATION);
  if (!pn_reader_ok(r))
    return false;
  if (cpa->length != r->end - start)
    return pn_reader_fail(r, PN_ERR_BAD_LENGTH, start);
  uint32_t expected = PN_VALUE_CPA_MINOR << 24 | PN_VALUE_CPA_MAJOR << 16 |
                      PN_VALUE_CPA_PNRP_MINOR << 8 | PN_VALUE_CPA_PNRP_MAJOR;
  if (versions != expected)
    return pn_reader_fail(r, PN_ERR_BAD_VERSION, start + 2);
  return check_flags(r, start, kind, cpa);
}

static bool read_nonce(pn_reader_t *r, uint32_t revoke_nonce, pn_cpa_t *cpa) {
  cpa->revoke_nonce = PN_REVOKE_NONCE_PRESENT;
  if (has(cpa, PN_CPA_FLAG_R) && revoke_nonce == PN_REVOKE_NONCE_ABSENT) {
    cpa->revoke_nonce = PN_REVOKE_NONCE_ABSENT;
    return true;
  }
  cpa->nonce = pn_read_span(r, PN_LENGTH_NONCE_VALUE);
  return pn_reader_ok(r);
}

static bool read_name(pn_reader_t *r, pn_cpa_t *cpa) {
  if (has(cpa, PN_CPA_FLAG_A))
    cpa->authority = pn_read_span(r, PN_LENGTH_BINARY_AUTHORITY);
  if (has(cpa, PN_CPA_FLAG_C))
    cpa->classifier_hash = pn_read_span(r, PN_LENGTH_CLASSIFIER_HASH);
  if (!has(cpa, PN_CPA_FLAG_F))
    return pn_reader_ok(r);
  cpa->friendly_name_length = pn_read_le16(r);
  if (cpa->friendly_name_length < 1 || cpa->friendly_name_length > PN_LIMIT_FRIENDLY_NAME)
    return pn_reader_fail(r, PN_ERR_BAD_COUNT, r->at - 2);
  cpa->friendly_name = pn_read_span(r, cpa->friendly_name_length); /* opaque (N-42) */
  return pn_reader_ok(r);
}

/* MS-PNRP 2.2.3.1.1 */
static bool read_services(pn_reader_t *r, pn_cpa_t *cpa) {
  cpa->service_count = pn_read_le16(r);
  uint32_t width = pn_read_le16(r);
  if (cpa->service_count > PN_LIMIT_SERVICE_ADDRESSES ||
      (cpa->service_count == 0 && !has(cpa, PN_CPA_FLAG_R)))
    return pn_reader_fail(r, PN_ERR_BAD_COUNT, r->at - 4);
  if (width != PN_LENGTH_IPV6_ENDPOINT)
    return pn_reader_fail(r, PN_ERR_BAD_LENGTH, r->at - 2);
  cpa->services = pn_read_span(r, cpa->service_count * PN_LENGTH_IPV6_ENDPOINT);
  return pn_reader_ok(r);
}

/* MS-PNRP 2.2.3.1.2; the only type there is holds 1 to 10 IPV6_APP_ENDPOINTs. */
static bool read_payload(pn_reader_t *r, pn_cpa_t *cpa) {
  uint32_t start = r->at;
  uint32_t payloads = pn_read_le16(r);
  uint32_t total = pn_read_le16(r);
  if (payloads > PN_LIMIT_CPA_PAYLOADS)
    return pn_reader_fail(r, PN_ERR_BAD_COUNT, start);
  if (payloads == 0)
    return total == 4 ? pn_reader_ok(r) : pn_reader_fail(r, PN_ERR_BAD_LENGTH, start + 2);
  uint32_t type = pn_read_le32(r);
  uint32_t length = pn_read_le16(r);
  cpa->app_count = length / PN_LENGTH_APP_ENDPOINT;
  if (type != PN_PAYLOAD_TYPE_APP_ENDPOINTS)
    return pn_reader_fail(r, PN_ERR_BAD_PAYLOAD, start + 4);
  if (length % PN_LENGTH_APP_ENDPOINT != 0 || cpa->app_count < 1 ||
      cpa->app_count > PN_LIMIT_APP_ENDPOINTS)
    return pn_reader_fail(r, PN_ERR_BAD_PAYLOAD, start + 8);
  if (total != 4 + PN_LENGTH_PAYLOAD_FIXED + length)
    return pn_reader_fail(r, PN_ERR_BAD_LENGTH, start + 2);
  cpa->apps = pn_read_span(r, length);
  return pn_reader_ok(r);
}

static bool decode_with(pn_reader_t *r, uint32_t revoke_nonce, uint32_t kind, pn_cpa_t *cpa) {
  uint32_t start = r->at;
  if (!read_fixed(r, kind, cpa) || !read_nonce(r, revoke_nonce, cpa) || !read_name(r, cpa) ||
      !read_services(r, cpa) || !read_payload(r, cpa) || !pn_public_key_decode(r, &cpa->public_key))
    return false;
  cpa->signed_length = r->at - start;
  if (!pn_signature_decode(r, &cpa->signature))
    return false;
  if (pn_reader_left(r) != 0)
    return pn_reader_fail(r, PN_ERR_BAD_LENGTH, r->at);
  /* Last, so that a CPA without the nonce is not taken for one with a nonce that is not zero. */
  if (has(cpa, PN_CPA_FLAG_R) && cpa->revoke_nonce == PN_REVOKE_NONCE_PRESENT &&
      !pn_reader_is_zero(r, cpa->nonce, PN_LENGTH_NONCE_VALUE))
    return pn_reader_fail(r, PN_ERR_BAD_NONCE, cpa->nonce);
  return true;
}

static void decode(pn_bytes_t source, uint32_t start, uint32_t length, uint32_t revoke_nonce,
                   uint32_t kind, pn_cpa_t *out) {
  pn_reader_t r = pn_reader_over(source, start, length);
  memset(out, 0, sizeof *out);
  decode_with(&r, revoke_nonce, kind, out);
  out->code = r.code;
  out->at = r.code == PN_OK ? 0 : r.failed_at - start;
}

pn_err_t pn_cpa_decode(pn_bytes_t source, uint32_t start, uint32_t length, uint32_t revoke_nonce,
                       uint32_t kind, pn_cpa_t *out) {
  bool only_absent = revoke_nonce == PN_REVOKE_NONCE_ABSENT;
  decode(source, start, length, only_absent ? PN_REVOKE_NONCE_ABSENT : PN_REVOKE_NONCE_PRESENT,
         kind, out);
  bool may_retry = revoke_nonce == PN_REVOKE_NONCE_AUTO && has(out, PN_CPA_FLAG_R) &&
                   out->code != PN_OK && out->code != PN_ERR_BAD_NONCE;
  if (may_retry) {
    pn_cpa_t without;
    decode(source, start, length, PN_REVOKE_NONCE_ABSENT, kind, &without);
    if (without.code == PN_OK)
      *out = without;
  }
  return (pn_err_t)out->code;
}
