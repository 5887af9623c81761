/* The 14 messages of MS-PPGRH 2.2.2, without their frames. */
#ifndef PN_GRAPH_MSG_H
#define PN_GRAPH_MSG_H

#include "core/graph_record.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Offset of a text that is not there. */
#define PN_GRAPH_ABSENT 0xffffffffu

typedef struct {
  uint32_t at;
  uint32_t length; /* without the NUL */
} pn_graph_text_t;

/* 64 bits that depend on all bytes of a record and on a secret: see graph_known.h. */
typedef struct {
  uint32_t low;
  uint32_t high;
} pn_graph_print_t;

/* One message as 32-bit words, which JavaScript reads as they are. Offsets count from the start of
 * the source that `memory` names. What each message uses:
 *
 *   AUTH_INFO     value: connection type; texts: graph, source, destination
 *   CONNECT       value: flags; entries: addresses; node_id; texts: friendly name
 *   WELCOME       entries: addresses; node_id; time; texts: peer ID, friendly name
 *   REFUSE        value: code; entries: addresses
 *   DISCONNECT    value: reason; entries: addresses
 *   SOLICIT_…     value: 1 when entries (GUIDs) are inclusions; time; more: HASH_INFO_ENTRY
 *   ADVERTISE     entries: HASH_ENTRY_BOUNDARY; more: RECORD_ABSTRACT
 *   REQUEST       more: RECORD_ABSTRACT
 *   FLOOD         record; value: 1 when it is known; print (both of graph_known.h)
 *   SYNC_END      value: flags
 *   PT2PT         node_id: the data type; entries: so many bytes of data
 *   ACK           entries: acknowledgements */
typedef struct {
  uint32_t code;   /* pn_err_t; of a FLOOD's record */
  uint32_t type;   /* 0: not a message but a frame */
  uint32_t memory; /* 0: what came in; 1: the assembly */
  uint32_t at;
  uint32_t size;
  uint32_t end; /* where what came in goes on behind it */
  uint32_t value;
  uint32_t entries;
  uint32_t entry_count;
  uint32_t more;
  uint32_t more_count;
  uint32_t node_id;
  uint32_t time;
  pn_graph_text_t texts[3];
  pn_graph_record_t record;
  pn_graph_print_t print;
} pn_graph_msg_t;

/* Judges the 8 bytes at an offset, which have to be there (2.2.1.2); sets size and type. */
pn_err_t pn_graph_header(pn_bytes_t source, uint32_t at, uint32_t max_message, uint32_t *size,
                         uint32_t *type);

/* Decodes the message that is exactly these bytes and whose header was judged. A FLOOD whose record
 * is invalid is well-formed: msg->code says what is wrong with the record (3.1.7.27). */
pn_err_t pn_graph_msg_decode(pn_bytes_t source, uint32_t at, uint32_t size,
                             const pn_graph_identity_t *graph, pn_graph_msg_t *msg);

/* Writes a message from the same words. Entries and texts are copied from the source, texts
 * without their NUL; `body` is the record of a FLOOD or the data of a PT2PT. Refuses what the
 * decoder would, but does not look into a FLOOD's record. */
pn_err_t pn_graph_msg_encode(const pn_graph_msg_t *msg, pn_bytes_t source, pn_bytes_t body,
                             pn_writer_t *w);

#ifdef __cplusplus
}
#endif

#endif
