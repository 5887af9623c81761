/* RSASSA-PKCS1-v1_5 with SHA-1 and 1024-bit keys over raw RSA (MS-PNRP 3.1.5.9, 3.2.5.9; RFC 8017
 * 8.2). The padding and its comparison are here and not in the library, so that no security policy
 * of the host can refuse SHA-1 or short keys (N-63). */
#ifndef PN_PKCS1_H
#define PN_PKCS1_H

#include "core/crypto.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Byte order in which a signature was found valid (N-43). */
typedef enum pn_signature_order {
  PN_SIGNATURE_BAD = 0,
  PN_SIGNATURE_SPEC = 1, /* RFC 8017: most significant byte first */
  PN_SIGNATURE_CAPI = 2, /* CryptoAPI: least significant byte first */
} pn_signature_order_t;

/* EMSA-PKCS1-v1_5 of a SHA-1 hash: 00 01 FF.. 00 DigestInfo. */
void pn_pkcs1_encode_sha1(const uint8_t digest[PN_SHA1_LENGTH], uint8_t out[PN_RSA_LENGTH]);

/* Signs the SHA-1 of `data` and writes the signature in the asked order. 1 = done, 0 = the key
 * cannot sign. `rsa_private` must check its own result with the public exponent, as OpenSSL does:
 * one faulty signature gives the key away. */
int pn_pkcs1_sign_sha1(const pn_crypto_t *crypto, pn_rsa_key_t *key, const uint8_t *data,
                       size_t length, pn_signature_order_t order, uint8_t out[PN_RSA_LENGTH]);

/* Tries the signature as it is, then reversed (N-43). Constant-time comparison is not needed:
 * everything here is public. */
pn_signature_order_t pn_pkcs1_verify_sha1(const pn_crypto_t *crypto, pn_rsa_key_t *key,
                                          const uint8_t *data, size_t length,
                                          const uint8_t signature[PN_RSA_LENGTH]);

/* The modulus inside the only legal RSAPublicKey (MS-PNRP 2.2.3.1.4), or NULL when `der` is
 * anything else: 30 81 89 02 81 81 00 n(128, top bit set, odd) 02 03 01 00 01. */
const uint8_t *pn_rsa_public_modulus(const uint8_t der[PN_RSA_PUBLIC_DER_LENGTH]);

#ifdef __cplusplus
}
#endif

#endif
