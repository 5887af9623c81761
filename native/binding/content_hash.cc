// Content hashed on the thread pool: one work item per processor core, each taking the next unit of
// the content (1 MiB of blocks, or a window of segments) until none is left. Files are read on
// those threads; nothing passes through JavaScript. lib/native/content-hash.ts is the façade.
#include "binding/content.h"

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <vector>

#include <uv.h>

namespace peernet {
namespace {

constexpr napi_type_tag kJobTag = {0x5b1de0b6c7aa43f1u, 0xa2f4c1d09e3b8877u};
constexpr uint32_t kUnit = 1u << 20;
constexpr uint32_t kMostWorkers = 16;

// How a job ended; lib/native/content-hash.ts has the names. Below 0: an error number of libuv.
enum Outcome : int { kDone = 0, kCancelled = 1, kChanged = 2, kNoMemory = 3 };

struct Window {
  std::vector<uint32_t> lengths;
  std::vector<uint8_t> hashes;
};

struct Job;

struct Worker {
  std::shared_ptr<Job> job;
  napi_async_work work = nullptr;
};

struct Job {
  const pn_content_crypto_t *crypto = pn_content_crypto_openssl();
  const uint8_t *bytes = nullptr; // or a file
  uv_file file = -1;
  int64_t position = 0;
  uint64_t size = 0;
  uint32_t version = 1;
  pn_sha2_t algorithm = PN_SHA2_256;
  uint32_t fixed = 0;
  uint32_t unit = kUnit;
  uint64_t units = 0;
  uint8_t *hashes = nullptr;   // version 1: memory of `result`
  std::vector<Window> windows; // version 2
  std::atomic<uint64_t> next{0};
  std::atomic<uint64_t> progress{0};
  std::atomic<int> outcome{kDone};
  std::atomic<bool> stop{false};
  uint32_t running = 0; // main thread only
  napi_ref callback = nullptr;
  napi_ref source = nullptr; // keeps `bytes` alive
  napi_ref result = nullptr;

  void Fail(int why) {
    int expected = kDone;
    outcome.compare_exchange_strong(expected, why);
    stop.store(true);
  }
};

struct Free {
  void operator()(uint8_t *memory) const { std::free(memory); }
};

// The unit's bytes, in place or read into `buffer`; nullptr after a failure.
const uint8_t *UnitBytes(Job *job, uint64_t offset, uint32_t length, uint8_t *buffer) {
  if (job->bytes != nullptr)
    return job->bytes + offset;
  for (uint32_t at = 0; at < length;) {
    uv_fs_t request;
    uv_buf_t target = uv_buf_init(reinterpret_cast<char *>(buffer) + at, length - at);
    const int count = uv_fs_read(nullptr, &request, job->file, &target, 1,
                                 job->position + static_cast<int64_t>(offset + at), nullptr);
    uv_fs_req_cleanup(&request);
    if (count <= 0) {
      job->Fail(count == 0 ? kChanged : count);
      return nullptr;
    }
    at += static_cast<uint32_t>(count);
  }
  return buffer;
}

void HashUnit(Job *job, uint64_t unit, const uint8_t *bytes, uint32_t length,
              pn_segments_t *found) {
  if (job->version == 1) {
    const uint64_t first = unit * (kUnit / PN_LIMIT_BLOCK);
    pn_hash_blocks(job->crypto, job->algorithm, bytes, length,
                   job->hashes + first * pn_sha2_length(job->algorithm));
    return;
  }
  uint32_t consumed = 0;
  const uint32_t count =
      pn_hash_segments(job->crypto, job->fixed, bytes, length, job->unit, true, found, &consumed);
  Window &window = job->windows[unit];
  window.lengths.assign(found->lengths, found->lengths + count);
  window.hashes.assign(found->hashes[0], found->hashes[0] + static_cast<size_t>(count) * 32);
}

void Execute(napi_env, void *data) {
  Job *job = static_cast<Worker *>(data)->job.get();
  std::unique_ptr<uint8_t, Free> buffer;
  std::unique_ptr<pn_segments_t> found;
  if (job->bytes == nullptr)
    buffer.reset(static_cast<uint8_t *>(std::malloc(job->unit)));
  if (job->version == 2)
    found.reset(new (std::nothrow) pn_segments_t);
  if ((job->bytes == nullptr && !buffer) || (job->version == 2 && !found))
    return job->Fail(kNoMemory);
  while (!job->stop.load(std::memory_order_relaxed)) {
    const uint64_t unit = job->next.fetch_add(1);
    if (unit >= job->units)
      return;
    const uint64_t offset = unit * job->unit, left = job->size - offset;
    const uint32_t length = left < job->unit ? static_cast<uint32_t>(left) : job->unit;
    const uint8_t *bytes = UnitBytes(job, offset, length, buffer.get());
    if (bytes == nullptr)
      return;
    HashUnit(job, unit, bytes, length, found.get());
    job->progress.fetch_add(length, std::memory_order_relaxed);
  }
}

// Version 2: all windows' lengths and hashes as two arrays.
bool JoinWindows(napi_env env, const Job &job, napi_value *lengths, napi_value *hashes) {
  size_t count = 0, at = 0;
  for (const Window &window : job.windows)
    count += window.lengths.size();
  napi_value length_buffer, hash_buffer;
  void *length_data = nullptr, *hash_data = nullptr;
  if (napi_create_arraybuffer(env, count * sizeof(uint32_t), &length_data, &length_buffer) !=
          napi_ok ||
      napi_create_arraybuffer(env, count * 32, &hash_data, &hash_buffer) != napi_ok)
    return false;
  for (const Window &window : job.windows) {
    if (window.lengths.empty())
      continue;
    std::memcpy(static_cast<uint32_t *>(length_data) + at, window.lengths.data(),
                window.lengths.size() * sizeof(uint32_t));
    std::memcpy(static_cast<uint8_t *>(hash_data) + at * 32, window.hashes.data(),
                window.hashes.size());
    at += window.lengths.size();
  }
  return napi_create_typedarray(env, napi_uint32_array, count, length_buffer, 0, lengths) ==
             napi_ok &&
         napi_create_typedarray(env, napi_uint8_array, count * 32, hash_buffer, 0, hashes) ==
             napi_ok;
}

void Finish(napi_env env, Job *job) {
  napi_value callback = nullptr, values[3] = {nullptr, nullptr, nullptr}, undefined = nullptr;
  napi_get_undefined(env, &undefined);
  napi_get_reference_value(env, job->callback, &callback);
  values[1] = values[2] = undefined;
  int outcome = job->outcome.load();
  if (outcome == kDone && job->version == 1)
    napi_get_reference_value(env, job->result, &values[2]);
  else if (outcome == kDone && !JoinWindows(env, *job, &values[1], &values[2]))
    outcome = kNoMemory;
  napi_create_int32(env, outcome, &values[0]);
  for (napi_ref *reference : {&job->callback, &job->source, &job->result})
    if (*reference != nullptr)
      napi_delete_reference(env, *reference);
  if (callback != nullptr)
    napi_call_function(env, undefined, callback, 3, values, nullptr);
}

void Complete(napi_env env, napi_status status, void *data) {
  std::unique_ptr<Worker> worker(static_cast<Worker *>(data));
  napi_delete_async_work(env, worker->work);
  if (status != napi_ok)
    worker->job->Fail(kCancelled);
  if (--worker->job->running == 0)
    Finish(env, worker->job.get());
}

bool Start(napi_env env, const std::shared_ptr<Job> &job) {
  napi_value name;
  napi_create_string_utf8(env, "peernet:hash", NAPI_AUTO_LENGTH, &name);
  auto worker = std::make_unique<Worker>();
  worker->job = job;
  if (napi_create_async_work(env, nullptr, name, Execute, Complete, worker.get(), &worker->work) !=
      napi_ok)
    return false;
  if (napi_queue_async_work(env, worker->work) != napi_ok) {
    napi_delete_async_work(env, worker->work);
    return false;
  }
  worker.release(); // Complete frees it
  job->running++;
  return true;
}

void FinalizeJob(napi_env, void *data, void *) {
  auto *job = static_cast<std::shared_ptr<Job> *>(data);
  delete job;
}

bool ReadSource(napi_env env, ContentCall *call, Job *job) {
  napi_valuetype type;
  if (napi_typeof(env, call->At(0), &type) != napi_ok)
    return false;
  job->position = static_cast<int64_t>(call->Double(1));
  job->size = static_cast<uint64_t>(call->Double(2));
  if (type == napi_number) {
    job->file = static_cast<uv_file>(call->Uint(0));
    return call->good;
  }
  const pn_bytes_t bytes = call->Bytes(0);
  job->bytes = bytes.base;
  return call->good && job->position == 0 && job->size == bytes.size &&
         napi_create_reference(env, call->At(0), 1, &job->source) == napi_ok;
}

// Version 1: the array that workers write into.
bool MakeResult(napi_env env, Job *job) {
  const uint64_t blocks = (job->size + PN_LIMIT_BLOCK - 1) / PN_LIMIT_BLOCK;
  const size_t size = static_cast<size_t>(blocks * pn_sha2_length(job->algorithm));
  napi_value buffer, array;
  void *data = nullptr;
  if (napi_create_arraybuffer(env, size, &data, &buffer) != napi_ok ||
      napi_create_typedarray(env, napi_uint8_array, size, buffer, 0, &array) != napi_ok ||
      napi_create_reference(env, array, 1, &job->result) != napi_ok)
    return false;
  job->hashes = static_cast<uint8_t *>(data);
  return true;
}

void DropReferences(napi_env env, Job *job) {
  for (napi_ref *reference : {&job->callback, &job->source, &job->result}) {
    if (*reference != nullptr)
      napi_delete_reference(env, *reference);
    *reference = nullptr;
  }
}

// hashStart(fd | bytes, position, size, version, algorithm, fixed, workers, callback): the job.
// callback(outcome, lengths, hashes).
napi_value HashStart(napi_env env, napi_callback_info info) {
  ContentCall call(env, info);
  auto job = std::make_shared<Job>();
  napi_valuetype type = napi_undefined;
  bool good = ReadSource(env, &call, job.get());
  job->version = call.Uint(3);
  job->algorithm = call.Algorithm(4);
  job->fixed = call.Uint(5);
  const uint32_t workers = call.Uint(6);
  good =
      good && call.good && (job->version == 1 || job->version == 2) && workers >= 1 &&
      workers <= kMostWorkers && job->size > 0 && job->size <= UINT64_C(1) << 37 &&
      (job->fixed == 0 || (job->fixed >= PN_LIMIT_CUT_FIXED && job->fixed <= PN_LIMIT_SEGMENT_2)) &&
      napi_typeof(env, call.At(7), &type) == napi_ok && type == napi_function &&
      napi_create_reference(env, call.At(7), 1, &job->callback) == napi_ok;
  if (good && job->version == 1) {
    good = MakeResult(env, job.get());
  } else if (good) {
    job->unit = pn_cut_window(job->fixed);
  }
  if (!good) {
    DropReferences(env, job.get());
    return call.Misuse("hashStart(source, position, size, version, algorithm, fixed, workers, "
                       "callback) is wanted");
  }
  job->units = (job->size + job->unit - 1) / job->unit;
  if (job->version == 2)
    job->windows.resize(job->units);
  napi_value object;
  auto *held = new std::shared_ptr<Job>(job);
  if (napi_create_object(env, &object) != napi_ok ||
      napi_wrap(env, object, held, FinalizeJob, nullptr, nullptr) != napi_ok) {
    delete held;
    DropReferences(env, job.get());
    return nullptr;
  }
  napi_type_tag_object(env, object, &kJobTag);
  for (uint32_t i = 0; i < workers && i < job->units; i++)
    if (!Start(env, job))
      break;
  if (job->running == 0) {
    DropReferences(env, job.get());
    return call.Misuse("the thread pool takes no work");
  }
  return object;
}

Job *JobOf(napi_env env, napi_value value) {
  bool tagged = false;
  napi_valuetype type;
  void *data = nullptr;
  if (napi_typeof(env, value, &type) != napi_ok || type != napi_object ||
      napi_check_object_type_tag(env, value, &kJobTag, &tagged) != napi_ok || !tagged ||
      napi_unwrap(env, value, &data) != napi_ok)
    return nullptr;
  return static_cast<std::shared_ptr<Job> *>(data)->get();
}

// hashProgress(job): bytes hashed so far.
napi_value HashProgress(napi_env env, napi_callback_info info) {
  ContentCall call(env, info);
  Job *job = JobOf(env, call.At(0));
  if (job == nullptr)
    return call.Misuse("a job is wanted");
  return call.Number(static_cast<double>(job->progress.load(std::memory_order_relaxed)));
}

// hashCancel(job): workers end after the unit they are at; the callback comes as always.
napi_value HashCancel(napi_env env, napi_callback_info info) {
  ContentCall call(env, info);
  Job *job = JobOf(env, call.At(0));
  if (job == nullptr)
    return call.Misuse("a job is wanted");
  job->Fail(kCancelled);
  return nullptr;
}

} // namespace

void InitContentHash(Napi::Env env, Napi::Object exports) {
  const ContentFunction functions[] = {
      {"hashStart", HashStart},
      {"hashProgress", HashProgress},
      {"hashCancel", HashCancel},
  };
  ExportContent(env, exports, nullptr, functions);
}

} // namespace peernet
