/* SHA-2 over several messages at once: what one processor core hashes one by one leaves most of its
 * units idle, since each round waits for the one before. The compression functions below take one
 * block of each lane; sha2_lanes.c deals messages out to lanes. */
#ifndef PN_SHA2_LANES_H
#define PN_SHA2_LANES_H

#include "core/content_crypto.h"

#if defined(__x86_64__) && (defined(__GNUC__) || defined(__clang__))
#define PN_LANES_X86 1
#else
#define PN_LANES_X86 0
#endif

#define PN_LANES_MAX 8

/* State words of one algorithm, word-major: state[word][lane]. */
typedef struct {
  _Alignas(64) uint64_t w[8][PN_LANES_MAX];
} pn_lanes64_t;

typedef struct {
  _Alignas(16) uint32_t w[2][8]; /* lane-major */
} pn_lanes32_t;

#if PN_LANES_X86
/* Each compresses `blocks` blocks of every lane; at[lane] is not moved. */
void pn_sha256_shani_x2(pn_lanes32_t *state, const uint8_t *const at[2], size_t blocks);
void pn_sha512_avx2_x4(pn_lanes64_t *state, const uint8_t *const at[4], size_t blocks);
void pn_sha512_avx512_x8(pn_lanes64_t *state, const uint8_t *const at[8], size_t blocks);
#endif

extern const uint64_t pn_sha512_k[80];

/* Whether the processor has lanes for the algorithm; then sha2_many may be called. */
bool pn_lanes_have(pn_sha2_t algorithm);
void pn_lanes_sha2_many(pn_sha2_t algorithm, const pn_message_t *messages, size_t count,
                        uint8_t *out, size_t stride);

#endif
