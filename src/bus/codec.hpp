// SPDX-License-Identifier: LGPL-2.1-or-later
// D-Bus messages as bytes, by libsystemd: one sd_bus of our own on a socket pair, through which complete messages go in
// and out one at a time. A connection is therefore nothing but a socket and two buffers of ours; its limits are exact,
// and an idle one costs no sd_bus.
#pragma once

#include <systemd/sd-bus.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/fd.hpp"

namespace cgm::bus {

struct MessageUnref {
  void operator()(sd_bus_message* message) const { sd_bus_message_unref(message); }
};
/// An owned reference to a message.
using MessagePtr = std::unique_ptr<sd_bus_message, MessageUnref>;

/// Not thread-safe; belongs to the loop.
class Codec final {
 public:
  static Result<std::unique_ptr<Codec>> create();
  ~Codec();
  Codec(const Codec&) = delete;
  Codec& operator=(const Codec&) = delete;

  /// False once libsystemd has lost its place, which only a fault of ours or its own can bring about; make a new one
  /// then.
  bool is_sound() const { return sound_; }

  /// Decodes one complete message (frame.hpp says how long that is), without the descriptors that it may speak of.
  /// Errors, kind protocol: the bytes are no valid message.
  Result<MessagePtr> decode(std::string_view bytes);
  /// Seals a message that answers a decoded one, and returns its bytes. After an error it is no longer sound.
  Result<std::string> encode(sd_bus_message* message);

 private:
  Codec() = default;
  static int received(sd_bus_message* message, void* self, sd_bus_error*);
  /// Sends bytes through the sd_bus; incoming_ then holds the message, or nothing if they were none.
  Result<void> pass_through(std::string_view bytes);
  Result<void> process();
  /// Reads what the sd_bus has written, as far as it is there, behind `out`.
  Result<void> drain(std::string& out);

  sd_bus* bus_ = nullptr;
  Fd ours_;
  MessagePtr incoming_;
  bool sound_ = true;
};

}  // namespace cgm::bus
