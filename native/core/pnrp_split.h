/* Reassembly of fragmented AUTHORITY_BUFFERs, MS-PNRP 3.1.5.6 as N-34 narrows it. All memory comes
 * from the caller in one block that never grows: contexts, and slots of one fragment each, taken
 * lowest first, so that an idle block stays cold. */
#ifndef PN_PNRP_SPLIT_H
#define PN_PNRP_SPLIT_H

#include "core/buf.h"
#include "core/pnrp_const.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct pn_split pn_split_t;

/* One fragment and where it came from: an IPV6_ENDPOINT (port, address) as on the wire. */
typedef struct {
  uint8_t source[PN_LENGTH_IPV6_ENDPOINT];
  uint32_t message_id;
  uint32_t acked_message_id;
  uint32_t size;
  uint32_t offset;
  pn_bytes_t slice;
} pn_fragment_t;

/* Bytes needed; 0 when a number is 0 or above its limit (limits.h). */
uint32_t pn_split_bytes(uint32_t contexts, uint32_t slots);

/* `memory` is aligned for uint32_t and has pn_split_bytes(contexts, slots) bytes; no source gets
 * more than `per_source` contexts, and no address more than `slots_per_address` slots. */
pn_split_t *pn_split_init(void *memory, uint32_t contexts, uint32_t slots, uint32_t per_source,
                          uint32_t slots_per_address);

/* The state in a block that pn_split_init prepared; NULL when its length or alignment show that it
 * is none. */
pn_split_t *pn_split_at(void *memory, uint32_t length);

/* Takes a fragment. When it is the last one missing, the buffer is copied to `out` (room for
 * PN_LIMIT_AUTHORITY_BUFFER bytes), its context ends and *complete is its length; else 0.
 * FRAGMENT_OVERRUN and FRAGMENT_SIZE_CHANGED also end the context; FRAGMENT_NOT_FULL,
 * FRAGMENT_DUPLICATE, REASSEMBLY_SOURCE_FULL and REASSEMBLY_FULL drop only the fragment. A new
 * context ends older ones with the same Acked Message ID. */
pn_err_t pn_split_accept(pn_split_t *split, const pn_fragment_t *fragment, uint8_t *out,
                         uint32_t *complete);

/* Ends the contexts of a request that is answered or given up (3.1.6.3). */
void pn_split_drop(pn_split_t *split, uint32_t acked_message_id);

void pn_split_clear(pn_split_t *split);

/* How many contexts and slots are in use. */
uint32_t pn_split_contexts(const pn_split_t *split);
uint32_t pn_split_slots(const pn_split_t *split);

#ifdef __cplusplus
}
#endif

#endif
