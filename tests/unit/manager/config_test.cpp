// SPDX-License-Identifier: LGPL-2.1-or-later
#include "manager/config.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cgm::manager {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(ParseConfig, takes_every_kind_of_key) {
  auto config = parse_config(
      "sockets = [\"/a\", \"/b\"]\nclassic_socket = true\nlog = \"debug\"\n"
      "[hierarchies]\nskip = [\"cpuset\"]\nmount_unified = false\n[limits]\nconnections = 7\ndepth = 3\n");
  ASSERT_TRUE(config) << config.error().text();
  EXPECT_THAT(config->sockets, ElementsAre("/a", "/b"));
  EXPECT_TRUE(config->classic_socket);
  EXPECT_EQ(config->log, LogLevel::debug);
  EXPECT_THAT(config->skip, ElementsAre("cpuset"));
  EXPECT_FALSE(config->mount_unified);
  EXPECT_EQ(config->connections, 7);
  EXPECT_EQ(config->depth, 3);
  EXPECT_EQ(config->cgroups, 1024) << "what is not named keeps its default";
}

TEST(ParseConfig, takes_an_empty_file) {
  EXPECT_TRUE(parse_config(""));
}

TEST(ParseConfig, names_line_and_key_of_what_is_wrong) {
  for (const auto& [text, said] :
       {std::pair("log = \"debug\"\nlogg = 1\n", "line 2: there is no key 'logg'"),
        {"[limit]\n", "there is no section 'limit'"},
        {"[limits]\nconnections = 0\n", "line 2: 'limits.connections' takes a number from 1"},
        {"[limits]\nconnections = \"7\"\n", "'limits.connections' takes a number"},
        {"sockets = \"/a\"\n", "'sockets' takes a list of strings"},
        {"sockets = [1]\n", "'sockets' takes a list of strings"},
        {"classic_socket = 1\n", "'classic_socket' takes true or false"},
        {"log = \"loud\"\n", "'loud' is no log level"},
        {"log = \n", "line 1"},
        {"limits = 3\n", "there is no key 'limits'"}}) {
    auto config = parse_config(text);
    ASSERT_FALSE(config) << text;
    EXPECT_THAT(config.error().text(), HasSubstr(said)) << text;
  }
}

TEST(ParseConfig, takes_characters_beyond_ascii_in_comments_and_escaped_alone) {
  auto config = parse_config("# \u00e9\nsockets = ['/a#b', \"/caf\\u00e9\"] # \u02c7\n");
  ASSERT_TRUE(config) << config.error().text();
  EXPECT_EQ(config->sockets, (std::vector<std::string>{"/a#b", "/caf\u00e9"}));
  // The undefined behaviour of toml++ would be seen with sanitizers.
  for (const char* text : {"\nk\u00f6nig = 1\n", "\nlog = \u02c7\n", "\nlog = \"\u00e9\"\n", "\nlog = 3\"\u00e9\"\n"}) {
    auto refused = parse_config(text);
    ASSERT_FALSE(refused) << text;
    EXPECT_THAT(refused.error().text(), HasSubstr("line 2: a character beyond ASCII")) << text;
  }
}

TEST(ConfigKeys, each_are_parsed) {
  for (const ConfigKey& key : config_keys()) {
    std::string value = key.type == "integer"   ? std::to_string(key.least)
                        : key.type == "boolean" ? "true"
                        : key.type == "level"   ? "\"info\""
                                                : "[]";
    std::string text = key.section.empty() ? "" : "[" + std::string(key.section) + "]\n";
    text += std::string(key.name) + " = " + value + "\n";
    auto config = parse_config(text);
    EXPECT_TRUE(config) << text << (config ? "" : config.error().text());
    EXPECT_FALSE(key.meaning.empty());
  }
}

}  // namespace
}  // namespace cgm::manager
