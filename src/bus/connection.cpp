// SPDX-License-Identifier: LGPL-2.1-or-later
// A client's bytes.
#include "bus/connection.hpp"

#include <systemd/sd-event.h>

#include "base/socket.hpp"
#include "base/sys.hpp"
#include "bus/frame.hpp"

namespace cgm::bus {

namespace {

constexpr size_t kKeptCapacity = 512;  // an idle connection keeps no more than this

}  // namespace

Connection::Connection(uint64_t number, Fd fd, std::shared_ptr<api::Caller> who, api::Account pays,
                       std::string_view guid)
    : id(number),
      socket(std::move(fd)),
      caller(std::move(who)),
      account(pays),
      auth_(std::make_unique<Authenticator>(guid)) {}

Connection::~Connection() {
  sd_event_source_disable_unref(io);
  sd_event_source_disable_unref(timer);
}

Result<Connection::Input> Connection::read(ReadBuffer& buffer) {
  auto size = sys::read(socket.get(), buffer);
  if (!size && size.error().code() == EAGAIN) return Input::nothing_now;
  if (!size) return fail(std::move(size.error()));
  if (*size == 0) return Input::ended;
  in_.append(buffer.data(), *size);
  return *size < buffer.size() ? Input::all_there_was : Input::some;
}

Result<void> Connection::authenticate() {
  used_ += auth_->feed(std::string_view(in_).substr(used_));
  queue(auth_->take_output());
  switch (auth_->state()) {
    case Authenticator::State::going_on: return {};
    case Authenticator::State::failed: return fail(ErrorKind::protocol, "authentication failed");
    case Authenticator::State::done: auth_.reset(); return {};
  }
  return {};
}

Result<std::optional<std::string_view>> Connection::next(size_t limit) {
  std::string_view rest = std::string_view(in_).substr(used_);
  if (rest.size() < kFixedHeader) return std::nullopt;
  size_t size = TRY(frame_size(rest, limit));
  if (rest.size() < size) return std::nullopt;
  return rest.substr(0, size);
}

void Connection::consume(std::string_view message) {
  used_ += message.size();
  // What is handled goes away once it is the larger part, so that a long pipeline is not copied for each message.
  if (used_ <= in_.size() / 2) return;
  in_.erase(0, used_);
  used_ = 0;
  if (in_.empty() && in_.capacity() > kKeptCapacity) in_ = std::string();
}

void Connection::queue(std::string bytes) {
  if (out_.empty())
    out_ = std::move(bytes);
  else
    out_.append(bytes);
}

void Connection::drop() {
  in_ = out_ = std::string();
  used_ = sent_ = 0;
}

Result<void> Connection::write() {
  while (sent_ < out_.size()) {
    size_t sent = TRY(net::send_some(socket.get(), std::string_view(out_).substr(sent_)));
    if (sent == 0) return {};
    sent_ += sent;
  }
  out_ = std::string();
  sent_ = 0;
  return {};
}

}  // namespace cgm::bus
