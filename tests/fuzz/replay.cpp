// SPDX-License-Identifier: LGPL-2.1-or-later
// Runs a fuzz target over the files of its corpus, in builds without libFuzzer: replay FOLDER. Each file is given
// whole, and cut off at each of its first bytes, which is where parsers fail.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <system_error>

#include "fuzz/fuzz.hpp"

namespace {

constexpr size_t kCuts = 512;

// A block of exactly this size, so that AddressSanitizer sees a read past its end.
void run(std::string_view text) {
  auto block = std::make_unique<uint8_t[]>(text.size());
  std::copy(text.begin(), text.end(), block.get());
  LLVMFuzzerTestOneInput(block.get(), text.size());
}

}  // namespace

int main(int argc, char** argv) {
  size_t files = 0;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(argc == 2 ? argv[1] : "", error)) {
    std::ifstream file(entry.path(), std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(file), {}};
    run(text);
    for (size_t cut = 0; cut < std::min(text.size(), kCuts); cut++) run(std::string_view(text).substr(0, cut));
    files++;
  }
  if (files == 0) {
    std::fprintf(stderr, "usage: replay FOLDER: no corpus in '%s'\n", argc == 2 ? argv[1] : "");
    return 2;
  }
  std::printf("%zu files\n", files);
  return 0;
}
