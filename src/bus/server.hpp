// SPDX-License-Identifier: LGPL-2.1-or-later
// A D-Bus server without a bus: listens, lets clients in, decodes their calls for an api::Service and writes the
// answers back, in the order of each connection. It never waits, and each thing that a client can make grow has a
// limit.
#pragma once

#include <systemd/sd-event.h>

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>

#include "api/accounts.hpp"
#include "api/service.hpp"
#include "base/log.hpp"
#include "base/process.hpp"
#include "bus/codec.hpp"
#include "bus/connection.hpp"

namespace cgm::bus {

/// Limits of the transport; the keys of cgmanager.conf(5) bear the same names.
struct ServerLimits {
  size_t connections = 1024;               ///< for each account
  size_t connections_total = 4096;         ///< in all; comes from RLIMIT_NOFILE
  size_t connections_reserve = 64;         ///< of the total, for root of the host alone
  size_t message_bytes = size_t{1} << 20;  ///< a longer message ends its connection
  size_t unread_bytes = size_t{4} << 20;   ///< held for one account: answers not taken, calls not complete
  uint64_t authentication_usec = 5'000'000;
};

/// What accounts hold of all servers of a loop: a second socket is no second portion.
struct Holdings {
  struct One {
    size_t connections = 0;
    size_t bytes = 0;
  };
  std::unordered_map<api::Account, One> accounts;
  size_t connections = 0;
};

class Server final {
 public:
  /// `event`, `service`, `holdings` and `log` must outlive the server; it runs on the event loop's thread alone.
  static Result<std::unique_ptr<Server>> create(sd_event* event, api::Service& service, const ServerLimits& limits,
                                                Holdings& holdings, const Log& log);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Serves who connects to a listening, non-blocking stream socket.
  Result<void> listen(Fd socket);
  /// Takes other limits and accounts from now on.
  void configure(const ServerLimits& limits, api::Accounts accounts);
  /// Stops accepting and reading; what is under way is finished. `done` is called from the loop when it is, at once
  /// where nothing is.
  void stop(std::function<void()> done);
  size_t connections() const { return connections_.size(); }

 private:
  Server(sd_event* event, api::Service& service, const ServerLimits& limits, Holdings& holdings, const Log& log,
         ProcFs proc);

  static int on_accept(sd_event_source*, int, uint32_t, void*);
  static int on_io(sd_event_source*, int, uint32_t, void*);
  static int on_timeout(sd_event_source*, uint64_t, void*);
  static int on_pending(sd_event_source*, void*);
  static int on_retry(sd_event_source*, uint64_t, void*);

  void accept();
  /// Says that the loop was busy since `began`; looks at the accept queue where that has become long.
  void worked(uint64_t began);
  void admit(Fd socket);
  bool may_connect(api::Account account) const;
  /// Handles and writes for a connection until there is nothing to do now, and reads where it is `readable`; closes it
  /// where it is over.
  void pump(Connection& connection, bool readable);
  Result<void> serve(Connection& connection, bool readable);
  Result<void> handle(Connection& connection, std::string_view raw);
  void finish(uint64_t connection, sd_bus_message* call, Result<api::Answer> outcome);
  /// Sends the reply to `call`, or an error where that is more than what may be held; nothing where it is null.
  void answer(Connection& connection, sd_bus_message* call, MessagePtr reply);
  /// A codec that has not lost its place.
  Result<Codec*> codec();
  /// Queues a message; false where it is too much for what the account may have unread.
  bool send(Connection& connection, sd_bus_message* message);
  bool may_handle(const Connection& connection) const;
  void charge(Connection& connection);
  /// Ends a connection; one whose request is under way stays, and is counted, until that is done.
  void end(Connection& connection);
  void watch(Connection& connection);
  /// Serves a connection again when the others have had their turn.
  void defer(Connection& connection);
  void arm_pending();
  void give_back(const Connection& connection);
  void close(Connection& connection);
  /// Accepts again as soon as there is a descriptor in reserve.
  void listen_again();
  void check_done();

  sd_event* event_;
  api::Service& service_;
  ServerLimits limits_;
  Holdings& holdings_;
  const Log& log_;
  ProcFs proc_;
  std::unique_ptr<Codec> codec_;
  std::string guid_;
  api::Accounts accounts_;
  bool pin_at_accept_;
  uint64_t busy_usec_ = 0;  // how long the loop has worked since it last looked at the accept queue
  bool accepting_ = false;
  Fd listener_;
  Fd reserve_;  // given up for a moment to accept and close what there is no descriptor for
  sd_event_source* accept_source_ = nullptr;
  sd_event_source* retry_source_ = nullptr;    // on while descriptors are too short to accept
  sd_event_source* pending_source_ = nullptr;  // there while somebody is in pending_
  uint64_t next_id_ = 1;
  std::unordered_map<uint64_t, std::unique_ptr<Connection>> connections_;
  size_t most_connections_ = 0;  // since memory was last given back
  std::deque<uint64_t> pending_;
  std::unique_ptr<ReadBuffer> buffer_ = std::make_unique<ReadBuffer>();
  std::function<void()> done_;
};

}  // namespace cgm::bus
