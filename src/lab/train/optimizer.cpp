// Writes and reads the state of libtorch's optimizers, which tch has no door to. Every function catches what libtorch
// throws: an exception must not cross into Rust. Each returns 0, or 1 with the reason in `why`, cut to `length` bytes.

#include <torch/optim/optimizer.h>
#include <torch/serialize/archive.h>

#include <cstddef>
#include <cstring>
#include <exception>
#include <string>

namespace {

template <typename Action>
int guarded(char* why, size_t length, Action action) noexcept {
  std::string reason = "an unknown exception";
  try {
    action();
    return 0;
  } catch (const std::exception& error) {
    reason = error.what();
  } catch (...) {
  }
  if (length > 0) {
    const size_t count = reason.size() < length - 1 ? reason.size() : length - 1;
    std::memcpy(why, reason.data(), count);
    why[count] = '\0';
  }
  return 1;
}

}  // namespace

// Calls `sink` with each run of bytes, in order.
extern "C" int medcert_optimizer_write(const torch::optim::Optimizer* optimizer,
                                       void (*sink)(void*, const void*, size_t), void* into, char* why,
                                       size_t length) noexcept {
  return guarded(why, length, [&] {
    torch::serialize::OutputArchive archive;
    optimizer->save(archive);
    archive.save_to([&](const void* bytes, size_t count) {
      sink(into, bytes, count);
      return count;
    });
  });
}

extern "C" int medcert_optimizer_read(torch::optim::Optimizer* optimizer, const char* bytes, size_t count, char* why,
                                      size_t length) noexcept {
  return guarded(why, length, [&] {
    torch::serialize::InputArchive archive;
    archive.load_from(bytes, count);
    optimizer->load(archive);
  });
}
