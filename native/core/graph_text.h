/* Strings of graph messages (UTF-8) and records (UTF-16): exactly one NUL, at the end (GA-42). */
#ifndef PN_GRAPH_TEXT_H
#define PN_GRAPH_TEXT_H

#include "core/buf.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Both look back into bytes that the reader has passed over. */

/* Whether `length` bytes, the NUL among them, are a text of least .. most UTF-16 units. */
bool pn_graph_is_utf8(const pn_reader_t *r, uint32_t at, uint32_t length, uint32_t least,
                      uint32_t most);

/* Whether `units` UTF-16 units, the NUL among them, are a text without lone surrogates. */
bool pn_graph_is_utf16(const pn_reader_t *r, uint32_t at, uint32_t units, uint32_t little);

#ifdef __cplusplus
}
#endif

#endif
