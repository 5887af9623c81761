/* Datagrams: all eight messages, and what they carry. */
#include "support/codec.h"

static void read_ids(pn_bytes_t source, const pn_msg_t *msg) {
  PN_ASSERT(msg->entry_count <= PN_LIMIT_ARRAY_ENTRIES);
  fuzz_read(source, msg->entries, msg->entry_count * PN_LENGTH_PNRP_ID);
}

static void read_endpoints(pn_bytes_t source, const pn_msg_t *msg) {
  PN_ASSERT(msg->entry_count <= PN_LIMIT_FLAGGED_PATH);
  fuzz_read(source, msg->entries, msg->entry_count * PN_LENGTH_IPV6_ENDPOINT);
}

static void read_message(pn_bytes_t source, const pn_msg_t *msg) {
  if ((msg->present & PN_HAS_ROUTE) != 0)
    fuzz_read_route(source, &msg->route);
  switch (msg->type) {
  case PN_MESSAGE_SOLICIT:
    PN_ASSERT(msg->solicit_type <= PN_SOLICIT_TYPE_LOCAL);
    fuzz_read(source, msg->nonce, PN_LENGTH_SHA1);
    break;
  case PN_MESSAGE_ADVERTISE:
    read_ids(source, msg);
    fuzz_read(source, msg->nonce, PN_LENGTH_SHA1);
    break;
  case PN_MESSAGE_REQUEST:
    read_ids(source, msg);
    fuzz_read(source, msg->nonce, PN_LENGTH_NONCE_VALUE);
    break;
  case PN_MESSAGE_FLOOD:
    fuzz_read(source, msg->validate, PN_LENGTH_PNRP_ID);
    fuzz_read(source, msg->bytes, msg->bytes_length);
    read_endpoints(source, msg);
    break;
  case PN_MESSAGE_INQUIRE:
    fuzz_read(source, msg->validate, PN_LENGTH_PNRP_ID);
    if ((msg->present & PN_HAS_NONCE) != 0)
      fuzz_read(source, msg->nonce, PN_LENGTH_NONCE_VALUE);
    break;
  case PN_MESSAGE_AUTHORITY:
    PN_ASSERT(msg->size <= PN_LIMIT_AUTHORITY_BUFFER && msg->offset < msg->size);
    PN_ASSERT(msg->offset % PN_LIMIT_FRAGMENT == 0);
    fuzz_read(source, msg->bytes, msg->bytes_length);
    break;
  case PN_MESSAGE_ACK:
    break;
  default:
    PN_ASSERT(msg->type == PN_MESSAGE_LOOKUP && msg->entry_count >= 1);
    fuzz_read(source, msg->target, PN_LENGTH_PNRP_ID);
    fuzz_read(source, msg->validate, PN_LENGTH_PNRP_ID);
    read_endpoints(source, msg);
  }
}

static void read_all(pn_bytes_t source, const pn_datagram_t *datagram) {
  uint32_t present = datagram->msg.present;
  read_message(source, &datagram->msg);
  if ((present & PN_HAS_BUFFER) != 0)
    fuzz_read_authority(source, &datagram->authority);
  if ((present & PN_HAS_CPA_FIELDS) != 0)
    fuzz_read_cpa(source, &datagram->cpa);
  if ((present & PN_HAS_EXTENDED_PAYLOAD_FIELDS) != 0)
    fuzz_read_payload(source, &datagram->extended_payload);
}

static uint32_t encode(const pn_datagram_t *datagram, pn_bytes_t source, uint8_t *out) {
  pn_writer_t w = {out, PN_LIMIT_UDP_PAYLOAD, 0, PN_OK};
  PN_ASSERT(pn_datagram_encode(datagram, source, &w) == PN_OK);
  return w.at;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static uint8_t first[PN_LIMIT_UDP_PAYLOAD], second[PN_LIMIT_UDP_PAYLOAD];
  static const uint32_t looks[] = {0, PN_LOOK_REVOKE, PN_LOOK_REVOKE | PN_LOOK_BUFFER, 7};
  pn_bytes_t source = fuzz_bytes(data, size);
  pn_datagram_t datagram;
  pn_err_t before = PN_OK;
  for (unsigned i = 0; i < sizeof looks / sizeof looks[0]; i++) {
    pn_err_t code = pn_datagram_decode(source, 0, source.size, looks[i], &datagram);
    PN_ASSERT(code < PN_ERR_COUNT && datagram.msg.at <= size);
    /* looking further never accepts what was refused */
    PN_ASSERT(before == PN_OK || code == before);
    before = code;
    if (code == PN_OK)
      read_all(source, &datagram);
  }
  if (before != PN_OK)
    return 0;
  uint32_t length = encode(&datagram, source, first);
  pn_bytes_t again = {first, length};
  PN_ASSERT(pn_datagram_decode(again, 0, length, 7, &datagram) == PN_OK);
  read_all(again, &datagram);
  PN_ASSERT(encode(&datagram, again, second) == length);
  PN_ASSERT(memcmp(first, second, length) == 0);
  return 0;
}
