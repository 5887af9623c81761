/* Encode + decode pairs of the native core alone, one thread, no crypto.
 *
 *   codec SECONDS < datagram
 *
 * The datagram stands 64 times in a slab, each copy with a Message ID of its own. A pair is one
 * datagram decoded in full, every field and every byte of it read, and encoded again from the row.
 * Prints pairs per CPU-second. */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/limits.h"
#include "core/pnrp_datagram.h"

#define COPIES 64u
#define ROUNDS 256u

static const uint32_t look_at_all = PN_LOOK_REVOKE | PN_LOOK_BUFFER | PN_LOOK_STRUCTURES;

static uint8_t slab[COPIES * PN_LIMIT_UDP_PAYLOAD];
static uint8_t output[PN_LIMIT_UDP_PAYLOAD];
static pn_datagram_t rows[COPIES];
static volatile uint32_t result;

static double cpu_seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void fail(const char *why) {
  fprintf(stderr, "codec: %s\n", why);
  exit(1);
}

static uint32_t sum(uint32_t at, uint32_t length) {
  uint32_t total = 0;
  for (uint32_t i = 0; i < length; i++)
    total += slab[at + i];
  return total;
}

static uint32_t read_route(const pn_route_t *route) {
  return sum(route->pnrp_id, PN_LENGTH_PNRP_ID) + route->port +
         sum(route->addresses, route->address_count * PN_LENGTH_IPV6_ADDRESS);
}

static uint32_t read_cpa(const pn_cpa_t *cpa) {
  return cpa->flags + cpa->not_after_low + cpa->not_after_high +
         sum(cpa->service_location, PN_LENGTH_SERVICE_LOCATION) +
         sum(cpa->nonce, PN_LENGTH_NONCE_VALUE) + sum(cpa->authority, PN_LENGTH_BINARY_AUTHORITY) +
         sum(cpa->classifier_hash, PN_LENGTH_CLASSIFIER_HASH) +
         sum(cpa->friendly_name, cpa->friendly_name_length) +
         sum(cpa->services, cpa->service_count * PN_LENGTH_IPV6_ENDPOINT) +
         sum(cpa->apps, cpa->app_count * PN_LENGTH_APP_ENDPOINT) +
         sum(cpa->public_key, PN_LENGTH_PUBLIC_KEY_DATA) +
         sum(cpa->signature, PN_LENGTH_SIGNATURE_DATA);
}

static uint32_t read_lookup(const pn_msg_t *msg) {
  return msg->message_id + msg->flags + msg->precision + msg->criteria + msg->reason +
         sum(msg->target, PN_LENGTH_PNRP_ID) + sum(msg->validate, PN_LENGTH_PNRP_ID) +
         read_route(&msg->route) + sum(msg->entries, msg->entry_count * PN_LENGTH_IPV6_ENDPOINT);
}

static uint32_t read_authority(const pn_datagram_t *row) {
  return row->msg.message_id + row->msg.acked_message_id + row->authority.flags +
         sum(row->authority.classifier, row->authority.classifier_units * PN_LENGTH_WCHAR) +
         read_route(&row->authority.route) + read_cpa(&row->cpa);
}

static uint32_t read_fields(const pn_datagram_t *row) {
  return row->msg.type == PN_MESSAGE_LOOKUP ? read_lookup(&row->msg) : read_authority(row);
}

static void fill(uint32_t *length) {
  *length = (uint32_t)fread(slab, 1, PN_LIMIT_UDP_PAYLOAD, stdin);
  for (uint32_t i = 1; i < COPIES; i++) {
    memcpy(slab + i * *length, slab, *length);
    slab[i * *length + 11] = (uint8_t)i; /* last byte of the Message ID */
  }
}

static void pairs(pn_bytes_t source, uint32_t length) {
  for (uint32_t i = 0; i < COPIES; i++) {
    if (pn_datagram_decode(source, i * length, length, look_at_all, &rows[i]) != PN_OK)
      fail("the datagram does not decode");
  }
  uint32_t total = 0;
  for (uint32_t i = 0; i < COPIES; i++)
    total += read_fields(&rows[i]);
  result = total;
  for (uint32_t i = 0; i < COPIES; i++) {
    pn_writer_t writer = {output, sizeof output, 0, PN_OK};
    if (pn_datagram_encode(&rows[i], source, &writer) != PN_OK || writer.at != length)
      fail("the row does not encode");
  }
  if (memcmp(output, slab + (COPIES - 1) * length, length) != 0)
    fail("decoding and encoding gave something else");
}

int main(int argc, char **argv) {
  double seconds = argc > 1 ? strtod(argv[1], NULL) : 1;
  uint32_t length;
  fill(&length);
  pn_bytes_t source = {slab, COPIES * length};
  for (uint32_t i = 0; i < ROUNDS; i++)
    pairs(source, length);
  double start = cpu_seconds(), used = 0;
  double done = 0;
  while (used < seconds) {
    for (uint32_t i = 0; i < ROUNDS; i++)
      pairs(source, length);
    done += COPIES * ROUNDS;
    used = cpu_seconds() - start;
  }
  printf("%.0f\n", done / used);
  return 0;
}
