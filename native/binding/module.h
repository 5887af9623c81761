// What the binding's files share. Each feature file has one `Init<Thing>(env, exports)`,
// declared here and called once in module.cc.
#ifndef PN_BINDING_MODULE_H
#define PN_BINDING_MODULE_H

#include <napi.h>

namespace peernet {

// State of one JavaScript environment (main thread or worker). Nothing in the addon is global,
// so several environments can load it side by side. Reach it by InstanceData::Of(env).
struct InstanceData {
  static InstanceData &Of(Napi::Env env) { return *env.GetInstanceData<InstanceData>(); }

  // crypto.cc: keeps the arrays that hashing shares with JavaScript alive.
  Napi::Reference<Napi::ArrayBuffer> hash_slab;
  // cache.cc: likewise the array that arguments and results travel in; ring.cc uses it too.
  Napi::Reference<Napi::ArrayBuffer> cache_scratch;
  // content_codec.cc: likewise.
  Napi::Reference<Napi::ArrayBuffer> content_slab;
  // codec.cc: the same for what the codec shares.
  Napi::Reference<Napi::ArrayBuffer> codec_slab;
  // graph.cc: the same for the graph codec.
  Napi::Reference<Napi::ArrayBuffer> graph_slab;
};

void InitCache(Napi::Env env, Napi::Object exports);
void InitCodec(Napi::Env env, Napi::Object exports);
void InitContentCodec(Napi::Env env, Napi::Object exports);
void InitContentBlocks(Napi::Env env, Napi::Object exports);
void InitContentCrypto(Napi::Env env, Napi::Object exports);
void InitContentHash(Napi::Env env, Napi::Object exports);
void InitCrypto(Napi::Env env, Napi::Object exports);
void InitGraph(Napi::Env env, Napi::Object exports);
void InitRing(Napi::Env env, Napi::Object exports);
void InitSplit(Napi::Env env, Napi::Object exports);
void InitTcp(Napi::Env env, Napi::Object exports);
void InitUdp(Napi::Env env, Napi::Object exports);

} // namespace peernet

#endif
