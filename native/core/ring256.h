/* Arithmetic on the ring of 2^256 PNRP IDs (MS-PNRP 1.3.1.2, 1.3.3). */
#ifndef PN_RING256_H
#define PN_RING256_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define PN_ID_BYTES 32u
#define PN_ID_BITS 256u

/* A number below 2^256, most significant word first. All arithmetic is modulo 2^256. */
typedef struct pn_u256 {
  uint64_t word[4];
} pn_u256_t;

/* From and to the wire form: 32 bytes, most significant first. */
pn_u256_t pn_ring_load(const uint8_t bytes[PN_ID_BYTES]);
void pn_ring_store(const pn_u256_t *value, uint8_t bytes[PN_ID_BYTES]);

pn_u256_t pn_ring_add(pn_u256_t a, pn_u256_t b);
pn_u256_t pn_ring_sub(pn_u256_t a, pn_u256_t b);
pn_u256_t pn_ring_add_small(pn_u256_t a, uint64_t n);

/* Numeric order, not ring order: -1, 0 or 1. */
int pn_ring_compare(const pn_u256_t *a, const pn_u256_t *b);

/* min(d, 2^256 - d) with d = a - b. N-23 */
pn_u256_t pn_ring_distance(pn_u256_t a, pn_u256_t b);

/* -1 when a is nearer to target than b, 1 when b is, 0 only when a equals b. Of two IDs at the same
 * distance the numerically smaller is the nearer. N-23 */
int pn_ring_compare_distance(const pn_u256_t *target, const pn_u256_t *a, const pn_u256_t *b);

/* Middle of the clockwise (growing) arc from -> to, rounded down. from = to means the whole
 * ring. */
pn_u256_t pn_ring_midpoint(pn_u256_t from, pn_u256_t to);

/* Is x strictly inside the clockwise arc from -> to? With from = to that arc is the whole ring
 * without that point. */
bool pn_ring_in_arc(const pn_u256_t *x, const pn_u256_t *from, const pn_u256_t *to);

/* Leading bits that a and b have in common, 0..256. */
unsigned pn_ring_common_bits(const pn_u256_t *a, const pn_u256_t *b);

/* The value as the nearest double (ties to even). */
double pn_ring_to_double(const pn_u256_t *value);

/* Length of the clockwise arc from -> to as a double; 2^256 when from = to. N-51 */
double pn_ring_span(const pn_u256_t *from, const pn_u256_t *to);

#ifdef __cplusplus
}
#endif

#endif
