// SPDX-License-Identifier: LGPL-2.1-or-later
// What was measured, and how it is told: tables for people, JSON for programs. Figures are held against their limits.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace cgm::bench {

/// One kind of request in one constellation; medians.
struct RequestRow {
  std::string request, caller, library;
  bool fresh = false;     ///< on a connection of its own
  unsigned clients = 1;   ///< at the same time; one client is pinned to the server's CPU
  double per_second = 0;  ///< all clients together
  double cpu_us = 0;      ///< of the server, for one request
  double raw_us = 0;      ///< of the kernel work alone; 0 where it was not measured or there is none
};

/// Something else that was measured, without a limit of its own.
struct Quantity {
  std::string name, unit;
  double value = 0;
};

/// Something that has to stay at or below a limit.
struct Figure {
  std::string name, unit;
  double measured = 0, limit = 0;
  bool is_met() const { return measured <= limit; }
};

struct Report {
  std::vector<RequestRow> requests;
  std::vector<Quantity> quantities;
  std::vector<Figure> figures;
  std::vector<std::string> skipped;  ///< what could not be measured, and why

  bool all_met() const;
};

void print_tables(const Report& report);
void print_json(const Report& report);

/// The middle value; of an even number the upper one of the two.
double median(std::vector<double> values);
/// The value below which `part` (0 to 1) of the values lie.
double percentile(std::vector<double> values, double part);

}  // namespace cgm::bench
