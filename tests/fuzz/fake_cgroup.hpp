// SPDX-License-Identifier: LGPL-2.1-or-later
// A cgroup in memory, for properties of pure code that plans writes and reads them back: the files of a fresh one, of
// either version, which keep what is written as the kernel keeps it, or refuse it. Only as good as what it was told of
// the kernel (docs/limits-mapping.md, cgroup-v2.rst): what really happens is for the host tests to say.
#pragma once

#include <string>
#include <string_view>

#include "cgroup/files.hpp"
#include "cgroup/translate.hpp"
#include "support/recorded.hpp"

namespace cgm::test {

class FakeCgroup final {
 public:
  static constexpr uint64_t kPage = 4096;

  explicit FakeCgroup(cgroup::Version version);

  Result<std::string> read(std::string_view file) const { return read_recorded(files_, file); }
  /// Errors as the kernel's: EINVAL, ERANGE, ENOENT.
  Result<void> write(std::string_view file, std::string_view value);
  /// Makes every file but `write`'s target read `text`.
  void corrupt(std::string_view text);
  /// The `number`th write from now on fails with EIO; 0: none does.
  void fail_write(unsigned number) { fail_in_ = number; }

  const Recorded& files() const { return files_; }
  /// Both keep this object by reference.
  cgroup::translate::View view();
  cgroup::Files access();
  /// Words that translation asked to keep.
  Recorded kept;

 private:
  Result<void> store(std::string_view file, std::string_view value);

  cgroup::Version version_;
  Recorded files_;
  unsigned fail_in_ = 0;
};

}  // namespace cgm::test
