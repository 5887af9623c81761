/* SHA-2 through the low-level calls, as in crypto_openssl.c: no policy of the host stands between.
 * AES goes through EVP, the only door to the processor's AES instructions. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "crypto/content_crypto.h"

#include <limits.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include "crypto/aes_lanes.h"
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
  const pn_lanes_t lanes = pn_lanes_best(algorithm, count);
  if (lanes != 0)
    pn_lanes_sha2_many(lanes, algorithm, messages, count, out, stride);
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

static int cbc_one_by_one(size_t key_length, const pn_cbc_t *messages, size_t count) {
  int done = 1;
  for (size_t i = 0; i < count; i++) {
    const pn_cbc_t *one = &messages[i];
    done &= openssl_aes_cbc(true, one->key, key_length, one->iv, one->in,
                            one->blocks * PN_AES_BLOCK, one->out);
  }
  return done;
}

/* From so many messages on, lanes of which some are idle beat one message at a time. */
#define WORTH_AES 2u

static int openssl_aes_cbc_many(size_t key_length, const pn_cbc_t *messages, size_t count) {
  if (count < WORTH_AES || cipher_of(key_length) == NULL || !pn_aes_lanes_have())
    return cbc_one_by_one(key_length, messages, count);
  pn_aes_lanes_cbc(key_length, messages, count);
  return 1;
}

const pn_content_crypto_t *pn_content_crypto_openssl(void) {
  static const pn_content_crypto_t table = {openssl_sha2, openssl_sha2_many, openssl_aes_cbc,
                                            openssl_aes_cbc_many};
  return &table;
}

const pn_content_crypto_t *pn_content_crypto_plain(void) {
  static const pn_content_crypto_t table = {openssl_sha2, one_by_one, openssl_aes_cbc,
                                            cbc_one_by_one};
  return &table;
}

enum { kMessages = 41 };

/* Messages of many lengths through the lanes and one by one. */
static bool lanes_agree(pn_lanes_t lanes, pn_sha2_t algorithm, const pn_message_t *messages,
                        uint8_t there[kMessages][PN_SHA2_LENGTH_MAX]) {
  uint8_t here[kMessages][PN_SHA2_LENGTH_MAX];
  for (size_t count = 1; count <= kMessages; count += 5) {
    memset(here, 0, sizeof here);
    pn_lanes_sha2_many(lanes, algorithm, messages, count, here[0], sizeof here[0]);
    for (size_t i = 0; i < count; i++)
      if (memcmp(here[i], there[i], pn_sha2_length(algorithm)) != 0)
        return false;
  }
  return true;
}

/* Messages of many lengths, in place and not, under keys of each length. */
static bool aes_lanes_agree(const uint8_t *bytes) {
  enum { kCount = 19, kBlocks = 24 };
  uint8_t here[kCount][kBlocks * PN_AES_BLOCK], there[kCount][kBlocks * PN_AES_BLOCK];
  pn_cbc_t ours[kCount], theirs[kCount];
  for (size_t key_length = 16; key_length <= 32; key_length += 8) {
    for (size_t i = 0; i < kCount; i++) {
      memcpy(here[i], bytes + i, sizeof here[i]);
      const uint8_t *in = i % 2 == 0 ? here[i] : bytes + i;
      ours[i] = (pn_cbc_t){bytes + 5 * i, bytes + 3 * i, in, here[i], i * 7 % kBlocks};
      theirs[i] = ours[i];
      theirs[i].in = bytes + i;
      theirs[i].out = there[i];
    }
    if (cbc_one_by_one(key_length, theirs, kCount) != 1)
      return false;
    pn_aes_lanes_cbc(key_length, ours, kCount);
    for (size_t i = 0; i < kCount; i++)
      if (memcmp(here[i], there[i], ours[i].blocks * PN_AES_BLOCK) != 0)
        return false;
  }
  return true;
}

const char *pn_content_crypto_self_test(void) {
  static const size_t lengths[] = {0, 1, 55, 56, 63, 64, 111, 112, 127, 128, 129, 300, 511};
  uint8_t bytes[512], there[kMessages][PN_SHA2_LENGTH_MAX];
  pn_message_t messages[kMessages];
  for (size_t i = 0; i < sizeof bytes; i++)
    bytes[i] = (uint8_t)(i * 167 + 13);
  for (size_t i = 0; i < kMessages; i++)
    messages[i] = (pn_message_t){bytes + i % 2, lengths[i % (sizeof lengths / sizeof lengths[0])]};
  for (int number = 0; number < PN_SHA2_COUNT; number++) {
    const pn_sha2_t algorithm = (pn_sha2_t)number;
    one_by_one(algorithm, messages, kMessages, there[0], sizeof there[0]);
    for (int lanes = PN_LANES_FEW; lanes <= PN_LANES_MANY; lanes++)
      if (pn_lanes_have((pn_lanes_t)lanes, algorithm) &&
          !lanes_agree((pn_lanes_t)lanes, algorithm, messages, there))
        return "hashing several messages at once gives a wrong answer";
  }
  if (pn_aes_lanes_have() && !aes_lanes_agree(bytes))
    return "encrypting several messages at once gives a wrong answer";
  return NULL;
}
