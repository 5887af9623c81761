/* MS-PCHC 2.2: what a client offers to a hosted cache. Big-endian; the content information inside a
 * SEGMENT_INFO_MESSAGE is little-endian (DA-23). */
#ifndef PN_PCHC_H
#define PN_PCHC_H

#include "core/buf.h"
#include "core/limits.h"

#ifdef __cplusplus
extern "C" {
#endif

/* 2.2.1.1 Type. */
#define PN_OFFER_INITIAL 1u
#define PN_OFFER_SEGMENT_INFO 2u
#define PN_OFFER_BATCHED 3u

#define PN_OFFER_HEADER 16u
#define PN_OFFER_TAG 16u
#define PN_OFFER_DESCRIPTOR 59u

/* 32-bit words only: shared with JavaScript (lib/native/content-codec.ts). */
typedef struct {
  uint32_t code; /* pn_err_t */
  uint32_t at;
  uint32_t minor;
  uint32_t major;
  uint32_t type;
  uint32_t port;
  uint32_t id; /* INITIAL_OFFER: the segment ID */
  uint32_t id_length;
  uint32_t tag; /* SEGMENT_INFO: the content tag, then the content information */
  uint32_t info;
  uint32_t info_length;
  uint32_t descriptors; /* BATCHED_OFFER: offset of the first, each of 59 bytes */
  uint32_t descriptor_count;
} pn_offer_t;

/* Content information inside is not looked at (DA-28). */
pn_err_t pn_offer_decode(pn_bytes_t bytes, pn_offer_t *out);

pn_err_t pn_offer_encode(const pn_offer_t *offer, pn_bytes_t source, pn_writer_t *w);

#ifdef __cplusplus
}
#endif

#endif
