#include "core/pkcs1.h"

#include <string.h>

#include "core/assert.h"

/* RFC 8017 9.2 note 1: DigestInfo of SHA-1 up to the hash. */
static const uint8_t sha1_prefix[15] = {0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e,
                                        0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14};

static const uint8_t public_key_head[7] = {0x30, 0x81, 0x89, 0x02, 0x81, 0x81, 0x00};
static const uint8_t public_key_tail[5] = {0x02, 0x03, 0x01, 0x00, 0x01};

static void reverse(const uint8_t in[PN_RSA_LENGTH], uint8_t out[PN_RSA_LENGTH]) {
  for (size_t i = 0; i < PN_RSA_LENGTH; i++)
    out[i] = in[PN_RSA_LENGTH - 1 - i];
}

void pn_pkcs1_encode_sha1(const uint8_t digest[PN_SHA1_LENGTH], uint8_t out[PN_RSA_LENGTH]) {
  const size_t tail = sizeof sha1_prefix + PN_SHA1_LENGTH;
  out[0] = 0x00;
  out[1] = 0x01;
  memset(out + 2, 0xff, PN_RSA_LENGTH - 3 - tail);
  out[PN_RSA_LENGTH - 1 - tail] = 0x00;
  memcpy(out + PN_RSA_LENGTH - tail, sha1_prefix, sizeof sha1_prefix);
  memcpy(out + PN_RSA_LENGTH - PN_SHA1_LENGTH, digest, PN_SHA1_LENGTH);
}

int pn_pkcs1_sign_sha1(const pn_crypto_t *crypto, pn_rsa_key_t *key, const uint8_t *data,
                       size_t length, pn_signature_order_t order, uint8_t out[PN_RSA_LENGTH]) {
  uint8_t digest[PN_SHA1_LENGTH];
  uint8_t expected[PN_RSA_LENGTH];
  uint8_t signature[PN_RSA_LENGTH];
  PN_ASSERT(order == PN_SIGNATURE_SPEC || order == PN_SIGNATURE_CAPI);
  crypto->sha1(data, length, digest);
  pn_pkcs1_encode_sha1(digest, expected);
  if (!crypto->rsa_private(key, expected, signature))
    return 0;
  if (order == PN_SIGNATURE_CAPI)
    reverse(signature, out);
  else
    memcpy(out, signature, PN_RSA_LENGTH);
  return 1;
}

pn_signature_order_t pn_pkcs1_verify_sha1(const pn_crypto_t *crypto, pn_rsa_key_t *key,
                                          const uint8_t *data, size_t length,
                                          const uint8_t signature[PN_RSA_LENGTH]) {
  uint8_t digest[PN_SHA1_LENGTH];
  uint8_t expected[PN_RSA_LENGTH];
  uint8_t recovered[PN_RSA_LENGTH];
  uint8_t reversed[PN_RSA_LENGTH];
  crypto->sha1(data, length, digest);
  pn_pkcs1_encode_sha1(digest, expected);
  if (crypto->rsa_public(key, signature, recovered) &&
      memcmp(recovered, expected, PN_RSA_LENGTH) == 0)
    return PN_SIGNATURE_SPEC;
  reverse(signature, reversed);
  if (crypto->rsa_public(key, reversed, recovered) &&
      memcmp(recovered, expected, PN_RSA_LENGTH) == 0)
    return PN_SIGNATURE_CAPI;
  return PN_SIGNATURE_BAD;
}

const uint8_t *pn_rsa_public_modulus(const uint8_t der[PN_RSA_PUBLIC_DER_LENGTH]) {
  const uint8_t *modulus = der + sizeof public_key_head;
  if (memcmp(der, public_key_head, sizeof public_key_head) != 0)
    return NULL;
  if (memcmp(modulus + PN_RSA_LENGTH, public_key_tail, sizeof public_key_tail) != 0)
    return NULL;
  /* An even modulus is no product of two primes, and Montgomery arithmetic cannot use it. */
  if ((modulus[0] & 0x80) == 0 || (modulus[PN_RSA_LENGTH - 1] & 1) == 0)
    return NULL;
  return modulus;
}
