/* The low-level RSA and hash calls are deprecated in OpenSSL 3, and exactly what is wanted here:
 * they do raw arithmetic, and no provider or policy of the host stands between (N-63). */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "crypto/crypto.h"

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/md5.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>

#include "core/pkcs1.h"

static RSA *rsa_of(pn_rsa_key_t *key) { return (RSA *)(void *)key; }
static pn_rsa_key_t *key_of(RSA *rsa) { return (pn_rsa_key_t *)(void *)rsa; }

/* MS-PPGRH names records and ranges by MD5; nothing here is protected by it. */
static void openssl_md5(const uint8_t *data, size_t length, uint8_t out[PN_MD5_LENGTH]) {
  MD5_CTX context;
  MD5_Init(&context);
  MD5_Update(&context, data, length);
  MD5_Final(out, &context);
}

static void openssl_sha1(const uint8_t *data, size_t length, uint8_t out[PN_SHA1_LENGTH]) {
  SHA_CTX context;
  SHA1_Init(&context);
  SHA1_Update(&context, data, length);
  SHA1_Final(out, &context);
}

static void openssl_sha256(const uint8_t *data, size_t length, uint8_t out[PN_SHA256_LENGTH]) {
  SHA256_CTX context;
  SHA256_Init(&context);
  SHA256_Update(&context, data, length);
  SHA256_Final(out, &context);
}

static int openssl_rsa_public(pn_rsa_key_t *key, const uint8_t in[PN_RSA_LENGTH],
                              uint8_t out[PN_RSA_LENGTH]) {
  /* The error queue of the thread belongs to node: leave it as it was. */
  ERR_set_mark();
  const int n = RSA_public_decrypt((int)PN_RSA_LENGTH, in, out, rsa_of(key), RSA_NO_PADDING);
  ERR_pop_to_mark();
  return n == (int)PN_RSA_LENGTH;
}

static int openssl_rsa_private(pn_rsa_key_t *key, const uint8_t in[PN_RSA_LENGTH],
                               uint8_t out[PN_RSA_LENGTH]) {
  ERR_set_mark();
  /* Blinded: the default of an RSA object unless RSA_FLAG_NO_BLINDING is set. */
  const int n = RSA_private_encrypt((int)PN_RSA_LENGTH, in, out, rsa_of(key), RSA_NO_PADDING);
  ERR_pop_to_mark();
  return n == (int)PN_RSA_LENGTH;
}

const pn_crypto_t *pn_crypto_openssl(void) {
  static const pn_crypto_t table = {openssl_md5, openssl_sha1, openssl_sha256,
                                    openssl_rsa_public, openssl_rsa_private};
  return &table;
}

pn_rsa_key_t *pn_openssl_public_key(const uint8_t der[PN_RSA_PUBLIC_DER_LENGTH]) {
  const uint8_t *modulus = pn_rsa_public_modulus(der);
  if (modulus == NULL)
    return NULL;
  ERR_set_mark();
  RSA *rsa = RSA_new();
  BIGNUM *n = BN_bin2bn(modulus, (int)PN_RSA_LENGTH, NULL);
  BIGNUM *e = BN_new();
  if (rsa == NULL || n == NULL || e == NULL || !BN_set_word(e, RSA_F4) ||
      !RSA_set0_key(rsa, n, e, NULL)) {
    BN_free(n);
    BN_free(e);
    RSA_free(rsa);
    rsa = NULL;
  }
  ERR_pop_to_mark();
  return rsa == NULL ? NULL : key_of(rsa);
}

pn_rsa_key_t *pn_openssl_private_key(const uint8_t *der, size_t length) {
  const unsigned char *at = der;
  if (length > 4096)
    return NULL;
  ERR_set_mark();
  RSA *rsa = d2i_RSAPrivateKey(NULL, &at, (long)length);
  if (rsa != NULL) {
    const BIGNUM *e = NULL;
    RSA_get0_key(rsa, NULL, &e, NULL);
    /* RSA_check_key also proves that both factors are prime. */
    if (at != der + length || RSA_bits(rsa) != 1024 || !BN_is_word(e, RSA_F4) ||
        RSA_check_key(rsa) != 1) {
      RSA_free(rsa);
      rsa = NULL;
    }
  }
  ERR_pop_to_mark();
  return rsa == NULL ? NULL : key_of(rsa);
}

pn_rsa_key_t *pn_openssl_key_hold(pn_rsa_key_t *key) {
  RSA_up_ref(rsa_of(key));
  return key;
}

void pn_openssl_key_release(pn_rsa_key_t *key) { RSA_free(rsa_of(key)); }
