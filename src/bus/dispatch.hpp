// SPDX-License-Identifier: LGPL-2.1-or-later
// Between D-Bus messages and the method table: what a message asks for, what an answer looks like, and everything
// around our own methods that D-Bus clients probe (Hello, Peer, Properties, Introspectable).
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "api/service.hpp"
#include "bus/codec.hpp"

namespace cgm::bus {

/// A message that was answered on the spot; none where the client wants no reply.
struct Immediate {
  MessagePtr reply;
};

/// What a message turned out to be: a request for the Service, or something that is answered here. `connection` makes
/// up the unique name that Hello gives.
std::variant<api::Request, Immediate> interpret(sd_bus_message* message, uint64_t connection);

/// The reply to `call`: the answer, or the classic interface's error. An answer that cannot be said on D-Bus (text that
/// is no UTF-8) becomes an error. Null where the client wants no reply.
MessagePtr make_reply(sd_bus_message* call, const Result<api::Answer>& outcome);

}  // namespace cgm::bus
