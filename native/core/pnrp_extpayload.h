/* EXTENDED_PAYLOAD, MS-PNRP 2.2.3.3. Little-endian; the PNRP ID stands reversed on the wire and the
 * offset points at it as it stands there. */
#ifndef PN_PNRP_EXTPAYLOAD_H
#define PN_PNRP_EXTPAYLOAD_H

#include "core/buf.h"
#include "core/pnrp_const.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct {
  uint32_t code;          /* pn_err_t; when not 0 only `at` means anything */
  uint32_t at;            /* offset of the field at fault, from the start of the structure */
  uint32_t length;        /* of the whole structure */
  uint32_t signed_length; /* = Signature Offset */
  uint32_t not_after_low;
  uint32_t not_after_high;
  uint32_t pnrp_id;      /* 32 bytes, reversed */
  uint32_t nonce;        /* 16 bytes */
  uint32_t payload_type; /* PN_PAYLOAD_TYPE_STRING or _BINARY */
  uint32_t string_type;  /* PN_STRING_TYPE_*; 0 for binary */
  uint32_t data;         /* the bytes, or the text without its terminating NUL */
  uint32_t data_length;
  uint32_t signature; /* 128 bytes */
} pn_extpayload_t;

/* Decodes the structure that is exactly source[start .. start + length - 1]. Text has to be valid
 * UTF-8, or whole UTF-16 units (lone surrogates pass), with its only NUL at the end.
 * Returns out->code. */
pn_err_t pn_extpayload_decode(pn_bytes_t source, uint32_t start, uint32_t length,
                              pn_extpayload_t *out);

/* Payload Length: String Type, text and NUL, or the binary data; 0 when type or length are not
 * possible. */
uint32_t pn_extpayload_payload_length(const pn_extpayload_t *payload);

/* Length with the signature; 0 as above. */
uint32_t pn_extpayload_length(const pn_extpayload_t *payload);

/* Writes the structure, or with `with_signature` false only the bytes that are signed (Length is
 * the final one all the same). The text is not checked again. BAD_PAYLOAD, NO_BUFFER,
 * OUT_OF_SOURCE. */
pn_err_t pn_extpayload_encode(const pn_extpayload_t *payload, bool with_signature,
                              pn_bytes_t source, pn_writer_t *w);

#ifdef __cplusplus
}
#endif

#endif
