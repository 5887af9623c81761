/* The providers of the core's crypto table. */
#ifndef PN_CRYPTO_PROVIDERS_H
#define PN_CRYPTO_PROVIDERS_H

#include "core/crypto.h"

#ifdef __cplusplus
extern "C" {
#endif

/* OpenSSL, as found inside the node binary. */
const pn_crypto_t *pn_crypto_openssl(void);

/* Keys of that provider. A key is reference counted and may be used by several threads at once.
 * NULL when the bytes are not a key of the kind in MS-PNRP 2.2.3.1.4, or memory ran out. */
pn_rsa_key_t *pn_openssl_public_key(const uint8_t der[PN_RSA_PUBLIC_DER_LENGTH]);
/* `der` is a PKCS #1 RSAPrivateKey; it is checked to be a consistent 1024-bit key. */
pn_rsa_key_t *pn_openssl_private_key(const uint8_t *der, size_t length);
pn_rsa_key_t *pn_openssl_key_hold(pn_rsa_key_t *key);
void pn_openssl_key_release(pn_rsa_key_t *key);

/* N-63: signs and verifies known answers. NULL when all is well, else what failed. */
const char *pn_openssl_self_test(void);

/* No cryptography at all: deterministic, fast, trivially forged. For fuzzers and C tests only. */
const pn_crypto_t *pn_crypto_null(void);

#ifdef __cplusplus
}
#endif

#endif
