#include "crypto/crypto.h"

#include <string.h>

/* FNV-1a, stretched to the length asked for. */
static void mix(const uint8_t *data, size_t length, uint8_t *out, size_t out_length) {
  uint64_t state = 0xcbf29ce484222325u;
  for (size_t i = 0; i < length; i++)
    state = (state ^ data[i]) * 0x100000001b3u;
  for (size_t i = 0; i < out_length; i++) {
    state = (state ^ (uint8_t)i) * 0x100000001b3u;
    out[i] = (uint8_t)(state >> 56);
  }
}

static void null_md5(const uint8_t *data, size_t length, uint8_t out[PN_MD5_LENGTH]) {
  mix(data, length, out, PN_MD5_LENGTH);
}

static void null_sha1(const uint8_t *data, size_t length, uint8_t out[PN_SHA1_LENGTH]) {
  mix(data, length, out, PN_SHA1_LENGTH);
}

static void null_sha256(const uint8_t *data, size_t length, uint8_t out[PN_SHA256_LENGTH]) {
  mix(data, length, out, PN_SHA256_LENGTH);
}

/* "RSA" whose both halves are the identity. */
static int null_rsa(pn_rsa_key_t *key, const uint8_t in[PN_RSA_LENGTH],
                    uint8_t out[PN_RSA_LENGTH]) {
  (void)key;
  memcpy(out, in, PN_RSA_LENGTH);
  return 1;
}

const pn_crypto_t *pn_crypto_null(void) {
  static const pn_crypto_t table = {null_md5, null_sha1, null_sha256, null_rsa, null_rsa};
  return &table;
}
