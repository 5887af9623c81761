/* MS-PCCRR 2.2: the eight messages of the retrieval protocol, big-endian. Decoding copies nothing:
 * fields are offsets into the message. */
#ifndef PN_PCCRR_H
#define PN_PCCRR_H

#include "core/buf.h"
#include "core/content_crypto.h"
#include "core/limits.h"

#ifdef __cplusplus
extern "C" {
#endif

/* 2.2.3 MsgType. */
#define PN_RETRIEVAL_NEGO_REQ 0u
#define PN_RETRIEVAL_NEGO_RESP 1u
#define PN_RETRIEVAL_GETBLKLIST 2u
#define PN_RETRIEVAL_GETBLKS 3u
#define PN_RETRIEVAL_BLKLIST 4u
#define PN_RETRIEVAL_BLK 5u
#define PN_RETRIEVAL_GETSEGLIST 6u
#define PN_RETRIEVAL_SEGLIST 7u

#define PN_RETRIEVAL_HEADER 16u
#define PN_RETRIEVAL_REQUEST_ID 16u

/* 32-bit words only: the row is shared with JavaScript (lib/native/content-codec.ts). Versions are
 * major << 16 | minor. */
typedef struct {
  uint32_t code;       /* pn_err_t */
  uint32_t at;         /* of the field at fault */
  uint32_t has_header; /* the four words below are valid, whatever `code` says */
  uint32_t version;
  uint32_t type;
  uint32_t size;
  uint32_t cipher; /* 0 none, 1..3 AES-128, 192, 256 */
  uint32_t min_version;
  uint32_t max_version;
  uint32_t id; /* segment ID */
  uint32_t id_length;
  uint32_t ranges; /* pairs of 32-bit index and count */
  uint32_t range_count;
  uint32_t block_index;
  uint32_t next_block;
  uint32_t block;
  uint32_t block_length;
  uint32_t verification;
  uint32_t verification_length;
  uint32_t iv;
  uint32_t iv_length;
  uint32_t request_id;
  uint32_t ids; /* of GETSEGLIST: each a length, the bytes, padding to 4 */
  uint32_t id_count;
  uint32_t ids_length;
  uint32_t blob;
  uint32_t blob_length;
} pn_retrieval_t;

/* Whether the sender of a message means it as an answer. */
typedef enum { PN_RETRIEVAL_REQUEST = 0, PN_RETRIEVAL_RESPONSE = 1 } pn_retrieval_side_t;

/* The message has to fill the bytes. A response starts with its TRANSPORT_RESPONSE_HEADER (2.2.2);
 * all offsets count from the start of the bytes given. */
pn_err_t pn_retrieval_decode(pn_bytes_t bytes, pn_retrieval_side_t side, pn_retrieval_t *out);

/* Bytes that pn_retrieval_encode will write for these fields. */
uint32_t pn_retrieval_length(const pn_retrieval_t *message);

/* Writes the message, with its transport header if it is a response. Byte fields come from
 * `source`; the block may also be left out of it (`block` = UINT32_MAX): then its place is left as
 * it is for the caller to fill, at pn_retrieval_block_at. */
#define PN_RETRIEVAL_BLOCK_LATER UINT32_MAX
pn_err_t pn_retrieval_encode(const pn_retrieval_t *message, pn_bytes_t source, pn_writer_t *w);
uint32_t pn_retrieval_block_at(uint32_t id_length);

#ifdef __cplusplus
}
#endif

#endif
