// SPDX-License-Identifier: LGPL-2.1-or-later
// What real kernels are not asked to do on demand: refuse one of two alternatives, fail while things are put back.
#include "cgroup/apply.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/recorded.hpp"

namespace cgm::cgroup {
namespace {

using test::Recorded;
using testing::ElementsAre;
using testing::HasSubstr;

/// Files that keep what is written, but for values that are refused.
class ApplyTest : public testing::Test {
 protected:
  Files files() {
    return {.version = [](std::string_view) { return Version::v2; },
            .read = [this](std::string_view, std::string_view file) { return test::read_recorded(held_, file); },
            .write = [this](std::string_view, std::string_view file, std::string_view value) -> Result<void> {
              std::string call = std::string(file) + "=" + std::string(value);
              log_.push_back(call);
              if (auto refused = refused_.find(call); refused != refused_.end())
                return fail(Error::from_errno(refused->second, "write", file));
              held_[std::string(file)] = value;
              return {};
            }};
  }

  Recorded held_ = {{"pids.max", "max"}, {"cpu.weight", "100"}, {"memory.max", "max"}, {"memory.current", "8192"}};
  std::map<std::string, int> refused_;
  std::vector<std::string> log_;
};

TEST_F(ApplyTest, puts_back_in_reverse_order) {
  refused_["memory.max=4096"] = EINVAL;
  std::vector<Write> writes = {{"pids", "pids.max", "5"},
                               {"cpu", "cpu.weight", "7"},
                               {"pids", "pids.max", "6"},
                               {"memory", "memory.max", "4096"}};
  auto done = apply_writes(files(), writes, {.force = true, .page_size = 4096});
  ASSERT_FALSE(done);
  EXPECT_THAT(log_, ElementsAre("pids.max=5", "cpu.weight=7", "pids.max=6", "memory.max=4096", "pids.max=5",
                                "cpu.weight=100", "pids.max=max"));
}

TEST_F(ApplyTest, names_what_could_not_be_put_back) {
  refused_["cpu.weight=0"] = ERANGE;
  refused_["pids.max=max"] = EACCES;
  std::vector<Write> writes = {{"pids", "pids.max", "5"}, {"cpu", "cpu.weight", "0"}};
  auto done = apply_writes(files(), writes);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind(), ErrorKind::invalid);
  EXPECT_EQ(done.error().code(), ERANGE);
  EXPECT_THAT(done.error().text(), HasSubstr("cpu.weight = '0': "));
  EXPECT_THAT(done.error().text(), HasSubstr("pids.max = 'max' could not be put back: "));
}

TEST_F(ApplyTest, writes_nothing_that_is_in_force_already) {
  std::vector<Write> writes = {{"pids", "pids.max", "max"}, {"cpu", "cpu.weight", "100"}};
  ASSERT_TRUE(apply_writes(files(), writes));
  EXPECT_THAT(log_, ElementsAre());
}

TEST_F(ApplyTest, takes_one_of_two_alternatives) {
  held_["io.weight"] = held_["io.bfq.weight"] = "default 100";
  refused_["io.weight=8:0 5"] = EOPNOTSUPP;
  std::vector<Write> writes = {{"io", "io.weight", "8:0 5", true}, {"io", "io.bfq.weight", "8:0 5", true}};
  auto done = apply_writes(files(), writes);
  EXPECT_TRUE(done) << done.error().text();
  EXPECT_THAT(log_, ElementsAre("io.weight=8:0 5", "io.bfq.weight=8:0 5"));
}

TEST_F(ApplyTest, fails_where_no_alternative_is_taken) {
  held_["io.weight"] = held_["io.bfq.weight"] = "default 100";
  refused_["io.weight=8:0 5"] = EOPNOTSUPP;
  refused_["io.bfq.weight=8:0 5"] = EOPNOTSUPP;
  std::vector<Write> writes = {{"io", "io.weight", "8:0 5", true}, {"io", "io.bfq.weight", "8:0 5", true}};
  auto done = apply_writes(files(), writes);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind(), ErrorKind::unsupported);
  EXPECT_THAT(done.error().text(), HasSubstr("io.weight = '8:0 5'"));
  refused_["io.bfq.weight=8:0 5"] = ENODEV;
  done = apply_writes(files(), writes);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind(), ErrorKind::gone) << "another reason than unsupported counts at once";
}

TEST_F(ApplyTest, reclaims_the_surplus_before_it_calls_a_limit_too_low) {
  std::vector<Write> writes = {{"memory", "memory.max", "4096"}};
  auto done = apply_writes(files(), writes, {.page_size = 4096});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind(), ErrorKind::busy);
  EXPECT_THAT(done.error().text(), HasSubstr("limit of 4096 bytes is below the present use of 8192 bytes"));
  EXPECT_THAT(log_, ElementsAre("memory.reclaim=4096")) << "and nothing was written";
}

TEST_F(ApplyTest, stops_where_a_signal_interrupts_the_reclaim) {
  refused_["memory.reclaim=4096"] = EINTR;
  std::vector<Write> writes = {{"pids", "pids.max", "5"}, {"memory", "memory.max", "4096"}};
  auto done = apply_writes(files(), writes, {.page_size = 4096});
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().kind(), ErrorKind::timeout);
  EXPECT_EQ(held_["pids.max"], "max");
}

TEST_F(ApplyTest, takes_no_v2_cpuset_that_the_parent_overrules) {
  held_["cpuset.cpus"] = "";
  held_["cpuset.cpus.effective"] = "0";
  std::vector<Write> writes = {{"cpuset", "cpuset.cpus", "1-2"}};
  auto done = apply_writes(files(), writes);
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().text(), HasSubstr("'0' would be used"));
  EXPECT_EQ(held_["cpuset.cpus"], "\n") << "emptied again";
  writes[0].value = "0-2";
  EXPECT_TRUE(apply_writes(files(), writes)) << "some of it is what counts";
}

TEST_F(ApplyTest, does_not_put_back_a_limit_that_would_kill) {
  held_["memory.max"] = "8192";
  held_["memory.current"] = "8192";
  refused_["cpu.weight=0"] = ERANGE;
  Files growing = files();
  growing.write = [this, write = growing.write](std::string_view controller, std::string_view file,
                                                std::string_view value) {
    auto done = write(controller, file, value);
    if (file == "memory.max") held_["memory.current"] = "12288";
    return done;
  };
  std::vector<Write> writes = {{"memory", "memory.max", "16384"}, {"cpu", "cpu.weight", "0"}};
  auto done = apply_writes(growing, writes, {.page_size = 4096});
  ASSERT_FALSE(done);
  EXPECT_EQ(held_["memory.max"], "16384");
  EXPECT_THAT(done.error().text(), HasSubstr("memory.max = '8192' could not be put back"));
}

}  // namespace
}  // namespace cgm::cgroup
