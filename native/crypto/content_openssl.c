/* SHA-2 through the low-level calls, as in crypto_openssl.c: no policy of the host stands between.
 * AES goes through EVP, the only door to the processor's AES instructions. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "crypto/content_crypto.h"

#include <limits.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include "crypto/sha2_lanes.h"

static void openssl_sha2(pn_sha2_t algorithm, const uint8_t *data, size_t length, uint8_t *out) {
  if (algorithm == PN_SHA2_256) {
    SHA256_CTX context;
    SHA256_Init(&context);
    SHA256_Update(&context, data, length);
    SHA256_Final(out, &context);
    return;
  }
  SHA512_CTX context;
  if (algorithm == PN_SHA2_384) {
    SHA384_Init(&context);
    SHA384_Update(&context, data, length);
    SHA384_Final(out, &context);
  } else {
    SHA512_Init(&context);
    SHA512_Update(&context, data, length);
    SHA512_Final(out, &context);
  }
}

static void one_by_one(pn_sha2_t algorithm, const pn_message_t *messages, size_t count,
                       uint8_t *out, size_t stride) {
  for (size_t i = 0; i < count; i++)
    openssl_sha2(algorithm, messages[i].data, messages[i].length, out + i * stride);
}

static void openssl_sha2_many(pn_sha2_t algorithm, const pn_message_t *messages, size_t count,
                              uint8_t *out, size_t stride) {
  if (count > 1 && pn_lanes_have(algorithm))
    pn_lanes_sha2_many(algorithm, messages, count, out, stride);
  else
    one_by_one(algorithm, messages, count, out, stride);
}

static const EVP_CIPHER *cipher_of(size_t key_length) {
  switch (key_length) {
  case 16:
    return EVP_aes_128_cbc();
  case 24:
    return EVP_aes_192_cbc();
  case 32:
    return EVP_aes_256_cbc();
  default:
    return NULL;
  }
}

static int openssl_aes_cbc(bool encrypt, const uint8_t *key, size_t key_length,
                           const uint8_t iv[PN_AES_BLOCK], const uint8_t *in, size_t length,
                           uint8_t *out) {
  const EVP_CIPHER *cipher = cipher_of(key_length);
  if (cipher == NULL || length % PN_AES_BLOCK != 0 || length > INT_MAX)
    return 0;
  ERR_set_mark();
  EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
  int written = 0;
  const int done =
      context != NULL && EVP_CipherInit_ex(context, cipher, NULL, key, iv, encrypt ? 1 : 0) == 1 &&
      EVP_CIPHER_CTX_set_padding(context, 0) == 1 &&
      EVP_CipherUpdate(context, out, &written, in, (int)length) == 1 && (size_t)written == length;
  EVP_CIPHER_CTX_free(context);
  ERR_pop_to_mark();
  return done;
}

const pn_content_crypto_t *pn_content_crypto_openssl(void) {
  static const pn_content_crypto_t table = {openssl_sha2, openssl_sha2_many, openssl_aes_cbc};
  return &table;
}

const pn_content_crypto_t *pn_content_crypto_plain(void) {
  static const pn_content_crypto_t table = {openssl_sha2, one_by_one, openssl_aes_cbc};
  return &table;
}

/* Messages of many lengths through the lanes and one by one. */
const char *pn_content_crypto_self_test(void) {
  static const size_t lengths[] = {0, 1, 55, 56, 63, 64, 111, 112, 127, 128, 129, 300, 0, 511};
  enum { count = sizeof lengths / sizeof lengths[0] };
  uint8_t bytes[512], here[count][PN_SHA2_LENGTH_MAX], there[count][PN_SHA2_LENGTH_MAX];
  pn_message_t messages[count];
  for (size_t i = 0; i < sizeof bytes; i++)
    bytes[i] = (uint8_t)(i * 167 + 13);
  for (size_t i = 0; i < count; i++)
    messages[i] = (pn_message_t){bytes + i % 2, lengths[i]};
  for (int algorithm = 0; algorithm < PN_SHA2_COUNT; algorithm++) {
    memset(here, 0, sizeof here);
    memset(there, 0, sizeof there);
    openssl_sha2_many((pn_sha2_t)algorithm, messages, count, here[0], sizeof here[0]);
    one_by_one((pn_sha2_t)algorithm, messages, count, there[0], sizeof there[0]);
    if (memcmp(here, there, sizeof here) != 0)
      return "hashing several messages at once gives a wrong answer";
  }
  return NULL;
}
