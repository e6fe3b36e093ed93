// SPDX-License-Identifier: LGPL-2.1-or-later
// One client of the server: a socket, its authentication, and what has been read and not yet handled, written and not
// yet taken. Moves bytes; what they mean is the server's business.
#pragma once

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/accounts.hpp"
#include "api/service.hpp"
#include "base/fd.hpp"
#include "bus/auth.hpp"

struct sd_event_source;

namespace cgm::bus {

class Server;

/// Where a read puts its bytes first; one serves all connections of a loop.
using ReadBuffer = std::array<char, 65536>;

class Connection final {
 public:
  Connection(uint64_t id, Fd socket, std::shared_ptr<api::Caller> caller, api::Account account, std::string_view guid);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  enum class Input { some, all_there_was, nothing_now, ended };

  /// Reads once, behind what has not been handled; `some` where there may be more. Descriptors that a client passes are
  /// left to the kernel, which drops them: no method takes one, and closing a client's file may wait for as long as
  /// that client likes (FUSE's flush). An error ends the connection.
  Result<Input> read(ReadBuffer& buffer);
  /// Goes on with authentication, as far as what was read allows. Errors, kind protocol: it failed.
  Result<void> authenticate();
  bool is_authenticated() const { return auth_ == nullptr; }
  /// The next complete message, or nothing while it is incomplete; valid until consume(). Errors, kind protocol: it is
  /// longer than `limit`, or no message.
  Result<std::optional<std::string_view>> next(size_t limit);
  /// Drops the message that next() gave.
  void consume(std::string_view message);
  /// Queues bytes for the client; write() sends them.
  void queue(std::string bytes);
  /// Sends what the socket takes. An error ends the connection.
  Result<void> write();
  /// Forgets what has been read and what is to be sent; nothing more comes of it.
  void drop();

  /// True with a message, or a part of one, that was not consumed yet.
  bool has_input() const { return in_.size() > used_; }
  size_t unread() const { return out_.size() - sent_; }
  /// Bytes held for this client, both ways, and for its request that is under way.
  size_t held() const { return in_.size() - used_ + unread() + under_way; }

  Server* server = nullptr;  ///< whose it is
  const uint64_t id;
  const Fd socket;
  const std::shared_ptr<api::Caller> caller;
  const api::Account account;
  sd_event_source* io = nullptr;     ///< owned; released by the server
  sd_event_source* timer = nullptr;  ///< until authenticated; owned; released by the server
  size_t charged = 0;                ///< what the account was last charged for held()
  size_t under_way = 0;              ///< bytes of the request that is under way, its message's and its own
  bool pinned = false;
  std::optional<Error> unpinnable;  ///< why its process could not be pinned when that had to be
  bool waiting = false;             ///< a request of it is under way
  bool ended = false;               ///< the client has closed its side
  bool broken = false;              ///< over, but that its request is still under way
  bool pending = false;             ///< in the server's list of those with more to handle
  bool serving = false;             ///< the server is at work on it further up the stack

 private:
  std::unique_ptr<Authenticator> auth_;
  std::string in_;
  size_t used_ = 0;  // of in_
  std::string out_;
  size_t sent_ = 0;  // of out_
};

}  // namespace cgm::bus
