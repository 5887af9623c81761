/* A datagram together with what it carries: a FLOOD's revoke CPA, the AUTHORITY_BUFFER of an
 * unfragmented AUTHORITY, the CPA and extended payload in that. This is one whole row of the
 * descriptor table (lib/wire/rows.ts): consecutive 32-bit numbers, in this order. */
#ifndef PN_PNRP_DATAGRAM_H
#define PN_PNRP_DATAGRAM_H

#include "core/pnrp_authority.h"
#include "core/pnrp_cpa.h"
#include "core/pnrp_extpayload.h"
#include "core/pnrp_msg.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  pn_msg_t msg;
  pn_authority_t authority;         /* when msg.present has PN_HAS_BUFFER */
  pn_cpa_t cpa;                     /* when it has PN_HAS_CPA_FIELDS */
  pn_extpayload_t extended_payload; /* when it has PN_HAS_EXTENDED_PAYLOAD_FIELDS */
} pn_datagram_t;

/* How far to look inside. REVOKE: the revoke CPA of a FLOOD has to be one. BUFFER: an AUTHORITY's
 * slice has to fit Size (else BAD_SPLIT), and the whole buffer, if it is that, to be well-formed.
 * STRUCTURES: so have the CPA and the extended payload in it. */
#define PN_LOOK_REVOKE 1u
#define PN_LOOK_BUFFER 2u
#define PN_LOOK_STRUCTURES 4u

/* pn_msg_decode, and what it carries as far as `look` says. A fault inside is the datagram's:
 * msg.code and msg.at tell. Parts that are not looked at keep their old content. */
pn_err_t pn_datagram_decode(pn_bytes_t source, uint32_t start, uint32_t length, uint32_t look,
                            pn_datagram_t *out);

/* pn_msg_encode; with PN_HAS_BUFFER the AUTHORITY is whole and its buffer is encoded from
 * `authority` (and from `cpa`, `extended_payload` when their bits are set), whatever msg.size,
 * offset and bytes say. */
pn_err_t pn_datagram_encode(const pn_datagram_t *datagram, pn_bytes_t source, pn_writer_t *w);

#ifdef __cplusplus
}
#endif

#endif
