// SPDX-License-Identifier: LGPL-2.1-or-later
// Authentication.
#include "bus/auth.hpp"

#include "base/number.hpp"

namespace cgm::bus {

size_t Authenticator::feed(std::string_view bytes) {
  size_t used = 0;
  if (!greeted_ && !bytes.empty()) {
    if (bytes.front() != '\0') {
      state_ = State::failed;
      return 0;
    }
    greeted_ = true;
    used = 1;
  }
  while (state_ == State::going_on) {
    std::string_view rest = bytes.substr(used);
    size_t end = rest.find("\r\n");
    bool half_end = rest.ends_with('\r');
    if (end == std::string_view::npos ? rest.size() > kMaxLine + half_end : end > kMaxLine || ++lines_ > kMaxLines)
      state_ = State::failed;
    if (end == std::string_view::npos || state_ == State::failed) break;
    line(rest.substr(0, end));
    used += end + 2;
  }
  return used;
}

void Authenticator::line(std::string_view line) {
  std::string_view rest = line;
  std::string_view command = take_until(rest, ' ');
  auto accept = [&] {
    data_expected_ = false;
    authenticated_ = true;
    answer("OK " + std::string(guid_));
  };
  auto reject = [&] {
    data_expected_ = authenticated_ = descriptors_ = false;
    answer("REJECTED EXTERNAL ANONYMOUS");
  };
  if (command == "AUTH") {
    bool has_data = rest.find(' ') != std::string_view::npos;
    std::string_view mechanism = take_until(rest, ' ');
    if (authenticated_ || (mechanism != "EXTERNAL" && mechanism != "ANONYMOUS")) return reject();
    if (mechanism == "ANONYMOUS" || has_data) return accept();
    data_expected_ = true;
    return answer("DATA");
  }
  if (command == "DATA" && data_expected_) return accept();
  if (command == "CANCEL" || command == "ERROR") return reject();
  if (command == "NEGOTIATE_UNIX_FD" && authenticated_) {
    descriptors_ = true;
    return answer("AGREE_UNIX_FD");
  }
  if (command == "BEGIN") {
    state_ = authenticated_ ? State::done : State::failed;
    return;
  }
  answer("ERROR \"unknown or untimely command\"");
}

}  // namespace cgm::bus
