/* The eight messages, MS-PNRP 2.2.2. A decoded message is this fixed struct of numbers: values, and
 * offsets into the bytes it was decoded from. Nothing is copied, so the same struct over the same
 * bytes is what the encoder takes. It is also one row of the descriptor table that the binding
 * shares with lib/wire (rows.ts). */
#ifndef PN_PNRP_MSG_H
#define PN_PNRP_MSG_H

#include "core/pnrp_hdr.h"
#include "core/pnrp_route.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Bits of `present`. */
#define PN_HAS_CONTROLS 0x01u /* SOLICIT_CONTROLS, or the FLAGS_FIELD of an ACK */
#define PN_HAS_ROUTE 0x02u
#define PN_HAS_NONCE 0x04u
#define PN_HAS_CPA 0x08u
#define PN_HAS_CHAIN 0x10u
#define PN_HAS_CLASSIFIER 0x20u
#define PN_HAS_EXTENDED_PAYLOAD 0x40u
/* The authority part of a pn_datagram_t describes the buffer, instead of `bytes`. */
#define PN_HAS_BUFFER 0x80u
/* The cpa, extended_payload parts of a pn_datagram_t describe the structures' content. */
#define PN_HAS_CPA_FIELDS 0x100u
#define PN_HAS_EXTENDED_PAYLOAD_FIELDS 0x200u

typedef struct {
  uint32_t code; /* pn_err_t; when not 0 only `at`, `type` and `message_id` mean anything */
  uint32_t at;   /* offset of the field at fault, from the start of the datagram */
  uint32_t type; /* PN_MESSAGE_*; 0 when the header does not conform */
  uint32_t message_id;
  uint32_t present;
  uint32_t flags; /* the defined bits only */
  uint32_t acked_message_id;
  uint32_t target;   /* offset of the Target PNRP ID */
  uint32_t validate; /* offset of the Validate PNRP ID */
  uint32_t nonce;    /* offset of the nonce (16) or hashed nonce (20) */
  pn_route_t route;
  uint32_t entries; /* offset of the array: PNRP IDs (32 each) or endpoints (18 each) */
  uint32_t entry_count;
  uint32_t bytes; /* offset of the revoke CPA, or of the slice of an AUTHORITY_BUFFER */
  uint32_t bytes_length;
  uint32_t solicit_type;
  uint32_t precision;
  uint32_t criteria;
  uint32_t reason;
  uint32_t size;   /* of the complete AUTHORITY_BUFFER */
  uint32_t offset; /* of the slice in it */
} pn_msg_t;

/* Decodes the datagram at source[start .. start + length - 1]; offsets count from source.base.
 * Returns msg->code. A FLOOD's revoke CPA is taken as opaque here (pnrp_datagram.h looks inside);
 * a slice that does not fit Size is left to reassembly, see pn_msg_slice_fits. */
pn_err_t pn_msg_decode(pn_bytes_t source, uint32_t start, uint32_t length, pn_msg_t *msg);

/* N-34: the slice is the whole buffer, a full fragment, or a last fragment of at most 1188 bytes.
 * Returns PN_OK, FRAGMENT_OVERRUN or FRAGMENT_NOT_FULL. */
pn_err_t pn_msg_slice_fits(uint32_t size, uint32_t offset, uint32_t slice_length);

/* Length of the encoded message; 0 when a count or length breaks its limit. */
uint32_t pn_msg_length(const pn_msg_t *msg);

/* Writes the message. What a receiver must tolerate but a sender must not send (ports, reason
 * codes) is written as it stands; everything else is checked: BAD_COUNT, BAD_VALUE, BAD_SPLIT,
 * UNKNOWN_MESSAGE_TYPE, NO_BUFFER, OUT_OF_SOURCE. */
pn_err_t pn_msg_encode(const pn_msg_t *msg, pn_bytes_t source, pn_writer_t *w);

#ifdef __cplusplus
}
#endif

#endif
