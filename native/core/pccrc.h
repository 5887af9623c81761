/* MS-PCCRC: content information read and checked, content hashed and cut into segments. */
#ifndef PN_PCCRC_H
#define PN_PCCRC_H

#include "core/buf.h"
#include "core/content_crypto.h"
#include "core/limits.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- content information ---- */

/* What pn_ci_decode finds before the segments. Offsets count from the start of the bytes. */
typedef struct {
  uint32_t code;      /* pn_err_t */
  uint32_t at;        /* of the field at fault */
  uint32_t version;   /* 1 or 2 */
  uint32_t algorithm; /* pn_sha2_t; version 2: PN_SHA2_512, cut to hash_length */
  uint32_t hash_length;
  uint32_t segment_count;
  uint32_t offset_in_first;
  uint64_t start;       /* where the first listed segment stands in the content */
  uint64_t first_index; /* its number there */
  uint64_t end;         /* where the last listed segment ends */
  uint64_t range_start; /* in the content */
  uint64_t range_length;
} pn_ci_t;

typedef struct {
  uint64_t offset; /* in the content */
  uint32_t length;
  uint32_t hash_of_data; /* offset of the hash */
  uint32_t secret;
  uint32_t blocks; /* offset of the first block hash; version 2: of the hash of data */
  uint32_t block_count;
} pn_ci_segment_t;

/* Where pn_ci_next stands. */
typedef struct {
  uint32_t index;
  uint32_t description_at;
  uint32_t blocks_at;
  uint32_t chunk_end;
  uint64_t offset;
} pn_ci_cursor_t;

/* Inside an offer to a hosted cache dwReadBytesInLastSegment may name the whole segment although
 * dwOffsetInFirstSegment is not 0 (MS-PCHC 2.2.1.4): it is cut to what there is. */
#define PN_CI_OFFERED 1u

/* MS-PCCRC 2.3, 2.4. Checks everything that can be told without hashing. */
pn_err_t pn_ci_decode(pn_bytes_t bytes, uint32_t flags, pn_ci_t *ci);

/* The segments of content information that was decoded, one a call; false after the last. */
void pn_ci_begin(const pn_ci_t *ci, pn_ci_cursor_t *cursor);
bool pn_ci_next(const pn_ci_t *ci, pn_bytes_t bytes, pn_ci_cursor_t *cursor, pn_ci_segment_t *out);

/* Whether each complete list of block hashes gives its segment's hash of data (2.2); sets code and
 * at when one does not. */
pn_err_t pn_ci_verify(const pn_content_crypto_t *crypto, pn_bytes_t bytes, pn_ci_t *ci);

/* ---- keys ---- */

/* HMAC over at most PN_HMAC_DATA_MAX bytes with a key of at most PN_SHA2_LENGTH_MAX. */
#define PN_HMAC_DATA_MAX 128u
void pn_hmac(const pn_content_crypto_t *crypto, pn_sha2_t algorithm, const uint8_t *key,
             uint32_t key_length, const uint8_t *data, uint32_t length, uint8_t *out);

/* 2.2: segment secrets Kp = HMAC(Ks, HoD), for `count` hashes of data of `length` bytes each (32
 * with SHA-512 is version 2, DA-3). Ks has `length` bytes as well. */
void pn_segment_secrets(const pn_content_crypto_t *crypto, pn_sha2_t algorithm, uint32_t length,
                        const uint8_t *server_key, const uint8_t *hashes, uint32_t count,
                        uint8_t *secrets);

/* 2.2, DA-1: segment ID HoHoDk = HMAC(Kp, HoD || label). */
void pn_segment_id(const pn_content_crypto_t *crypto, pn_sha2_t algorithm, uint32_t length,
                   const uint8_t *secret, const uint8_t *hash_of_data, uint8_t *id);

/* ---- hashing ---- */

/* DA-8. `available` bytes are there, the window ends after `left`; `last`: no byte follows. The
 * length of the segment that starts at `bytes`, or 0 when more bytes have to be seen. `fixed` is
 * the length of all segments, or 0 to let the content decide. */
uint32_t pn_cut(uint32_t fixed, const uint8_t *bytes, uint32_t available, uint32_t left, bool last);

/* Length of the windows that can be cut each for itself. */
uint32_t pn_cut_window(uint32_t fixed);

/* Hashes of the blocks of 64 KiB in `length` bytes, one after the other. */
void pn_hash_blocks(const pn_content_crypto_t *crypto, pn_sha2_t algorithm, const uint8_t *bytes,
                    uint32_t length, uint8_t *out);

/* What pn_hash_segments writes. */
typedef struct {
  uint32_t lengths[PN_LIMIT_WINDOW_SEGMENTS];
  uint8_t hashes[PN_LIMIT_WINDOW_SEGMENTS][32];
} pn_segments_t;

/* Cuts and hashes what of `length` bytes can be told already; `left` bytes from the first the
 * window ends. Returns the number of segments, and in `consumed` the bytes that they take. */
uint32_t pn_hash_segments(const pn_content_crypto_t *crypto, uint32_t fixed, const uint8_t *bytes,
                          uint32_t length, uint32_t left, bool last, pn_segments_t *out,
                          uint32_t *consumed);

#ifdef __cplusplus
}
#endif

#endif
