#include "core/pnrp_datagram.h"

#include "core/limits.h"

static pn_err_t fail(pn_msg_t *msg, uint32_t code, uint32_t at) {
  msg->code = code;
  msg->at = at;
  return (pn_err_t)code;
}

static pn_err_t look_at_revoke(pn_bytes_t source, uint32_t start, pn_datagram_t *out) {
  pn_msg_t *msg = &out->msg;
  if (pn_cpa_decode(source, msg->bytes, msg->bytes_length, PN_REVOKE_NONCE_AUTO, PN_CPA_REVOKE,
                    &out->cpa) != PN_OK)
    return fail(msg, out->cpa.code, msg->bytes - start + out->cpa.at);
  msg->present |= PN_HAS_CPA_FIELDS;
  return PN_OK;
}

static pn_err_t look_at_structures(pn_bytes_t source, uint32_t start, pn_datagram_t *out) {
  pn_msg_t *msg = &out->msg;
  const pn_authority_t *buffer = &out->authority;
  if ((buffer->present & PN_HAS_EXTENDED_PAYLOAD) != 0) {
    if (pn_extpayload_decode(source, buffer->extended_payload, buffer->extended_payload_length,
                             &out->extended_payload) != PN_OK)
      return fail(msg, out->extended_payload.code,
                  buffer->extended_payload - start + out->extended_payload.at);
    msg->present |= PN_HAS_EXTENDED_PAYLOAD_FIELDS;
  }
  if ((buffer->present & PN_HAS_CPA) != 0) {
    if (pn_cpa_decode(source, buffer->cpa, buffer->cpa_length, PN_REVOKE_NONCE_AUTO, PN_CPA_LIVE,
                      &out->cpa) != PN_OK)
      return fail(msg, out->cpa.code, buffer->cpa - start + out->cpa.at);
    msg->present |= PN_HAS_CPA_FIELDS;
  }
  return PN_OK;
}

static pn_err_t look_at_buffer(pn_bytes_t source, uint32_t start, uint32_t look,
                               pn_datagram_t *out) {
  pn_msg_t *msg = &out->msg;
  if (pn_msg_slice_fits(msg->size, msg->offset, msg->bytes_length) != PN_OK)
    return fail(msg, PN_ERR_BAD_SPLIT, PN_LENGTH_AUTHORITY_PREFIX - 4);
  if (msg->bytes_length != msg->size)
    return PN_OK;
  if (pn_authority_decode(source, msg->bytes, msg->bytes_length, &out->authority) != PN_OK)
    return fail(msg, out->authority.code, msg->bytes - start + out->authority.at);
  msg->present |= PN_HAS_BUFFER;
  return (look & PN_LOOK_STRUCTURES) != 0 ? look_at_structures(source, start, out) : PN_OK;
}

pn_err_t pn_datagram_decode(pn_bytes_t source, uint32_t start, uint32_t length, uint32_t look,
                            pn_datagram_t *out) {
  pn_err_t code = pn_msg_decode(source, start, length, &out->msg);
  if (code != PN_OK)
    return code;
  if (out->msg.type == PN_MESSAGE_FLOOD && (look & PN_LOOK_REVOKE) != 0 &&
      (out->msg.present & PN_HAS_CPA) != 0)
    return look_at_revoke(source, start, out);
  if (out->msg.type == PN_MESSAGE_AUTHORITY && (look & PN_LOOK_BUFFER) != 0)
    return look_at_buffer(source, start, look, out);
  return PN_OK;
}

static pn_err_t encode_whole(const pn_datagram_t *datagram, pn_bytes_t source, pn_writer_t *w) {
  const pn_msg_t *msg = &datagram->msg;
  pn_authority_parts_t parts = {
      (msg->present & PN_HAS_CPA_FIELDS) != 0 ? &datagram->cpa : NULL,
      (msg->present & PN_HAS_EXTENDED_PAYLOAD_FIELDS) != 0 ? &datagram->extended_payload : NULL,
  };
  uint32_t size = pn_authority_length(&datagram->authority, &parts);
  if (size > 0 && PN_LENGTH_AUTHORITY_PREFIX + size > w->size - w->at)
    return PN_ERR_NO_BUFFER;
  pn_hdr_encode(w, PN_MESSAGE_AUTHORITY, msg->message_id);
  pn_write_elem(w, PN_FIELD_PNRP_HEADER_ACKED, PN_LENGTH_HEADER_ACKED);
  pn_write_be32(w, msg->acked_message_id);
  pn_write_elem(w, PN_FIELD_SPLIT_CONTROLS, PN_LENGTH_SPLIT_CONTROLS);
  pn_write_be32(w, size << 16);
  return pn_authority_encode(&datagram->authority, &parts, source, w);
}

pn_err_t pn_datagram_encode(const pn_datagram_t *datagram, pn_bytes_t source, pn_writer_t *w) {
  const pn_msg_t *msg = &datagram->msg;
  if (msg->type == PN_MESSAGE_AUTHORITY && (msg->present & PN_HAS_BUFFER) != 0)
    return encode_whole(datagram, source, w);
  return pn_msg_encode(msg, source, w);
}
