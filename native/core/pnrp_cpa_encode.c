#include "core/pnrp_cpa.h"

static bool has(const pn_cpa_t *cpa, uint32_t flag) {
  return (cpa->flags & flag) != 0;
}

static bool has_nonce(const pn_cpa_t *cpa) {
  return !has(cpa, PN_CPA_FLAG_R) || cpa->revoke_nonce != PN_REVOKE_NONCE_ABSENT;
}

pn_err_t pn_cpa_check(const pn_cpa_t *cpa) {
  if (!has(cpa, PN_CPA_FLAG_A) && !has(cpa, PN_CPA_FLAG_C))
    return PN_ERR_BAD_FLAGS;
  if (has(cpa, PN_CPA_FLAG_U) && !has(cpa, PN_CPA_FLAG_F))
    return PN_ERR_BAD_FLAGS;
  if (has(cpa, PN_CPA_FLAG_F) &&
      (cpa->friendly_name_length < 1 || cpa->friendly_name_length > PN_LIMIT_FRIENDLY_NAME))
    return PN_ERR_BAD_COUNT;
  if (cpa->service_count > PN_LIMIT_SERVICE_ADDRESSES ||
      (cpa->service_count == 0 && !has(cpa, PN_CPA_FLAG_R)))
    return PN_ERR_BAD_COUNT;
  if (cpa->app_count > PN_LIMIT_APP_ENDPOINTS)
    return PN_ERR_BAD_COUNT;
  return PN_OK;
}

static uint32_t payload_length(const pn_cpa_t *cpa) {
  return cpa->app_count == 0 ? 0
                             : PN_LENGTH_PAYLOAD_FIXED + cpa->app_count * PN_LENGTH_APP_ENDPOINT;
}

uint32_t pn_cpa_length(const pn_cpa_t *cpa) {
  uint32_t length = PN_LENGTH_CPA_FIXED;
  if (!has_nonce(cpa))
    length -= PN_LENGTH_NONCE_VALUE;
  if (has(cpa, PN_CPA_FLAG_A))
    length += PN_LENGTH_BINARY_AUTHORITY;
  if (has(cpa, PN_CPA_FLAG_C))
    length += PN_LENGTH_CLASSIFIER_HASH;
  if (has(cpa, PN_CPA_FLAG_F))
    length += 2 + cpa->friendly_name_length;
  length += 4 + cpa->service_count * PN_LENGTH_IPV6_ENDPOINT;
  length += 4 + payload_length(cpa);
  return length + PN_LENGTH_CPA_PUBLIC_KEY + PN_LENGTH_SIGNATURE;
}

static void write_fixed(pn_writer_t *w, const pn_cpa_t *cpa, pn_bytes_t source) {
  pn_write_le16(w, pn_cpa_length(cpa));
  pn_write_u8(w, PN_VALUE_CPA_MINOR);
  pn_write_u8(w, PN_VALUE_CPA_MAJOR);
  pn_write_u8(w, PN_VALUE_CPA_PNRP_MINOR);
  pn_write_u8(w, PN_VALUE_CPA_PNRP_MAJOR);
  pn_write_u8(w, cpa->flags & (PN_CPA_FLAG_X | PN_CPA_FLAG_F | PN_CPA_FLAG_C | PN_CPA_FLAG_A |
                               PN_CPA_FLAG_U | PN_CPA_FLAG_R));
  pn_write_u8(w, 0);
  pn_write_le32(w, cpa->not_after_low);
  pn_write_le32(w, cpa->not_after_high);
  pn_write_span(w, source, cpa->service_location, PN_LENGTH_SERVICE_LOCATION);
  if (!has_nonce(cpa))
    return;
  if (has(cpa, PN_CPA_FLAG_R))
    pn_write_zeros(w, PN_LENGTH_NONCE_VALUE);
  else
    pn_write_span(w, source, cpa->nonce, PN_LENGTH_NONCE_VALUE);
}

static void write_variable(pn_writer_t *w, const pn_cpa_t *cpa, pn_bytes_t source) {
  if (has(cpa, PN_CPA_FLAG_A))
    pn_write_span(w, source, cpa->authority, PN_LENGTH_BINARY_AUTHORITY);
  if (has(cpa, PN_CPA_FLAG_C))
    pn_write_span(w, source, cpa->classifier_hash, PN_LENGTH_CLASSIFIER_HASH);
  if (has(cpa, PN_CPA_FLAG_F)) {
    pn_write_le16(w, cpa->friendly_name_length);
    pn_write_span(w, source, cpa->friendly_name, cpa->friendly_name_length);
  }
  pn_write_le16(w, cpa->service_count);
  pn_write_le16(w, PN_LENGTH_IPV6_ENDPOINT);
  pn_write_span(w, source, cpa->services, cpa->service_count * PN_LENGTH_IPV6_ENDPOINT);
  pn_write_le16(w, cpa->app_count > 0 ? 1 : 0);
  pn_write_le16(w, 4 + payload_length(cpa));
  if (cpa->app_count > 0) {
    uint32_t data_length = cpa->app_count * PN_LENGTH_APP_ENDPOINT;
    pn_write_le32(w, PN_PAYLOAD_TYPE_APP_ENDPOINTS);
    pn_write_le16(w, data_length);
    pn_write_span(w, source, cpa->apps, data_length);
  }
  pn_public_key_encode(w, cpa->public_key, source);
}

pn_err_t pn_cpa_encode(const pn_cpa_t *cpa, bool with_signature, pn_bytes_t source,
                       pn_writer_t *w) {
  pn_err_t code = pn_cpa_check(cpa);
  if (code != PN_OK)
    return code;
  uint32_t length = pn_cpa_length(cpa) - (with_signature ? 0 : PN_LENGTH_SIGNATURE);
  if (length > w->size - w->at)
    return PN_ERR_NO_BUFFER;
  write_fixed(w, cpa, source);
  write_variable(w, cpa, source);
  if (with_signature)
    pn_signature_encode(w, cpa->signature, source);
  return (pn_err_t)w->code;
}
