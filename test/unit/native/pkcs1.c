/* The padding by hand; RSA itself is proven in rsa.test.ts. The null provider's RSA is the
 * identity, so that a "signature" here is the padded block. */
#include "check.h"

#include "core/pkcs1.h"
#include "crypto/crypto.h"

/* Fails the private or the public half. */
static int refuse(pn_rsa_key_t *key, const uint8_t *in, uint8_t *out) {
  (void)key;
  (void)in;
  memset(out, 0, PN_RSA_LENGTH);
  return 0;
}

PN_TEST(encoding, "EMSA-PKCS1-v1_5 of SHA-1: 00 01, 90 times FF, 00, DigestInfo (RFC 8017 9.2)") {
  uint8_t digest[PN_SHA1_LENGTH], block[PN_RSA_LENGTH], expected[PN_RSA_LENGTH];
  for (size_t i = 0; i < sizeof digest; i++)
    digest[i] = (uint8_t)(0xa0 + i);
  pn_pkcs1_encode_sha1(digest, block);
  memset(expected, 0xff, sizeof expected);
  expected[0] = 0x00;
  expected[1] = 0x01;
  pn_check_hex("00 3021300906052b0e03021a05000414", expected + 92, 16);
  memcpy(expected + 108, digest, sizeof digest);
  PN_CHECK_BYTES(block, expected, sizeof block);
}

PN_TEST(orders, "a signature verifies in both byte orders, and says in which") {
  const pn_crypto_t *crypto = pn_crypto_null();
  const uint8_t data[] = {1, 2, 3};
  uint8_t spec[PN_RSA_LENGTH], capi[PN_RSA_LENGTH];
  PN_CHECK_EQ(pn_pkcs1_sign_sha1(crypto, NULL, data, sizeof data, PN_SIGNATURE_SPEC, spec), 1);
  PN_CHECK_EQ(pn_pkcs1_sign_sha1(crypto, NULL, data, sizeof data, PN_SIGNATURE_CAPI, capi), 1);
  for (size_t i = 0; i < PN_RSA_LENGTH; i++)
    PN_CHECK_EQ(spec[i], capi[PN_RSA_LENGTH - 1 - i]);
  PN_CHECK_EQ(pn_pkcs1_verify_sha1(crypto, NULL, data, sizeof data, spec), PN_SIGNATURE_SPEC);
  PN_CHECK_EQ(pn_pkcs1_verify_sha1(crypto, NULL, data, sizeof data, capi), PN_SIGNATURE_CAPI);
  PN_CHECK_EQ(pn_pkcs1_verify_sha1(crypto, NULL, data, 2, spec), PN_SIGNATURE_BAD);
}

PN_TEST(every_byte, "a block that differs in any byte is refused") {
  const pn_crypto_t *crypto = pn_crypto_null();
  const uint8_t data[] = {1, 2, 3};
  uint8_t signature[PN_RSA_LENGTH];
  pn_pkcs1_sign_sha1(crypto, NULL, data, sizeof data, PN_SIGNATURE_SPEC, signature);
  for (size_t i = 0; i < PN_RSA_LENGTH; i++) {
    signature[i] ^= 0x10;
    PN_CHECK_EQ(pn_pkcs1_verify_sha1(crypto, NULL, data, sizeof data, signature),
                PN_SIGNATURE_BAD);
    signature[i] ^= 0x10;
  }
}

PN_TEST(failing_keys, "a key that cannot compute neither signs nor verifies") {
  pn_crypto_t crypto = *pn_crypto_null();
  const uint8_t data[] = {1};
  uint8_t signature[PN_RSA_LENGTH];
  PN_CHECK_EQ(pn_pkcs1_sign_sha1(&crypto, NULL, data, 1, PN_SIGNATURE_SPEC, signature), 1);
  crypto.rsa_public = refuse;
  PN_CHECK_EQ(pn_pkcs1_verify_sha1(&crypto, NULL, data, 1, signature), PN_SIGNATURE_BAD);
  crypto.rsa_private = refuse;
  PN_CHECK_EQ(pn_pkcs1_sign_sha1(&crypto, NULL, data, 1, PN_SIGNATURE_SPEC, signature), 0);
}

PN_TEST(public_key, "PNRP-2.2.3.1.4-6 the modulus is found in the one legal RSAPublicKey only") {
  uint8_t der[PN_RSA_PUBLIC_DER_LENGTH];
  memset(der, 0x55, sizeof der);
  pn_check_hex("30 8189 02 8181 00 80", der, 8);
  pn_check_hex("02 03 010001", der + 135, 5);
  PN_CHECK(pn_rsa_public_modulus(der) == der + 7);
  for (size_t i = 0; i < sizeof der; i++) {
    /* Of the modulus only the first and the last bit are fixed. */
    const uint8_t flip = i == 7 ? 0x80 : i == 134 ? 0x01 : 0x04;
    const int free_byte = i > 7 && i < 134;
    der[i] ^= flip;
    PN_CHECK((pn_rsa_public_modulus(der) != NULL) == free_byte);
    der[i] ^= flip;
  }
}

PN_TEST_MAIN()
