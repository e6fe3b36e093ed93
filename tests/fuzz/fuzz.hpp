// SPDX-License-Identifier: LGPL-2.1-or-later
// What a fuzz target is: one function over any text, which ends the process where a promise is broken.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

// libFuzzer's own name and signature. NOLINTNEXTLINE(readability-identifier-naming)
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace cgm::test {

inline std::string_view text_of(const uint8_t* data, size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// Ends the process with a name for what does not hold, also in builds without assert.
inline void promise(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

/// Choices from the front of an input: what a target needs beside text. An input that has ended gives zeros.
class Choices final {
 public:
  explicit Choices(std::string_view input) : rest_(input) {}
  uint8_t byte() {
    if (rest_.empty()) return 0;
    auto value = static_cast<uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return value;
  }
  uint64_t number(int bytes) {
    uint64_t value = 0;
    for (int i = 0; i < bytes; i++) value = value << 8 | byte();
    return value;
  }
  bool ended() const { return rest_.empty(); }
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

}  // namespace cgm::test

/// Defines the target: FUZZ(text) { … }
#define FUZZ(text)                                                                       \
  static void fuzz_one(std::string_view text);                                           \
  extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) { /* NOLINT */ \
    fuzz_one(cgm::test::text_of(data, size));                                            \
    return 0;                                                                            \
  }                                                                                      \
  static void fuzz_one(std::string_view text)
