// SPDX-License-Identifier: LGPL-2.1-or-later
// JSON output.
#include "cgm/json.hpp"

#include <cstdio>

namespace cgm::cli {

void print_json(const Json& document) {
  std::puts(document.dump(2, ' ', false, Json::error_handler_t::replace).c_str());
}

}  // namespace cgm::cli
