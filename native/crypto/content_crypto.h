/* Providers of core/content_crypto.h. */
#ifndef PN_CONTENT_CRYPTO_PROVIDERS_H
#define PN_CONTENT_CRYPTO_PROVIDERS_H

#include "core/content_crypto.h"

#ifdef __cplusplus
extern "C" {
#endif

/* OpenSSL inside the node binary; several messages at once go through the processor's lanes where
 * it has them (sha2_lanes.h). */
const pn_content_crypto_t *pn_content_crypto_openssl(void);

/* The same without lanes: what they are tested against. */
const pn_content_crypto_t *pn_content_crypto_plain(void);

/* FIPS 180-4 known answers through the lanes; NULL when all is well, else what failed. */
const char *pn_content_crypto_self_test(void);

/* No cryptography: for fuzzers and C tests. */
const pn_content_crypto_t *pn_content_crypto_null(void);

#ifdef __cplusplus
}
#endif

#endif
