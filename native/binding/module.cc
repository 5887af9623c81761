#include "binding/module.h"

#include "core/peernet.h"

namespace peernet {

static Napi::Object Init(Napi::Env env, Napi::Object exports) {
  env.SetInstanceData(new InstanceData());
  exports.Set("version", Napi::String::New(env, pn_version()));
  InitCache(env, exports);
  InitRing(env, exports);
  InitCodec(env, exports);
  InitContentCodec(env, exports);
  InitContentBlocks(env, exports);
  InitContentCrypto(env, exports);
  InitContentHash(env, exports);
  InitCrypto(env, exports);
  InitGraph(env, exports);
  InitSplit(env, exports);
  InitTcp(env, exports);
  InitUdp(env, exports);
  return exports;
}

NODE_API_MODULE(peernet, Init)

} // namespace peernet
