// Work on a block: what content_blocks.cc makes of what JavaScript asks for.
#ifndef PEERNET_BLOCK_WORK_H
#define PEERNET_BLOCK_WORK_H

#include <string>

#include <uv.h>

#include "binding/content.h"

namespace peernet {

// One block. Secrets, hashes and IVs are copied; block memory is borrowed from JavaScript, which
// keeps it alive (and must not hand it to another thread) until the call is over.
struct BlockWork {
  enum Kind : uint32_t { kSeal = 0, kOpen = 1, kStore = 2, kCreate = 3, kRead = 4 };
  uint32_t kind = kSeal;
  bool done = false;
  // Sealing and opening. The block comes from memory or, with `file` not below 0, from there.
  uint32_t cipher = 0;
  uint8_t secret[PN_SHA2_LENGTH_MAX] = {};
  uint32_t secret_length = 0;
  uint8_t iv[PN_AES_BLOCK] = {};
  pn_bytes_t in = {nullptr, 0};
  uint8_t *out = nullptr;
  size_t out_size = 0;
  uint32_t length = 0; // of the plain block
  uint8_t hash[PN_SHA2_LENGTH_MAX] = {};
  uint32_t hash_length = 0; // 0: not compared
  pn_sha2_t algorithm = PN_SHA2_256;
  uv_file file = -1;
  int64_t position = 0;
  // Opening: where a block that is right is written to, with `target` not below 0.
  uv_file target = -1;
  int64_t target_position = 0;
  // Storing: `in` goes to `position` of `file`, then `row` to its place.
  pn_bytes_t row = {nullptr, 0};
  int64_t row_position = 0;
  // Creating: `row` and `in` go to a new file `aside`, which then gets the name `path`. Reading:
  // the start of `path` fills `head`, as much as is there of the rest goes to `out`.
  pn_bytes_t head = {nullptr, 0};
  // Of reading, in seconds: now, and the least between two marks of use on a file.
  double now = 0;
  double touch = 0;
  std::string aside;
  std::string path;
};

// All of these use the files of the system, and wait for them: on the thread pool only.

// The block of `file` at `position`.
bool ReadBlock(const BlockWork &work, uint8_t *to);
bool WriteAll(uv_file file, pn_bytes_t bytes, int64_t position);
bool StoreBlock(const BlockWork &work);
bool CreateFile(const BlockWork &work);
// Whether there was more than the head.
bool ReadFile(const BlockWork &work);

} // namespace peernet

#endif
