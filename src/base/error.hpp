// SPDX-License-Identifier: LGPL-2.1-or-later
// What a failed operation says of itself, and how it is passed on. Knows nothing of D-Bus, exit codes or logging.
#pragma once

#include <cerrno>
#include <expected>
#include <string>
#include <string_view>
#include <utility>

namespace cgm {

/// Why something failed, coarse enough to decide on. One table (api/error_map.hpp) turns a kind into a D-Bus error
/// name, an exit status and a log level.
enum class ErrorKind {
  not_found,    ///< the object named does not exist
  exists,       ///< it exists already, where that is a failure
  denied,       ///< the caller, or we, may not
  invalid,      ///< malformed or meaningless input
  busy,         ///< in use in a way that forbids it now
  gone,         ///< it existed, and went away while we worked
  unsupported,  ///< this kernel or hierarchy cannot do it
  quota,        ///< a named limit was reached
  timeout,      ///< a deadline passed
  protocol,     ///< the other side broke the protocol
  os,           ///< any other failure of a system call
};

/// Returns the kind's name as written in the enum, for logs and tests.
std::string_view to_string(ErrorKind kind);

/// Returns the kind that a failing system call's errno stands for; `os` where it is none of the usual ones.
ErrorKind kind_of_errno(int err);

/// An error: kind, errno (0 where no system call failed) and a text built inside out, the failing call first
/// (`openat2 "cgroup.procs": Permission denied`), then the context that each layer knows (`join cgroup 'a/b': …`).
class Error final {
 public:
  Error(ErrorKind kind, std::string text) : kind_(kind), text_(std::move(text)) {}
  Error(ErrorKind kind, int err, std::string text) : kind_(kind), errno_(err), text_(std::move(text)) {}

  /// An error of a system call: `<call> "<argument>": <strerror>`; the argument is left out where it is empty.
  static Error from_errno(int err, std::string_view call, std::string_view argument = {});

  ErrorKind kind() const { return kind_; }
  /// The errno of the failed system call, or 0.
  int code() const { return errno_; }
  const std::string& text() const { return text_; }

  /// Puts `context: ` in front of the text.
  Error with(std::string_view context) &&;

 private:
  ErrorKind kind_;
  int errno_ = 0;
  std::string text_;
};

template <class T>
using Result = std::expected<T, Error>;

/// Shorthand for returning a failure.
inline std::unexpected<Error> fail(ErrorKind kind, std::string text) {
  return std::unexpected(Error(kind, std::move(text)));
}
inline std::unexpected<Error> fail(Error error) {
  return std::unexpected(std::move(error));
}

/// The failure of a system call, told by errno.
inline std::unexpected<Error> failed(std::string_view call, std::string_view argument = {}) {
  return std::unexpected(Error::from_errno(errno, call, argument));
}

/// Adds context to a failed result; a success passes unchanged.
template <class T>
Result<T> with(Result<T> result, std::string_view context) {
  if (!result) return fail(std::move(result.error()).with(context));
  return result;
}

}  // namespace cgm

#define CGM_TRY_JOIN_(a, b) a##b
#define CGM_TRY_NAME_(a, b) CGM_TRY_JOIN_(a, b)
#define CGM_TRY_(name, expression)                              \
  __extension__({                                               \
    auto&& name = (expression);                                 \
    if (!name) return std::unexpected(std::move(name).error()); \
    std::move(*name);                                           \
  })

/// Evaluates a Result; on failure returns its error from the enclosing function, else yields the value.
#define TRY(expression) CGM_TRY_(CGM_TRY_NAME_(try_result_, __COUNTER__), expression)

/// The same for Result<void>, and where the value does not matter.
#define TRY_VOID(expression)                                                                               \
  do {                                                                                                     \
    if (auto&& try_void_ = (expression); !try_void_) return std::unexpected(std::move(try_void_).error()); \
  } while (false)
