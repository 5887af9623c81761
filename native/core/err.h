/* Outcome codes. Expected outcomes are values; only broken promises inside the code assert. */
#ifndef PN_ERR_H
#define PN_ERR_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
  PN_OK = 0,
#define PN_ERR(name, text) PN_ERR_##name,
#include "core/err.def"
#undef PN_ERR
  PN_ERR_COUNT /* one more than the last code */
} pn_err_t;

/* "ERR_PEERNET_…" of a code; "OK" for PN_OK, NULL for a number that is no code. */
const char *pn_err_code(uint32_t code);

/* One sentence for people; NULL for a number that is no code. */
const char *pn_err_text(uint32_t code);

#ifdef __cplusplus
}
#endif

#endif
