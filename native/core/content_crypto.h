/* What the content codecs and the content hasher need of a cryptographic library: a second table
 * beside crypto.h's, filled by crypto/content_openssl.c or, for C tests, crypto/content_null.c. */
#ifndef PN_CONTENT_CRYPTO_H
#define PN_CONTENT_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* MS-PCCRC 2.3 dwHashAlgo minus 0x800C. */
typedef enum { PN_SHA2_256 = 0, PN_SHA2_384 = 1, PN_SHA2_512 = 2, PN_SHA2_COUNT } pn_sha2_t;

#define PN_SHA2_LENGTH_MAX 64u
/* Input block of SHA-384 and SHA-512, the longest. */
#define PN_SHA2_BLOCK_MAX 128u
#define PN_AES_BLOCK 16u

/* One of several messages that are hashed together. */
typedef struct {
  const uint8_t *data;
  size_t length;
} pn_message_t;

/* One of several messages that are encrypted together, each of so many whole blocks. `out` may be
 * `in`. */
typedef struct {
  const uint8_t *key;
  const uint8_t *iv;
  const uint8_t *in;
  uint8_t *out;
  size_t blocks;
} pn_cbc_t;

typedef struct pn_content_crypto {
  void (*sha2)(pn_sha2_t algorithm, const uint8_t *data, size_t length, uint8_t *out);
  /* Digest i goes to out + i * stride. Any thread. */
  void (*sha2_many)(pn_sha2_t algorithm, const pn_message_t *messages, size_t count, uint8_t *out,
                    size_t stride);
  /* CBC without padding: length is a multiple of 16, a key has 16, 24 or 32 bytes. `out` may be
   * `in`. 1 = done, 0 = impossible. Any thread. */
  int (*aes_cbc)(bool encrypt, const uint8_t *key, size_t key_length,
                 const uint8_t iv[PN_AES_BLOCK], const uint8_t *in, size_t length, uint8_t *out);
  /* Encrypts messages under keys of one length. 1 = done, 0 = impossible. Any thread. */
  int (*aes_cbc_many)(size_t key_length, const pn_cbc_t *messages, size_t count);
} pn_content_crypto_t;

static inline uint32_t pn_sha2_length(pn_sha2_t algorithm) {
  return 32u + 16u * (uint32_t)algorithm;
}

static inline uint32_t pn_sha2_block(pn_sha2_t algorithm) {
  return algorithm == PN_SHA2_256 ? 64u : 128u;
}

#ifdef __cplusplus
}
#endif

#endif
