// SPDX-License-Identifier: LGPL-2.1-or-later
// The server's loop.
#include "bus/server.hpp"

#include <malloc.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <systemd/sd-id128.h>

#include "base/sys.hpp"
#include "bus/dispatch.hpp"
#include "bus/peer.hpp"

namespace cgm::bus {

namespace {

constexpr uint64_t kTurnUsec = 500;  // one client is served for so long, then the others are looked at
constexpr size_t kFullTurns = 16;    // an account with more connections than this gets shorter turns
constexpr int kAcceptsATurn = 64;
constexpr int kLongestQueue = 4096;         // net.core.somaxconn; who comes behind that many has not waited long
constexpr size_t kEnoughUnread = 64 << 10;  // a client with more than this to read is served no further request
constexpr uint64_t kStaleUsec = 100'000;    // a pid may be another's after this long in the accept queue
constexpr uint64_t kTimerSlackUsec = 100'000;
constexpr uint64_t kRetryUsec = 100'000;
constexpr size_t kSmallAnswer = 1024;         // always sent: an error has to be
constexpr size_t kWorthTrimming = 256 << 10;  // bytes held by one client whose end gives memory back
constexpr size_t kManyConnections = 64;       // as many, gone to a quarter, give memory back

Result<void> check(int r, std::string_view call) {
  if (r < 0) return fail(Error::from_errno(-r, call));
  return {};
}

uint64_t now_usec() {
  return static_cast<uint64_t>(sys::monotonic_ns() / 1000);
}

/// True where a client has gone without a word. Seen before anything is made for it, so that the queue is emptied
/// faster than somebody can fill it.
bool has_left(int socket) {
  char byte;
  return ::recv(socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

}  // namespace

Server::Server(sd_event* event, api::Service& service, const ServerLimits& limits, Holdings& holdings, const Log& log,
               ProcFs proc)
    : event_(sd_event_ref(event)),
      service_(service),
      limits_(limits),
      holdings_(holdings),
      log_(log),
      proc_(std::move(proc)),
      pin_at_accept_(!has_peer_pidfd()) {}

Result<std::unique_ptr<Server>> Server::create(sd_event* event, api::Service& service, const ServerLimits& limits,
                                               Holdings& holdings, const Log& log) {
  std::unique_ptr<Server> server(new Server(event, service, limits, holdings, log, TRY(ProcFs::open())));
  server->codec_ = TRY(Codec::create());
  sd_id128_t id;
  TRY_VOID(check(sd_id128_randomize(&id), "sd_id128_randomize"));
  char text[SD_ID128_STRING_MAX];
  server->guid_ = sd_id128_to_string(id, text);
  server->reserve_ = TRY(sys::openat(AT_FDCWD, "/dev/null", O_RDONLY));
  return server;
}

Server::~Server() {
  for (const auto& [id, connection] : connections_) give_back(*connection);
  connections_.clear();
  sd_event_source_disable_unref(accept_source_);
  sd_event_source_disable_unref(retry_source_);
  sd_event_source_disable_unref(pending_source_);
  sd_event_unref(event_);
}

Result<void> Server::listen(Fd socket) {
  listener_ = std::move(socket);
  // Of no higher priority than clients: somebody always connects if he likes, and nobody else would be served.
  TRY_VOID(
      check(sd_event_add_io(event_, &accept_source_, listener_.get(), EPOLLIN, on_accept, this), "sd_event_add_io"));
  // Made now, because the loop's first timer takes a descriptor.
  TRY_VOID(check(sd_event_add_time(event_, &retry_source_, CLOCK_MONOTONIC, UINT64_MAX, 0, on_retry, this),
                 "sd_event_add_time"));
  return check(sd_event_source_set_enabled(retry_source_, SD_EVENT_OFF), "sd_event_source_set_enabled");
}

void Server::configure(const ServerLimits& limits, api::Accounts accounts) {
  limits_ = limits;
  accounts_ = std::move(accounts);
}

void Server::stop(std::function<void()> done) {
  done_ = std::move(done);
  accept_source_ = sd_event_source_disable_unref(accept_source_);
  retry_source_ = sd_event_source_disable_unref(retry_source_);
  listener_.reset();
  std::vector<uint64_t> ids;
  ids.reserve(connections_.size());
  for (const auto& [id, connection] : connections_) ids.push_back(id);
  for (uint64_t id : ids)
    if (auto found = connections_.find(id); found != connections_.end()) pump(*found->second, false);
  check_done();
}

void Server::check_done() {
  if (done_ && connections_.empty()) std::exchange(done_, nullptr)();
}

int Server::on_accept(sd_event_source*, int, uint32_t, void* self) {
  static_cast<Server*>(self)->accept();
  return 0;
}

void Server::accept() {
  // Without SO_PEERPIDFD a pid is only as good as the time that it waited: what connected while the loop was busy may
  // be somebody else by now, and is turned away. The queue is looked at before much of that time has passed (worked()),
  // so that nobody is who comes later.
  uint64_t began = now_usec() - std::exchange(busy_usec_, 0);
  uint64_t until = now_usec() + kTurnUsec;
  accepting_ = true;
  int admitted = 0, turned_away = 0;
  bool more = true;
  while (admitted < kAcceptsATurn && turned_away < kLongestQueue && now_usec() < until) {
    Fd socket(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket && (errno == EMFILE || errno == ENFILE) && reserve_) {
      reserve_.reset();
      Fd(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)).reset();
      listen_again();
      if (reserve_) continue;
      began = now_usec() - kStaleUsec;  // who is in the queue waits for as long as descriptors are short
      break;
    }
    if (!socket) {
      more = false;
      break;
    }
    if (pin_at_accept_ && now_usec() - began > kStaleUsec) {
      turned_away++;
      until = UINT64_MAX;  // quickly done, and nobody behind them waits for longer
    } else if (!has_left(socket.get())) {
      admit(std::move(socket));
      admitted++;
    }
  }
  if (more) busy_usec_ = now_usec() - began;
  accepting_ = false;
}

void Server::worked(uint64_t began) {
  if (!pin_at_accept_ || accepting_) return;
  busy_usec_ += now_usec() - began;
  if (listener_ && busy_usec_ > kStaleUsec / 2) accept();
}

void Server::listen_again() {
  if (!accept_source_) return;
  if (!reserve_)
    if (auto again = sys::openat(AT_FDCWD, "/dev/null", O_RDONLY)) reserve_ = std::move(*again);
  sd_event_source_set_enabled(accept_source_, reserve_ ? SD_EVENT_ON : SD_EVENT_OFF);
  // What took the last descriptor need not be a connection whose end we would see.
  if (!reserve_) (void)sd_event_source_set_time(retry_source_, now_usec() + kRetryUsec);
  sd_event_source_set_enabled(retry_source_, reserve_ ? SD_EVENT_OFF : SD_EVENT_ONESHOT);
}

int Server::on_retry(sd_event_source*, uint64_t, void* self) {
  static_cast<Server*>(self)->listen_again();
  return 0;
}

bool Server::may_connect(api::Account account) const {
  if (holdings_.connections >= limits_.connections_total) return false;
  if (account == 0) return true;
  auto found = holdings_.accounts.find(account);
  size_t own = found == holdings_.accounts.end() ? 0 : found->second.connections;
  size_t open = limits_.connections_total - std::min(limits_.connections_total, limits_.connections_reserve);
  size_t free = open - std::min(open, holdings_.connections - own);
  // Nobody takes more than a quarter of what the others have left.
  return own < limits_.connections && own < std::max<size_t>(free / 4, 1);
}

void Server::admit(Fd socket) {
  auto caller = identify(socket.get());
  if (!caller) return;
  api::Account account = accounts_.of((*caller)->uid());
  if (!may_connect(account)) {
    log_.write(LogLevel::debug, "too many connections of account " + std::to_string(account));
    return;
  }
  auto pinned = pin_at_accept_ ? pin(proc_, socket.get(), **caller) : Result<void>();
  uint64_t id = next_id_++;
  auto connection = std::make_unique<Connection>(id, std::move(socket), std::move(*caller), account, guid_);
  // Later the pid may be another's: it is not tried again.
  connection->pinned = pin_at_accept_;
  if (!pinned) connection->unpinnable = std::move(pinned.error());
  connection->server = this;
  Connection& one = *connection;
  if (sd_event_add_io(event_, &one.io, one.socket.get(), EPOLLIN, on_io, &one) < 0) return;
  if (sd_event_add_time(event_, &one.timer, CLOCK_MONOTONIC, now_usec() + limits_.authentication_usec, kTimerSlackUsec,
                        on_timeout, &one) < 0)
    return;
  holdings_.accounts[account].connections++;
  holdings_.connections++;
  connections_.emplace(id, std::move(connection));
  // libdbus and sd-bus have sent their first line by now.
  pump(one, true);
}

int Server::on_io(sd_event_source*, int, uint32_t events, void* data) {
  auto* connection = static_cast<Connection*>(data);
  connection->server->pump(*connection, (events & ~uint32_t{EPOLLOUT}) != 0);
  return 0;
}

int Server::on_timeout(sd_event_source*, uint64_t, void* data) {
  auto* connection = static_cast<Connection*>(data);
  connection->server->close(*connection);
  return 0;
}

int Server::on_pending(sd_event_source*, void* self) {
  auto* server = static_cast<Server*>(self);
  server->pending_source_ = sd_event_source_disable_unref(server->pending_source_);
  uint64_t id = server->pending_.front();
  server->pending_.pop_front();
  auto found = server->connections_.find(id);
  if (found != server->connections_.end()) {
    found->second->pending = false;
    server->pump(*found->second, false);
  }
  server->arm_pending();
  return 0;
}

void Server::defer(Connection& connection) {
  if (connection.pending) return;
  connection.pending = true;
  pending_.push_back(connection.id);
  arm_pending();
}

void Server::arm_pending() {
  if (pending_.empty() || pending_source_) return;
  // sd-event serves the source first that has waited longest, and a source that is only enabled again counts as
  // waiting since it was made: it would come before all other clients, each time.
  (void)sd_event_add_defer(event_, &pending_source_, on_pending, this);
}

bool Server::may_handle(const Connection& connection) const {
  if (connection.waiting || connection.unread() >= kEnoughUnread) return false;
  if (connection.unread() == 0) return true;
  auto found = holdings_.accounts.find(connection.account);
  return found == holdings_.accounts.end() || found->second.bytes < limits_.unread_bytes;
}

void Server::pump(Connection& connection, bool readable) {
  if (connection.waiting) {
    // Something came, or the client has gone, while its request is under way: it is looked at when that is done.
    sd_event_source_set_enabled(connection.io, SD_EVENT_OFF);
    return;
  }
  uint64_t began = now_usec();
  connection.serving = true;
  auto served = serve(connection, readable);
  connection.serving = false;
  worked(began);
  if (!served)
    log_.write(LogLevel::debug,
               "connection of uid " + std::to_string(connection.caller->uid()) + ": " + served.error().text());
  bool over = !connection.waiting && connection.unread() == 0 && (connection.ended || done_);
  if (!served || over) return end(connection);
  charge(connection);
  watch(connection);
}

void Server::end(Connection& connection) {
  // Its last answers, to calls before what was wrong, as far as the socket takes them.
  (void)connection.write();
  if (!connection.waiting) return close(connection);
  connection.broken = true;
  connection.drop();
  sd_event_source_set_enabled(connection.io, SD_EVENT_OFF);
  charge(connection);
}

Result<Codec*> Server::codec() {
  if (!codec_->is_sound()) codec_ = TRY(Codec::create());
  return codec_.get();
}

Result<void> Server::serve(Connection& connection, bool readable) {
  TRY_VOID(connection.write());
  // Who has many connections does not keep the others waiting for as many full turns.
  uint64_t until = now_usec() + kTurnUsec / (1 + holdings_.accounts[connection.account].connections / kFullTurns);
  for (bool handled = false; !done_ && may_handle(connection);) {
    if (handled && now_usec() > until) {
      // Without input the loop will tell when there is more.
      if (connection.has_input()) defer(connection);
      break;
    }
    if (!connection.is_authenticated()) {
      TRY_VOID(connection.authenticate());
      if (connection.is_authenticated()) connection.timer = sd_event_source_disable_unref(connection.timer);
    }
    if (connection.is_authenticated()) {
      if (auto raw = TRY(connection.next(limits_.message_bytes))) {
        handled = true;
        TRY_VOID(handle(connection, *raw));
        continue;
      }
    }
    TRY_VOID(connection.write());
    // What came since then, or the end of it, the loop will tell.
    if (connection.ended || !readable) break;
    auto input = TRY(connection.read(*buffer_));
    if (input == Connection::Input::nothing_now) break;
    readable = input == Connection::Input::some;
    connection.ended = input == Connection::Input::ended;
    charge(connection);
    if (holdings_.accounts[connection.account].bytes > limits_.unread_bytes)
      return fail(ErrorKind::quota, "too many bytes held for account " + std::to_string(connection.account));
  }
  return connection.write();
}

Result<void> Server::handle(Connection& connection, std::string_view raw) {
  MessagePtr call = TRY(TRY(codec())->decode(raw));
  connection.consume(raw);
  auto meaning = interpret(call.get(), connection.id);
  if (auto* immediate = std::get_if<Immediate>(&meaning)) {
    answer(connection, call.get(), std::move(immediate->reply));
    return {};
  }
  auto& request = std::get<api::Request>(meaning);
  bool anonymous = request.method == api::Method::ping || request.method == api::Method::list_controllers;
  auto refuse = [&](Error error) -> Result<void> {
    answer(connection, call.get(), make_reply(call.get(), fail(std::move(error))));
    return {};
  };
  if (!anonymous && connection.unpinnable) return refuse(*connection.unpinnable);
  if (!anonymous && !connection.pinned) {
    auto pinned = pin(proc_, connection.socket.get(), *connection.caller);
    if (!pinned) return refuse(std::move(pinned.error()));
    connection.pinned = true;
  }
  connection.waiting = true;
  connection.under_way = 2 * raw.size();
  std::shared_ptr<sd_bus_message> kept(std::move(call));
  service_.submit(connection.caller, std::move(request), [this, id = connection.id, kept](Result<api::Answer> outcome) {
    finish(id, kept.get(), std::move(outcome));
  });
  return {};
}

void Server::finish(uint64_t id, sd_bus_message* call, Result<api::Answer> outcome) {
  auto found = connections_.find(id);
  if (found == connections_.end()) return;
  Connection& connection = *found->second;
  connection.waiting = false;
  connection.under_way = 0;
  if (connection.broken) return close(connection);
  answer(connection, call, make_reply(call, outcome));
  if (!connection.serving) pump(connection, false);
}

void Server::answer(Connection& connection, sd_bus_message* call, MessagePtr reply) {
  if (!reply || send(connection, reply.get())) return;
  reply = make_reply(call, fail(ErrorKind::quota, "the answer is longer than what may be held for you"));
  (void)send(connection, reply.get());
}

bool Server::send(Connection& connection, sd_bus_message* message) {
  auto bytes = [&]() -> Result<std::string> { return TRY(codec())->encode(message); }();
  if (!bytes) {
    log_.write(LogLevel::debug,
               "answer to uid " + std::to_string(connection.caller->uid()) + ": " + bytes.error().text());
    return false;
  }
  size_t held = holdings_.accounts[connection.account].bytes;
  if (bytes->size() > kSmallAnswer && held + bytes->size() > limits_.unread_bytes) return false;
  connection.queue(std::move(*bytes));
  charge(connection);
  return true;
}

void Server::charge(Connection& connection) {
  size_t& bytes = holdings_.accounts[connection.account].bytes;
  bytes -= connection.charged;
  bool was_large = connection.charged > kWorthTrimming;
  connection.charged = connection.held();
  bytes += connection.charged;
  if (was_large && connection.charged == 0) ::malloc_trim(0);
}

void Server::watch(Connection& connection) {
  if (connection.waiting && connection.unread() == 0) return;  // pump() rests the source if it fires meanwhile
  uint32_t wanted = 0;
  if (!connection.ended && may_handle(connection) && !connection.pending) wanted |= EPOLLIN;
  if (connection.unread() > 0) wanted |= EPOLLOUT;
  // A hang-up is always reported: with nothing to do for it the source rests.
  sd_event_source_set_enabled(connection.io, wanted == 0 ? SD_EVENT_OFF : SD_EVENT_ON);
  if (wanted != 0) sd_event_source_set_io_events(connection.io, wanted);
}

void Server::give_back(const Connection& connection) {
  auto held = holdings_.accounts.find(connection.account);
  held->second.bytes -= connection.charged;
  if (--held->second.connections == 0) holdings_.accounts.erase(held);
  holdings_.connections--;
}

void Server::close(Connection& connection) {
  give_back(connection);
  bool large = connection.charged > kWorthTrimming;
  most_connections_ = std::max(most_connections_, connections_.size());
  connections_.erase(connection.id);
  listen_again();
  bool fewer = most_connections_ >= kManyConnections && connections_.size() <= most_connections_ / 4;
  if (fewer) most_connections_ = connections_.size();
  if (large || fewer) ::malloc_trim(0);
  check_done();
}

}  // namespace cgm::bus
