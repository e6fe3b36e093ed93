// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/process.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "base/socket.hpp"
#include "base/sys.hpp"

namespace cgm {
namespace {

TEST(Process, refuses_ids_that_are_no_process) {
  auto proc = ProcFs::open();
  ASSERT_TRUE(proc);
  EXPECT_EQ(Process::open(*proc, 0).error().kind(), ErrorKind::invalid);
  EXPECT_EQ(Process::open(*proc, -1).error().kind(), ErrorKind::invalid);
  EXPECT_EQ(Process::open(*proc, 2147483647).error().kind(), ErrorKind::gone);
}

TEST(Process, refuses_the_id_of_a_thread) {
  auto proc = ProcFs::open();
  ASSERT_TRUE(proc);
  std::jthread thread([&] {
    pid_t tid = ::gettid();
    EXPECT_FALSE(Process::open(*proc, tid));
  });
}

TEST(Process, knows_when_it_has_exited) {
  auto proc = ProcFs::open();
  ASSERT_TRUE(proc);
  pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::pause();
    ::_exit(0);
  }
  auto process = Process::open(*proc, child);
  ASSERT_TRUE(process) << process.error().text();
  EXPECT_TRUE(process->is_alive());
  EXPECT_EQ(process->status()->pid, child);
  EXPECT_EQ(process->stat()->ppid, ::getpid());
  EXPECT_EQ(*pid_of_pidfd(process->pidfd()), child);
  EXPECT_EQ(*process->namespace_inode("user"), Process::open(*proc, ::getpid())->namespace_inode("user"));
  ASSERT_TRUE(process->signal(SIGKILL));
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  EXPECT_FALSE(process->is_alive());
  EXPECT_FALSE(process->status());
  EXPECT_EQ(pid_of_pidfd(process->pidfd()).error().kind(), ErrorKind::gone);
}

TEST(Socket, carries_descriptors_and_credentials) {
  auto pair = net::pair(SOCK_SEQPACKET);
  ASSERT_TRUE(pair);
  ASSERT_TRUE(net::pass_credentials(pair->second.get(), true));
  net::Credentials me{::getpid(), ::getuid(), ::getgid()};
  int fds[] = {0};
  ASSERT_TRUE(net::send(pair->first.get(), "x", fds, &me));
  char buffer[16];
  auto message = net::receive(pair->second.get(), buffer);
  ASSERT_TRUE(message) << message.error().text();
  EXPECT_EQ(message->data, "x");
  EXPECT_EQ(message->descriptors.size(), 1u);
  EXPECT_EQ(message->credentials, me);
  EXPECT_TRUE(message->first_is_credentials);
}

TEST(Socket, says_who_the_peer_is) {
  auto pair = net::pair(SOCK_STREAM);
  ASSERT_TRUE(pair);
  EXPECT_EQ(net::peer_credentials(pair->first.get())->pid, ::getpid());
  EXPECT_TRUE(net::peer_groups(pair->first.get()));
}

TEST(Socket, refuses_a_path_that_does_not_fit) {
  EXPECT_EQ(net::connect_to(std::string(200, 'x')).error().kind(), ErrorKind::invalid);
  EXPECT_EQ(net::connect_to("/nonexistent/sock").error().kind(), ErrorKind::not_found);
}

}  // namespace
}  // namespace cgm
