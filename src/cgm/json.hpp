// SPDX-License-Identifier: LGPL-2.1-or-later
// JSON output: one document on standard output, keys in the order in which they were put in.
#pragma once

#include <nlohmann/json.hpp>

namespace cgm::cli {

using Json = nlohmann::ordered_json;

/// Prints the document, indented by two, and a newline; bytes that are no UTF-8 are replaced.
void print_json(const Json& document);

}  // namespace cgm::cli
