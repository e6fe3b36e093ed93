// SPDX-License-Identifier: LGPL-2.1-or-later
// A whole connection: bytes in pieces over a socket pair, through framing, libsystemd and dispatch, with a service that
// knows nothing. The first byte chooses: bit 0, the input begins with the authentication (else with the first message);
// bit 1, a descriptor comes with each piece; the rest, how long the pieces are.
#include <fcntl.h>
#include <unistd.h>

#include <vector>

#include "base/socket.hpp"
#include "bus/connection.hpp"
#include "bus/dispatch.hpp"
#include "bus/frame.hpp"
#include "fuzz/fuzz.hpp"

namespace {

using cgm::Fd;
using cgm::bus::Codec;
using cgm::bus::Connection;
using cgm::bus::Immediate;
using cgm::test::promise;

constexpr size_t kLimit = 16 << 10;
constexpr char kLetIn[] = "\0AUTH ANONYMOUS\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n";

template <class T>
T must(cgm::Result<T> result) {
  promise(result.has_value(), "the fuzzer's own sockets work");
  return std::move(*result);
}

Codec& codec() {
  static std::unique_ptr<Codec> one = must(Codec::create());
  return *one;
}

/// What came of a client's bytes.
struct Outcome {
  std::vector<std::string> messages;  ///< requests as text, or the bytes of what was answered at once
  bool broken = false;
  bool operator==(const Outcome&) const = default;
};

std::string bytes_of(sd_bus_message* reply) {
  if (!reply) return "no reply";
  std::string bytes = must(codec().encode(reply));
  promise(*cgm::bus::frame_size(bytes, SIZE_MAX) == bytes.size(), "a reply is one message");
  for (size_t i = 8; i < 12; i++) bytes[i] = 0;  // its serial number, which goes on counting
  return bytes;
}

std::string told(sd_bus_message* message) {
  auto meaning = cgm::bus::interpret(message, 7);
  if (auto* immediate = std::get_if<Immediate>(&meaning)) return "answered: " + bytes_of(immediate->reply.get());
  auto& request = std::get<cgm::api::Request>(meaning);
  for (const auto& outcome : {cgm::Result<cgm::api::Answer>(cgm::api::Answer(request.controller)),
                              cgm::Result<cgm::api::Answer>(cgm::fail(cgm::ErrorKind::denied, request.cgroup))})
    (void)bytes_of(cgm::bus::make_reply(message, outcome).get());
  return std::string(cgm::api::info(request.method).name) + "(" + request.controller + "," + request.cgroup + "," +
         request.key + "," + request.value + "," + std::to_string(request.first) + "," +
         std::to_string(request.second) + ")";
}

/// As the server does: all that is there is handled.
cgm::Result<void> serve(Connection& connection, Outcome& outcome) {
  static auto buffer = std::make_unique<cgm::bus::ReadBuffer>();
  for (;;) {
    if (!connection.is_authenticated()) TRY_VOID(connection.authenticate());
    if (connection.is_authenticated()) {
      if (auto raw = TRY(connection.next(kLimit))) {
        promise(raw->size() <= kLimit, "no message is longer than the limit");
        auto message = codec().decode(*raw);
        connection.consume(*raw);
        promise(codec().is_sound(), "no client makes libsystemd lose its place");
        outcome.messages.push_back(told(TRY(std::move(message)).get()));
        continue;
      }
    }
    TRY_VOID(connection.write());
    auto input = TRY(connection.read(*buffer));
    if (input == Connection::Input::nothing_now || input == Connection::Input::ended) return {};
    promise(connection.held() <= kLimit + buffer->size() + 4096, "what is held is bounded");
  }
}

Outcome run(std::string_view bytes, size_t step, bool descriptors) {
  auto [theirs, ours] = must(cgm::net::pair(SOCK_STREAM));
  Connection connection(1, std::move(ours), nullptr, 1000, "0123456789abcdef0123456789abcdef");
  Outcome outcome;
  while (!bytes.empty() && !outcome.broken) {
    int fd = theirs.get();
    std::span<const int> passed = descriptors ? std::span(&fd, 1) : std::span<const int>();
    size_t sent = must(cgm::net::send_some(theirs.get(), bytes.substr(0, step), passed));
    bytes.remove_prefix(sent);
    outcome.broken = !serve(connection, outcome);
    char unread[4096];
    while (::read(theirs.get(), unread, sizeof unread) > 0) {
    }
  }
  return outcome;
}

int open_descriptors() {
  int count = 0;
  for (int fd = 0; fd < 128; fd++) count += ::fcntl(fd, F_GETFD) >= 0;
  return count;
}

}  // namespace

FUZZ(text) {
  cgm::test::Choices choices(text);
  uint8_t choice = choices.byte();
  std::string bytes(choices.rest());
  if ((choice & 1) == 0) bytes.insert(0, kLetIn, sizeof kLetIn - 1);
  size_t step = 1 + size_t{choice} / 4 * 7;
  if ((choice & 2) == 0) {
    Outcome whole = run(bytes, 1 << 20, false);
    promise(run(bytes, step, false) == whole, "pieces mean what the whole means");
    return;
  }
  (void)codec();
  int before = open_descriptors();
  (void)run(bytes, step, true);
  promise(open_descriptors() == before, "no descriptor is left open");
}
