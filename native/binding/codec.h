// What codec.cc and split.cc share: the arrays that single calls work on, and argument checks.
#ifndef PN_BINDING_CODEC_H
#define PN_BINDING_CODEC_H

#include "binding/call.h"

#include "core/limits.h"
#include "core/pnrp_datagram.h"
#include "core/pnrp_split.h"

namespace peernet {

// Handing a typed array over costs more than decoding a short datagram, so single calls find their
// arguments in arrays shared with JavaScript.
struct CodecSlab {
  pn_datagram_t row;
  uint8_t source[PN_LIMIT_CODEC_SOURCE]; // bytes to decode, or the fields to encode
  uint8_t output[PN_LIMIT_UDP_PAYLOAD + 1];
};

// A call that works on the slab.
struct CodecCall : Call {
  CodecSlab *slab;

  CodecCall(napi_env env_, napi_callback_info info)
      : Call(env_, info), slab(static_cast<CodecSlab *>(data)) {}

  // Argument 0: how many bytes of the source array, or bytes of their own.
  pn_bytes_t Input() { return BytesOr(0, slab->source, sizeof slab->source); }

  pn_bytes_t Source() const { return {slab->source, sizeof slab->source}; }
  pn_writer_t Writer() const { return {slab->output, sizeof slab->output, 0, PN_OK}; }
};

} // namespace peernet

#endif
