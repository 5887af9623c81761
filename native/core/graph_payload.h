/* Payloads of the internal records, MS-PPGRH 2.2.3, and the address structures in them. */
#ifndef PN_GRAPH_PAYLOAD_H
#define PN_GRAPH_PAYLOAD_H

#include "core/graph_msg.h"

#ifdef __cplusplus
extern "C" {
#endif

/* UTF-16 with its NUL; 0 units: absent. A lone NUL counts as absent, too. */
typedef struct {
  uint32_t at;
  uint32_t units;
} pn_graph_wide_t;

/* 2.2.3.1 */
typedef struct {
  uint32_t flags; /* PN_GRAPH_INFO_FLAG_… */
  uint32_t scope; /* PN_GRAPH_SCOPE_… */
  uint32_t presence_lifetime;
  uint32_t max_presence_records;
  uint32_t max_record_size;
  pn_graph_wide_t graph_id;
  pn_graph_wide_t creator_id;
  pn_graph_wide_t friendly_name;
  pn_graph_wide_t comment;
} pn_graph_info_t;

/* 2.2.3.2 (signature only), 2.2.3.3 (without attributes), 2.2.3.4 (without signature) */
typedef struct {
  uint32_t signature; /* offset of 8 bytes, as is node_id */
  uint32_t node_id;
  pn_graph_wide_t attributes;
  uint32_t addresses; /* offset of the first PEER_ADDRESS */
  uint32_t address_count;
} pn_graph_node_t;

#define PN_GRAPH_PAYLOAD_SIGNATURE 1u
#define PN_GRAPH_PAYLOAD_CONTACT 2u
#define PN_GRAPH_PAYLOAD_PRESENCE 3u

/* Each reads exactly these bytes. */
pn_err_t pn_graph_info_decode(pn_bytes_t source, uint32_t order, pn_graph_info_t *info);
pn_err_t pn_graph_node_decode(pn_bytes_t source, uint32_t kind, uint32_t order,
                              pn_graph_node_t *node);
/* PEER_IN6_ADDRESS_EX, 2.2.1.4: the address is the first 20 bytes. */
pn_err_t pn_graph_address_ex_decode(pn_bytes_t source, pn_graph_text_t *peer_id);

/* Texts, numbers and addresses are copied from the source as they stand there on the wire. Each
 * refuses what its decoder would. */
pn_err_t pn_graph_info_encode(const pn_graph_info_t *info, pn_bytes_t source, uint32_t order,
                              pn_writer_t *w);
pn_err_t pn_graph_node_encode(const pn_graph_node_t *node, pn_bytes_t source, uint32_t kind,
                              uint32_t order, pn_writer_t *w);
pn_err_t pn_graph_address_ex_encode(const pn_graph_text_t *peer_id, pn_bytes_t source,
                                    pn_writer_t *w);

#ifdef __cplusplus
}
#endif

#endif
