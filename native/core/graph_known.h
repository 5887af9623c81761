/* Records that were taken in lately, told by their bytes. Most FLOODs bring what another neighbour
 * has brought before: those are recognised here, and nobody has to look at what they say. */
#ifndef PN_GRAPH_KNOWN_H
#define PN_GRAPH_KNOWN_H

#include "core/graph_msg.h"
#include "core/limits.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A cache, not a list: what is not in it may be held all the same. All zero to begin with. The low
 * bits of a print name its set. JavaScript writes it, as 32-bit words
 * (lib/wire/graph/known-records.ts). */
typedef struct {
  pn_graph_print_t sets[PN_LIMIT_GRAPH_KNOWN_SETS][2];
} pn_graph_known_t;

/* The print of a record (SipHash-1-3): who does not know the secret cannot make two records that
 * share it. Both words are 0 for one that is longer than PN_LIMIT_GRAPH_KNOWN_RECORD or does not
 * lie in the source. */
pn_graph_print_t pn_graph_print(pn_bytes_t source, uint32_t at, uint32_t size,
                                const uint64_t secret[2]);

/* For rows that a scan made of a chunk: what is a FLOOD of a sound record gets its print in
 * `print`, and 1 as its value when that is known. */
void pn_graph_known_mark(const pn_graph_known_t *known, const uint64_t secret[2], pn_bytes_t chunk,
                         pn_graph_msg_t *rows, uint32_t count);

#ifdef __cplusplus
}
#endif

#endif
