/* AUTHORITY_BUFFER, MS-PNRP 2.2.2.6.1. */
#ifndef PN_PNRP_AUTHORITY_H
#define PN_PNRP_AUTHORITY_H

#include "core/pnrp_cpa.h"
#include "core/pnrp_extpayload.h"
#include "core/pnrp_msg.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  uint32_t code;    /* pn_err_t; when not 0 only `at` means anything */
  uint32_t at;      /* offset of the field at fault, from the start of the buffer */
  uint32_t present; /* PN_HAS_CHAIN, _CLASSIFIER, _EXTENDED_PAYLOAD, _ROUTE, _CPA */
  uint32_t flags;   /* the defined bits only */
  uint32_t chain;   /* offset of the PKCS #7 bytes, opaque here */
  uint32_t chain_length;
  uint32_t classifier; /* offset of big-endian 16-bit units, none of them 0 (N-03) */
  uint32_t classifier_units;
  uint32_t extended_payload; /* offset of the EXTENDED_PAYLOAD structure, opaque here */
  uint32_t extended_payload_length;
  pn_route_t route;
  uint32_t cpa; /* offset of the Encoded CPA, opaque here */
  uint32_t cpa_length;
} pn_authority_t;

/* Decodes the complete buffer at source[start .. start + length - 1]; offsets count from
 * source.base. Returns out->code. */
pn_err_t pn_authority_decode(pn_bytes_t source, uint32_t start, uint32_t length,
                             pn_authority_t *out);

/* Structures to encode in place of the bytes at `cpa` and `extended_payload`; NULL means those
 * bytes. Their PN_HAS_ bits decide as ever whether there is one. */
typedef struct {
  const pn_cpa_t *cpa;
  const pn_extpayload_t *extended_payload;
} pn_authority_parts_t;

/* Length of the encoded buffer; 0 when pn_authority_encode would refuse a count or length. */
uint32_t pn_authority_length(const pn_authority_t *buffer, const pn_authority_parts_t *parts);

/* BAD_COUNT (route entry, classifier), BAD_LENGTH (an element or the buffer is empty or too long),
 * NO_BUFFER, OUT_OF_SOURCE, and what the parts report. */
pn_err_t pn_authority_encode(const pn_authority_t *buffer, const pn_authority_parts_t *parts,
                             pn_bytes_t source, pn_writer_t *w);

#ifdef __cplusplus
}
#endif

#endif
