/* Umbrella of the C core. Everything under native/core is pure C11: no allocation, no stdio,
 * no clock, and of libc only memcpy, memmove, memset and memcmp (test/unit/symbols.test.ts). */
#ifndef PN_PEERNET_H
#define PN_PEERNET_H

#ifdef __cplusplus
extern "C" {
#endif

/* Version of the package this core was built from, e.g. "0.1.0". Never NULL. */
const char *pn_version(void);

#ifdef __cplusplus
}
#endif

#endif
