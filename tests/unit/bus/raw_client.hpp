// SPDX-License-Identifier: LGPL-2.1-or-later
// A client that says its bytes itself, well or badly. Each wait has a deadline.
#pragma once

#include <poll.h>
#include <unistd.h>

#include <initializer_list>
#include <string>
#include <string_view>

#include "api/methods.hpp"
#include "base/socket.hpp"
#include "bus/frame.hpp"

namespace cgm::bus {

/// A method call of the classic object with arguments of type `s`, or of one `i` where there is no string, as bytes.
inline std::string call_bytes(std::string_view member, std::initializer_list<std::string_view> strings = {},
                              std::string_view interface = api::kInterface) {
  auto align = [](std::string& out, size_t to) { out.append((to - out.size() % to) % to, '\0'); };
  auto word = [](std::string& out, size_t value) {
    for (int shift = 0; shift < 32; shift += 8) out.push_back(static_cast<char>(value >> shift));
  };
  std::string fields, body, signature;
  auto text = [&](std::string& out, std::string_view value) {
    align(out, 4);
    word(out, value.size());
    out.append(value).push_back('\0');
  };
  auto field = [&](char code, char type, std::string_view value) {
    align(fields, 8);
    fields.append({code, 1, type, 0});
    text(fields, value);
  };
  field(1, 'o', api::kObjectPath);
  field(2, 's', interface);
  field(3, 's', member);
  for (std::string_view value : strings) {
    signature += 's';
    text(body, value);
  }
  if (strings.size() == 0 && interface == api::kInterface) {
    signature = "i";
    word(body, 1);
  }
  if (!signature.empty()) {
    align(fields, 8);
    fields.append({8, 1, 'g', 0, static_cast<char>(signature.size())}).append(signature).push_back('\0');
  }
  std::string bytes = {'l', 1, 0, 1};
  word(bytes, body.size());
  word(bytes, 1);
  word(bytes, fields.size());
  bytes += fields;
  align(bytes, 8);
  return bytes + body;
}

class RawClient final {
 public:
  static constexpr int kSeconds = 30;
  static constexpr char kLetIn[] = "\0AUTH ANONYMOUS\r\nBEGIN\r\n";

  /// Connects, and has said that it wants to be let in.
  explicit RawClient(const std::string& path) : socket_(std::move(*net::connect_to(path))) {
    send({kLetIn, sizeof kLetIn - 1});
  }
  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      auto sent = net::send_some(socket_.get(), bytes);
      if (!sent) return;  // what the server has closed is seen by who waits for it
      if (*sent == 0) wait(POLLOUT);
      bytes.remove_prefix(*sent);
    }
  }
  /// The type of the next message (2 is a reply, 3 an error); 0 once the server has closed, -1 past the deadline.
  int next() {
    for (;;) {
      if (size_t line = in_.find("\r\n"); in_.starts_with("OK") && line != std::string::npos) in_.erase(0, line + 2);
      auto size = frame_size(in_, SIZE_MAX);
      if (size && in_.size() >= *size) {
        int type = in_[1];
        in_.erase(0, *size);
        return type;
      }
      char chunk[4096];
      if (!wait(POLLIN)) return -1;
      ssize_t n = ::read(socket_.get(), chunk, sizeof chunk);
      if (n <= 0) return 0;
      in_.append(chunk, static_cast<size_t>(n));
    }
  }
  bool wait(short events, int seconds = kSeconds) const {
    pollfd poll{socket_.get(), events, 0};
    return ::poll(&poll, 1, seconds * 1000) == 1;
  }

 private:
  Fd socket_;
  std::string in_;
};

}  // namespace cgm::bus
