/* What the codec's fuzz targets share. A target decodes its input, reads every byte that the
 * decoded struct points at, encodes the struct, and decodes and encodes that once more: the second
 * encoding has to equal the first. */
#ifndef PN_FUZZ_CODEC_H
#define PN_FUZZ_CODEC_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/assert.h"
#include "core/limits.h"
#include "core/pnrp_datagram.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline pn_bytes_t fuzz_bytes(const uint8_t *data, size_t size) {
  return (pn_bytes_t){data, (uint32_t)size};
}

/* Reads a span; it has to lie inside the bytes that were decoded. */
static inline void fuzz_read(pn_bytes_t source, uint32_t at, uint32_t length) {
  static volatile uint8_t sink;
  PN_ASSERT(at <= source.size && length <= source.size - at);
  for (uint32_t i = 0; i < length; i++)
    sink = (uint8_t)(sink ^ source.base[at + i]);
}

static inline void fuzz_read_route(pn_bytes_t source, const pn_route_t *route) {
  PN_ASSERT(route->address_count >= 1 && route->address_count <= PN_LIMIT_ROUTE_ENTRY_ADDRESSES);
  PN_ASSERT(route->port <= 0xffff);
  fuzz_read(source, route->pnrp_id, PN_LENGTH_PNRP_ID);
  fuzz_read(source, route->addresses, route->address_count * PN_LENGTH_IPV6_ADDRESS);
}

static inline void fuzz_read_authority(pn_bytes_t source, const pn_authority_t *buffer) {
  if ((buffer->present & PN_HAS_CHAIN) != 0)
    fuzz_read(source, buffer->chain, buffer->chain_length);
  if ((buffer->present & PN_HAS_CLASSIFIER) != 0) {
    PN_ASSERT(buffer->classifier_units <= PN_LIMIT_CLASSIFIER_UNITS);
    fuzz_read(source, buffer->classifier, buffer->classifier_units * PN_LENGTH_WCHAR);
  }
  if ((buffer->present & PN_HAS_EXTENDED_PAYLOAD) != 0)
    fuzz_read(source, buffer->extended_payload, buffer->extended_payload_length);
  if ((buffer->present & PN_HAS_ROUTE) != 0)
    fuzz_read_route(source, &buffer->route);
  if ((buffer->present & PN_HAS_CPA) != 0)
    fuzz_read(source, buffer->cpa, buffer->cpa_length);
}

static inline void fuzz_read_cpa(pn_bytes_t source, const pn_cpa_t *cpa) {
  PN_ASSERT(cpa->length <= PN_LIMIT_CPA_MAXIMUM);
  PN_ASSERT(cpa->signed_length + PN_LENGTH_SIGNATURE == cpa->length);
  PN_ASSERT(cpa->service_count <= PN_LIMIT_SERVICE_ADDRESSES);
  PN_ASSERT(cpa->app_count <= PN_LIMIT_APP_ENDPOINTS);
  PN_ASSERT(cpa->friendly_name_length <= PN_LIMIT_FRIENDLY_NAME);
  fuzz_read(source, cpa->service_location, PN_LENGTH_SERVICE_LOCATION);
  fuzz_read(source, cpa->nonce,
            cpa->revoke_nonce == PN_REVOKE_NONCE_ABSENT ? 0 : PN_LENGTH_NONCE_VALUE);
  if ((cpa->flags & PN_CPA_FLAG_A) != 0)
    fuzz_read(source, cpa->authority, PN_LENGTH_BINARY_AUTHORITY);
  if ((cpa->flags & PN_CPA_FLAG_C) != 0)
    fuzz_read(source, cpa->classifier_hash, PN_LENGTH_CLASSIFIER_HASH);
  fuzz_read(source, cpa->friendly_name, cpa->friendly_name_length);
  fuzz_read(source, cpa->services, cpa->service_count * PN_LENGTH_IPV6_ENDPOINT);
  fuzz_read(source, cpa->apps, cpa->app_count * PN_LENGTH_APP_ENDPOINT);
  fuzz_read(source, cpa->public_key, PN_LENGTH_PUBLIC_KEY_DATA);
  fuzz_read(source, cpa->signature, PN_LENGTH_SIGNATURE_DATA);
}

static inline void fuzz_read_payload(pn_bytes_t source, const pn_extpayload_t *payload) {
  PN_ASSERT(payload->length <= PN_LIMIT_EXTENDED_PAYLOAD);
  PN_ASSERT(payload->signed_length + PN_LENGTH_SIGNATURE == payload->length);
  fuzz_read(source, payload->pnrp_id, PN_LENGTH_PNRP_ID);
  fuzz_read(source, payload->nonce, PN_LENGTH_NONCE_VALUE);
  fuzz_read(source, payload->data, payload->data_length);
  fuzz_read(source, payload->signature, PN_LENGTH_SIGNATURE_DATA);
}

#endif
