/* Encoded CPAs, in every reading of the revoke nonce (N-29) and every kind. */
#include "support/codec.h"

static uint32_t encode(const pn_cpa_t *cpa, pn_bytes_t source, uint8_t *out) {
  pn_writer_t w = {out, PN_LIMIT_CPA_MAXIMUM, 0, PN_OK};
  PN_ASSERT(pn_cpa_encode(cpa, true, source, &w) == PN_OK);
  PN_ASSERT(w.at == pn_cpa_length(cpa));
  return w.at;
}

static void check(pn_bytes_t source, uint32_t revoke_nonce, const pn_cpa_t *decoded) {
  static uint8_t first[PN_LIMIT_CPA_MAXIMUM], second[PN_LIMIT_CPA_MAXIMUM];
  pn_cpa_t cpa = *decoded;
  fuzz_read_cpa(source, &cpa);
  uint32_t length = encode(&cpa, source, first);
  PN_ASSERT(length == source.size);
  pn_bytes_t again = {first, length};
  PN_ASSERT(pn_cpa_decode(again, 0, length, revoke_nonce, PN_CPA_ANY, &cpa) == PN_OK);
  fuzz_read_cpa(again, &cpa);
  PN_ASSERT(encode(&cpa, again, second) == length);
  PN_ASSERT(memcmp(first, second, length) == 0);
  pn_writer_t w = {second, sizeof second, 0, PN_OK};
  PN_ASSERT(pn_cpa_encode(&cpa, false, again, &w) == PN_OK);
  PN_ASSERT(w.at == cpa.signed_length && memcmp(first, second, w.at) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  pn_bytes_t source = fuzz_bytes(data, size);
  for (uint32_t nonce = PN_REVOKE_NONCE_PRESENT; nonce <= PN_REVOKE_NONCE_AUTO; nonce++) {
    for (uint32_t kind = PN_CPA_ANY; kind <= PN_CPA_REVOKE; kind++) {
      pn_cpa_t cpa;
      pn_err_t code = pn_cpa_decode(source, 0, source.size, nonce, kind, &cpa);
      PN_ASSERT(code < PN_ERR_COUNT && cpa.at <= size);
      if (code == PN_OK)
        check(source, nonce, &cpa);
    }
  }
  return 0;
}
