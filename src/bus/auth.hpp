// SPDX-License-Identifier: LGPL-2.1-or-later
// The server's side of D-Bus authentication as a pure state machine. It lets everybody in: who a client is, is the
// kernel's word (SO_PEERCRED) and never what it says here, so that clients of any user namespace come through.
// D-Bus specification, "Authentication Protocol".
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

namespace cgm::bus {

class Authenticator final {
 public:
  enum class State { going_on, done, failed };

  /// Longest line and most lines that a client may send before BEGIN.
  static constexpr size_t kMaxLine = 1024;
  static constexpr int kMaxLines = 32;

  /// `guid`: 32 hexadecimal digits that name this server; must outlive the object.
  explicit Authenticator(std::string_view guid) : guid_(guid) {}

  /// Takes what has arrived; returns how many bytes of it were used. What follows `BEGIN\r\n` is never used: it is the
  /// first message. An incomplete line is not used either; give it again with what follows it.
  size_t feed(std::string_view bytes);
  State state() const { return state_; }
  /// What is to be sent, taken out.
  std::string take_output() { return std::exchange(output_, {}); }
  /// True if the client asked to pass descriptors.
  bool passes_descriptors() const { return descriptors_; }

 private:
  void line(std::string_view line);
  void answer(std::string_view text) { output_.append(text).append("\r\n"); }

  std::string_view guid_;
  State state_ = State::going_on;
  bool greeted_ = false;  // the NUL byte that comes first
  bool data_expected_ = false;
  bool authenticated_ = false;
  bool descriptors_ = false;
  int lines_ = 0;
  std::string output_;
};

}  // namespace cgm::bus
