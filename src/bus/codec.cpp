// SPDX-License-Identifier: LGPL-2.1-or-later
// libsystemd as a codec.
#include "bus/codec.hpp"

#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/socket.hpp"
#include "base/sys.hpp"
#include "bus/frame.hpp"

namespace cgm::bus {

namespace {

constexpr size_t kLargestAnswer = size_t{64} << 20;

Result<void> check(int r, std::string_view call) {
  if (r < 0) return fail(Error::from_errno(-r, call));
  return {};
}

}  // namespace

Result<std::unique_ptr<Codec>> Codec::create() {
  std::unique_ptr<Codec> codec(new Codec);
  auto [theirs, ours] = TRY(net::pair(SOCK_STREAM));
  codec->ours_ = std::move(ours);
  TRY_VOID(check(sd_bus_new(&codec->bus_), "sd_bus_new"));
  TRY_VOID(check(sd_bus_set_fd(codec->bus_, theirs.get(), theirs.get()), "sd_bus_set_fd"));
  (void)theirs.release();  // the sd_bus closes it
  sd_id128_t id;
  TRY_VOID(check(sd_id128_randomize(&id), "sd_id128_randomize"));
  TRY_VOID(check(sd_bus_set_server(codec->bus_, 1, id), "sd_bus_set_server"));
  TRY_VOID(check(sd_bus_set_anonymous(codec->bus_, 1), "sd_bus_set_anonymous"));
  TRY_VOID(check(sd_bus_add_filter(codec->bus_, nullptr, received, codec.get()), "sd_bus_add_filter"));
  constexpr char kHello[] = "\0AUTH ANONYMOUS\r\nBEGIN\r\n";
  TRY_VOID(net::send(codec->ours_.get(), std::string_view(kHello, sizeof kHello - 1)));
  TRY_VOID(check(sd_bus_start(codec->bus_), "sd_bus_start"));
  std::string greeting;
  for (int turn = 0; sd_bus_is_ready(codec->bus_) <= 0; turn++) {
    if (turn > 16) return fail(ErrorKind::protocol, "sd_bus does not start");
    TRY_VOID(codec->process());
    TRY_VOID(codec->drain(greeting));
  }
  TRY_VOID(codec->drain(greeting));
  return codec;
}

Codec::~Codec() {
  incoming_.reset();
  sd_bus_close_unref(bus_);
}

int Codec::received(sd_bus_message* message, void* self, sd_bus_error*) {
  static_cast<Codec*>(self)->incoming_.reset(sd_bus_message_ref(message));
  return 1;
}

Result<void> Codec::process() {
  int r = sd_bus_process(bus_, nullptr);
  sound_ = sound_ && r >= 0;
  return check(r, "sd_bus_process");
}

Result<void> Codec::pass_through(std::string_view bytes) {
  incoming_.reset();
  while (!bytes.empty()) {
    // A long message goes through in pieces, as the pair's buffer takes it.
    bytes.remove_prefix(TRY(net::send_some(ours_.get(), bytes)));
    TRY_VOID(process());
  }
  int unread = 0;
  while (!incoming_ && ::ioctl(sd_bus_get_fd(bus_), FIONREAD, &unread) == 0 && unread > 0) TRY_VOID(process());
  return {};
}

Result<MessagePtr> Codec::decode(std::string_view bytes) {
  TRY_VOID(pass_through(bytes));
  // libsystemd takes a message that counts descriptors only with them, and leaks them where the message is malformed.
  if (!incoming_)
    if (auto uncounted = without_descriptor_count(bytes)) TRY_VOID(pass_through(*uncounted));
  // It reads to a message's end and drops it where it is malformed, so both sides stand at the next one.
  if (!incoming_) return fail(ErrorKind::protocol, "the bytes are no D-Bus message");
  return std::move(incoming_);
}

Result<std::string> Codec::encode(sd_bus_message* message) {
  std::string bytes;
  auto read_whole = [&]() -> Result<void> {
    TRY_VOID(check(sd_bus_send(bus_, message, nullptr), "sd_bus_send"));
    TRY_VOID(drain(bytes));
    size_t size = TRY(frame_size(bytes, kLargestAnswer));
    while (bytes.size() < size) {
      TRY_VOID(process());
      TRY_VOID(drain(bytes));
    }
    return {};
  };
  auto whole = read_whole();
  sound_ = sound_ && whole;
  if (!whole) return fail(std::move(whole.error()));
  return bytes;
}

Result<void> Codec::drain(std::string& out) {
  char chunk[16384];
  for (;;) {
    auto n = sys::read(ours_.get(), chunk);
    if (!n && n.error().code() == EAGAIN) return {};
    if (!n) return fail(std::move(n.error()));
    if (*n == 0) return fail(ErrorKind::protocol, "sd_bus has closed its end");
    out.append(chunk, *n);
    if (*n < sizeof chunk) return {};
  }
}

}  // namespace cgm::bus
