/* AES-CBC encryption of several messages side by side. Each block of a message waits for the one
 * before, so that one message alone keeps an eighth of the processor's AES units busy. */
#ifndef PN_AES_LANES_H
#define PN_AES_LANES_H

#include "core/content_crypto.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Whether this processor can. */
bool pn_aes_lanes_have(void);

/* As pn_content_crypto_t's aes_cbc_many, with keys of 16, 24 or 32 bytes. */
void pn_aes_lanes_cbc(size_t key_length, const pn_cbc_t *messages, size_t count);

#ifdef __cplusplus
}
#endif

#endif
