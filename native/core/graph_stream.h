/* A stream of frames (MS-PPGRH 2.2.1.1), or of messages without them: finds messages where they
 * stand, and gathers those that do not stand in one piece in memory that the caller lends. */
#ifndef PN_GRAPH_STREAM_H
#define PN_GRAPH_STREAM_H

#include "core/graph_msg.h"

#ifdef __cplusplus
extern "C" {
#endif

#define PN_GRAPH_STREAM_MESSAGES 0u /* frames, which make up messages */
#define PN_GRAPH_STREAM_FRAMES 1u   /* frames, whose bytes mean nothing here */
#define PN_GRAPH_STREAM_PLAIN 2u    /* messages one behind the other */

/* State between chunks, as 32-bit words for JavaScript. All zero but for the first three and
 * `graph` to begin with. */
typedef struct {
  uint32_t mode; /* PN_GRAPH_STREAM_…; may change while nothing is being gathered */
  uint32_t max_frame;
  uint32_t max_message;
  uint32_t code;       /* pn_err_t: nothing more can be read */
  uint32_t gathering;  /* 1: a message or frame is on its way into the assembly */
  uint32_t have;       /* bytes of it gathered */
  uint32_t want;       /* its size; 0: not known yet */
  uint32_t frame_left; /* bytes of the frame under way that have not come */
  uint32_t head;       /* 0x100 and the first byte of a Frame Size whose second has not come */
  uint32_t need;       /* set by a scan that stops: the assembly has to have so much room */
  uint32_t room;       /* of the assembly lent; 0: none */
  uint32_t offset;     /* where it begins in its memory */
  uint32_t at;         /* of the chunk: where the next scan goes on */
  pn_graph_identity_t graph;
} pn_graph_stream_t;

/* Memory lent for what has to be gathered; `size` covers offset + room. */
typedef struct {
  uint8_t *base;
  uint32_t size;
} pn_graph_memory_t;

/* Reads from stream->at on and decodes up to `most` messages or frames; returns how many. One that
 * was gathered is always the first row; its memory is the caller's again (room and offset become
 * 0). With 0 rows
 *
 *   code != 0: the stream is broken;
 *   need > 0: lend so many bytes, or fewer but more than before, with what was gathered in them;
 *   else the chunk is used up. */
uint32_t pn_graph_stream_scan(pn_graph_stream_t *stream, pn_bytes_t chunk,
                              pn_graph_memory_t assembly, pn_graph_msg_t *rows, uint32_t most);

#ifdef __cplusplus
}
#endif

#endif
