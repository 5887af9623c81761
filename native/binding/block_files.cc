// Blocks in files (binding/block_work.h).
#include "binding/block_work.h"

#include <cmath>

namespace peernet {

bool ReadBlock(const BlockWork &work, uint8_t *to) {
  uint32_t at = 0;
  while (at < work.length) {
    uv_fs_t request;
    uv_buf_t buffer = uv_buf_init(reinterpret_cast<char *>(to) + at, work.length - at);
    const int count =
        uv_fs_read(nullptr, &request, work.file, &buffer, 1, work.position + at, nullptr);
    uv_fs_req_cleanup(&request);
    if (count <= 0)
      return false;
    at += static_cast<uint32_t>(count);
  }
  return true;
}

bool WriteAll(uv_file file, pn_bytes_t bytes, int64_t position) {
  uint32_t at = 0;
  while (at < bytes.size) {
    uv_fs_t request;
    char *from = reinterpret_cast<char *>(const_cast<uint8_t *>(bytes.base)) + at;
    uv_buf_t buffer = uv_buf_init(from, bytes.size - at);
    const int count = uv_fs_write(nullptr, &request, file, &buffer, 1, position + at, nullptr);
    uv_fs_req_cleanup(&request);
    if (count <= 0)
      return false;
    at += static_cast<uint32_t>(count);
  }
  return true;
}

// Nobody finds a file again that has lost its last name.
static bool HasName(uv_file file) {
  uv_fs_t request;
  const int result = uv_fs_fstat(nullptr, &request, file, nullptr);
  const bool has = result == 0 && request.statbuf.st_nlink > 0;
  uv_fs_req_cleanup(&request);
  return has;
}

bool StoreBlock(const BlockWork &work) {
  return HasName(work.file) && WriteAll(work.file, work.in, work.position) &&
         WriteAll(work.file, work.row, work.row_position);
}

bool CreateFile(const BlockWork &work) {
  uv_fs_t request;
  const int flags = UV_FS_O_WRONLY | UV_FS_O_CREAT | UV_FS_O_EXCL;
  const uv_file file = uv_fs_open(nullptr, &request, work.aside.c_str(), flags, 0600, nullptr);
  uv_fs_req_cleanup(&request);
  if (file < 0)
    return false;
  bool done = WriteAll(file, work.row, 0) && WriteAll(file, work.in, work.row.size);
  done = uv_fs_close(nullptr, &request, file, nullptr) == 0 && done;
  uv_fs_req_cleanup(&request);
  if (done) {
    done = uv_fs_rename(nullptr, &request, work.aside.c_str(), work.path.c_str(), nullptr) == 0;
    uv_fs_req_cleanup(&request);
  }
  if (!done) {
    uv_fs_unlink(nullptr, &request, work.aside.c_str(), nullptr);
    uv_fs_req_cleanup(&request);
  }
  return done;
}

// The time of its change is that of its last use.
static void Touch(uv_file file, double now, double least) {
  uv_fs_t request;
  const int result = uv_fs_fstat(nullptr, &request, file, nullptr);
  const uv_timespec_t used = request.statbuf.st_mtim;
  uv_fs_req_cleanup(&request);
  const double at = static_cast<double>(used.tv_sec) + static_cast<double>(used.tv_nsec) / 1e9;
  if (result != 0 || std::fabs(now - at) < least)
    return;
  uv_fs_futime(nullptr, &request, file, now, now, nullptr);
  uv_fs_req_cleanup(&request);
}

bool ReadFile(const BlockWork &work) {
  uv_fs_t request;
  const uv_file file = uv_fs_open(nullptr, &request, work.path.c_str(), UV_FS_O_RDONLY, 0, nullptr);
  uv_fs_req_cleanup(&request);
  if (file < 0)
    return false;
  char *head = reinterpret_cast<char *>(const_cast<uint8_t *>(work.head.base));
  const uv_buf_t buffers[2] = {
      uv_buf_init(head, work.head.size),
      uv_buf_init(reinterpret_cast<char *>(work.out), static_cast<unsigned>(work.out_size))};
  const int count = uv_fs_read(nullptr, &request, file, buffers, 2, 0, nullptr);
  uv_fs_req_cleanup(&request);
  Touch(file, work.now, work.touch);
  uv_fs_close(nullptr, &request, file, nullptr);
  uv_fs_req_cleanup(&request);
  return count > 0 && static_cast<size_t>(count) > work.head.size;
}

} // namespace peernet
