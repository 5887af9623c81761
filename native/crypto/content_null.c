#include "crypto/content_crypto.h"

#include <string.h>

/* FNV-1a, stretched to the length asked for. */
static void null_sha2(pn_sha2_t algorithm, const uint8_t *data, size_t length, uint8_t *out) {
  uint64_t state = 0xcbf29ce484222325u + (uint64_t)algorithm;
  for (size_t i = 0; i < length; i++)
    state = (state ^ data[i]) * 0x100000001b3u;
  for (size_t i = 0; i < pn_sha2_length(algorithm); i++) {
    state = (state ^ (uint8_t)i) * 0x100000001b3u;
    out[i] = (uint8_t)(state >> 56);
  }
}

static void null_sha2_many(pn_sha2_t algorithm, const pn_message_t *messages, size_t count,
                           uint8_t *out, size_t stride) {
  for (size_t i = 0; i < count; i++)
    null_sha2(algorithm, messages[i].data, messages[i].length, out + i * stride);
}

static int null_aes_cbc(bool encrypt, const uint8_t *key, size_t key_length,
                        const uint8_t iv[PN_AES_BLOCK], const uint8_t *in, size_t length,
                        uint8_t *out) {
  (void)encrypt, (void)key, (void)key_length, (void)iv;
  memmove(out, in, length);
  return 1;
}

static int null_aes_cbc_many(size_t key_length, const pn_cbc_t *messages, size_t count) {
  (void)key_length;
  for (size_t i = 0; i < count; i++)
    memmove(messages[i].out, messages[i].in, messages[i].blocks * PN_AES_BLOCK);
  return 1;
}

const pn_content_crypto_t *pn_content_crypto_null(void) {
  static const pn_content_crypto_t table = {null_sha2, null_sha2_many, null_aes_cbc,
                                            null_aes_cbc_many};
  return &table;
}
