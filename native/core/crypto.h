/* What the core needs of a cryptographic library, as a table of function pointers. The addon fills
 * it with the OpenSSL inside the node binary (crypto/crypto_openssl.c), fuzzers and C tests with
 * crypto/crypto_null.c. */
#ifndef PN_CRYPTO_H
#define PN_CRYPTO_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PN_MD5_LENGTH 16u
#define PN_SHA1_LENGTH 20u
#define PN_SHA256_LENGTH 32u
/* MS-PNRP 2.2.3.1.4: the one legal key has a modulus of 1024 bits. */
#define PN_RSA_LENGTH 128u
/* MS-PNRP 2.2.3.1.4: DER RSAPublicKey of such a key with exponent 65537. */
#define PN_RSA_PUBLIC_DER_LENGTH 140u

/* A parsed key; only its provider looks inside. */
typedef struct pn_rsa_key pn_rsa_key_t;

typedef struct pn_crypto {
  void (*md5)(const uint8_t *data, size_t length, uint8_t out[PN_MD5_LENGTH]);
  void (*sha1)(const uint8_t *data, size_t length, uint8_t out[PN_SHA1_LENGTH]);
  void (*sha256)(const uint8_t *data, size_t length, uint8_t out[PN_SHA256_LENGTH]);
  /* Raw RSA, no padding: out = in^e mod n and in^d mod n, big-endian. 1 = done, 0 = impossible
   * (the value is not below the modulus, the key is nonsense, memory ran out). Any thread. */
  int (*rsa_public)(pn_rsa_key_t *key, const uint8_t in[PN_RSA_LENGTH],
                    uint8_t out[PN_RSA_LENGTH]);
  int (*rsa_private)(pn_rsa_key_t *key, const uint8_t in[PN_RSA_LENGTH],
                     uint8_t out[PN_RSA_LENGTH]);
} pn_crypto_t;

#ifdef __cplusplus
}
#endif

#endif
