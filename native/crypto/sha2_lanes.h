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

#define PN_LANES_MAX 16

/* State words, word-major: w[word][lane]. */
typedef struct {
  _Alignas(64) uint64_t w[8][8];
} pn_lanes64_t;

typedef struct {
  _Alignas(64) uint32_t w[8][16];
} pn_lanes32_t;

/* State words of two lanes, lane-major: w[lane][word]. */
typedef struct {
  _Alignas(16) uint32_t w[2][8];
} pn_sha_pair_t;

#if PN_LANES_X86
/* Each compresses `blocks` blocks of every lane; at[lane] is not moved. */
void pn_sha256_shani_x2(pn_sha_pair_t *state, const uint8_t *const at[2], size_t blocks);
void pn_sha256_avx512_x16(pn_lanes32_t *state, const uint8_t *const at[16], size_t blocks);
void pn_sha512_avx2_x4(pn_lanes64_t *state, const uint8_t *const at[4], size_t blocks);
void pn_sha512_avx512_x8(pn_lanes64_t *state, const uint8_t *const at[8], size_t blocks);
#endif

extern const uint32_t pn_sha256_k[64];
extern const uint64_t pn_sha512_k[80];

/* Few lanes: SHA extensions (SHA-256) or AVX2 (SHA-512). Many: AVX-512. */
typedef enum { PN_LANES_FEW = 1, PN_LANES_MANY = 2 } pn_lanes_t;

/* Whether the processor has such lanes. */
bool pn_lanes_have(pn_lanes_t lanes, pn_sha2_t algorithm);

/* The fastest way to hash so many messages: lanes that the processor has, or 0, one by one. */
pn_lanes_t pn_lanes_best(pn_sha2_t algorithm, size_t count);

void pn_lanes_sha2_many(pn_lanes_t lanes, pn_sha2_t algorithm, const pn_message_t *messages,
                        size_t count, uint8_t *out, size_t stride);

#endif
