/* Encoded CPA, MS-PNRP 2.2.3.1, with its public key (2.2.3.1.4) and SIGNATURE (2.2.3.2). Numbers in
 * it are little-endian. Offsets point at the bytes as they stand on the wire: Service Location and
 * BinaryAuthority are least significant byte first there. */
#ifndef PN_PNRP_CPA_H
#define PN_PNRP_CPA_H

#include "core/buf.h"
#include "core/pnrp_const.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Whether a revoke CPA has a nonce (N-29). */
#define PN_REVOKE_NONCE_PRESENT 0u /* as the text has it: 16 zero bytes */
#define PN_REVOKE_NONCE_ABSENT 1u
#define PN_REVOKE_NONCE_AUTO 2u /* decoding only: present, unless only absent closes exactly */

/* Which CPAs may stand here: FLOOD carries revoke CPAs only, AUTHORITY none. */
#define PN_CPA_ANY 0u
#define PN_CPA_LIVE 1u
#define PN_CPA_REVOKE 2u

typedef struct {
  uint32_t code;   /* pn_err_t; when not 0 only `at` means anything */
  uint32_t at;     /* offset of the field at fault, from the start of the structure */
  uint32_t length; /* of the whole structure */
  uint32_t signed_length;
  uint32_t flags;        /* PN_CPA_FLAG_*, the defined bits only */
  uint32_t revoke_nonce; /* PRESENT or ABSENT; PRESENT when R is clear */
  uint32_t not_after_low;
  uint32_t not_after_high;
  uint32_t service_location; /* 16 bytes, reversed */
  uint32_t nonce;            /* 16 bytes; 0 when absent */
  uint32_t authority;        /* 20 bytes, reversed; with flag A */
  uint32_t classifier_hash;  /* 20 bytes; with flag C */
  uint32_t friendly_name;    /* with flag F */
  uint32_t friendly_name_length;
  uint32_t services; /* IPV6_ENDPOINTs, 18 bytes each */
  uint32_t service_count;
  uint32_t apps; /* IPV6_APP_ENDPOINTs, 20 bytes each; none means no PAYLOAD */
  uint32_t app_count;
  uint32_t public_key; /* DER RSAPublicKey, 140 bytes */
  uint32_t signature;  /* 128 bytes */
} pn_cpa_t;

/* Decodes the CPA that is exactly source[start .. start + length - 1]. Returns out->code. */
pn_err_t pn_cpa_decode(pn_bytes_t source, uint32_t start, uint32_t length, uint32_t revoke_nonce,
                       uint32_t kind, pn_cpa_t *out);

/* PN_OK, or what pn_cpa_encode would refuse: BAD_FLAGS, BAD_COUNT. */
pn_err_t pn_cpa_check(const pn_cpa_t *cpa);

/* Length with the signature, which is also the value of CPA Length. */
uint32_t pn_cpa_length(const pn_cpa_t *cpa);

/* Writes the CPA, or with `with_signature` false only the bytes that are signed (CPA Length is the
 * final one all the same). A revoke CPA's nonce is written as zero. BAD_FLAGS, BAD_COUNT,
 * BAD_PUBLIC_KEY, NO_BUFFER, OUT_OF_SOURCE. */
pn_err_t pn_cpa_encode(const pn_cpa_t *cpa, bool with_signature, pn_bytes_t source, pn_writer_t *w);

/* SIGNATURE, 136 bytes: passes over it, `data` becomes the offset of the 128 bytes. */
bool pn_signature_decode(pn_reader_t *r, uint32_t *data);
void pn_signature_encode(pn_writer_t *w, uint32_t data, pn_bytes_t source);

/* CPA public key, 169 bytes: passes over it, `data` becomes the offset of the DER bytes. */
bool pn_public_key_decode(pn_reader_t *r, uint32_t *data);
void pn_public_key_encode(pn_writer_t *w, uint32_t data, pn_bytes_t source);

#ifdef __cplusplus
}
#endif

#endif
