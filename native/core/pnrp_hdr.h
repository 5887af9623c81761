/* The 12-byte header, MS-PNRP 2.2.1: the gate every datagram passes first. */
#ifndef PN_PNRP_HDR_H
#define PN_PNRP_HDR_H

#include "core/pnrp_elem.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Passes over the header. TRUNCATED, BAD_HEADER, BAD_VERSION (N-37), UNKNOWN_MESSAGE_TYPE. */
bool pn_hdr_decode(pn_reader_t *r, uint32_t *type, uint32_t *message_id);

/* MessageType of a conforming header, 0 when it is none (3.1.5.2). */
uint32_t pn_hdr_accept(pn_bytes_t datagram);

bool pn_hdr_is_known_type(uint32_t type);

void pn_hdr_encode(pn_writer_t *w, uint32_t type, uint32_t message_id);

#ifdef __cplusplus
}
#endif

#endif
