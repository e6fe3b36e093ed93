// SPDX-License-Identifier: LGPL-2.1-or-later
// What a client says before its first message: in pieces as whole. The first byte chooses the pieces.
#include "bus/auth.hpp"
#include "fuzz/fuzz.hpp"

namespace {

using cgm::bus::Authenticator;
using cgm::test::promise;

struct Outcome {
  Authenticator::State state;
  bool descriptors;
  std::string answers;
  size_t used;
};

/// Feeds `bytes`, `step` more of them each time, as a connection does: what was not used is given again.
Outcome feed(std::string_view bytes, size_t step) {
  Authenticator authenticator("0123456789abcdef0123456789abcdef");
  Outcome outcome{Authenticator::State::going_on, false, "", 0};
  for (size_t there = 0; authenticator.state() == Authenticator::State::going_on && there < bytes.size();) {
    there = std::min(bytes.size(), there + step);
    size_t used = authenticator.feed(bytes.substr(outcome.used, there - outcome.used));
    promise(used <= there - outcome.used, "no more is used than there is");
    outcome.used += used;
    outcome.answers += authenticator.take_output();
  }
  outcome.state = authenticator.state();
  outcome.descriptors = authenticator.passes_descriptors();
  return outcome;
}

}  // namespace

FUZZ(text) {
  cgm::test::Choices choices(text);
  size_t step = 1 + choices.byte() % 64;
  std::string_view said = choices.rest();
  Outcome whole = feed(said, said.size() + 1), pieces = feed(said, step);
  promise(whole.state == pieces.state, "pieces end as the whole does");
  promise(whole.answers == pieces.answers, "pieces are answered as the whole is");
  promise(whole.descriptors == pieces.descriptors, "pieces agree to descriptors as the whole does");
  promise(whole.answers.size() <= size_t{Authenticator::kMaxLines} * 64, "answers are bounded");
  if (whole.state != Authenticator::State::done) return;
  promise(whole.used == pieces.used, "the first message begins at the same byte");
  std::string_view until = said.substr(0, whole.used);
  promise(until.ends_with("\r\n") && until.substr(until.rfind("\r\n", until.size() - 3) + 2).starts_with("BEGIN"),
          "the first message follows BEGIN");
  promise(whole.answers.find("OK ") != std::string::npos, "nobody is let in unanswered");
}
