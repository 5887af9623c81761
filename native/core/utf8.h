/* Strict UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing above U+10FFFF. */
#ifndef PN_UTF8_H
#define PN_UTF8_H

#include "core/buf.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Whether the bytes that the reader has passed over, at .. at + length - 1, are UTF-8. */
bool pn_utf8_is_valid(const pn_reader_t *r, uint32_t at, uint32_t length);

#ifdef __cplusplus
}
#endif

#endif
