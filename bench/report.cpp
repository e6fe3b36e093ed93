// SPDX-License-Identifier: LGPL-2.1-or-later
// Tables and JSON.
#include "report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>

namespace cgm::bench {

namespace {

void put(const std::string& line) {
  std::puts(line.c_str());
}

std::string ratio(double value, double to) {
  return to > 0 ? fmt::format("{:.1f}", value / to) : std::string("-");
}

void print_requests(const std::vector<RequestRow>& rows) {
  if (rows.empty()) return;
  put(fmt::format("{:<18} {:<6} {:<8} {:<10} {:>7} {:>9} {:>9} {:>9} {:>7}", "request", "caller", "library",
                  "connection", "clients", "per s", "CPU us", "raw us", "x raw"));
  for (const RequestRow& row : rows)
    put(fmt::format("{:<18} {:<6} {:<8} {:<10} {:>7} {:>9.0f} {:>9.1f} {:>9} {:>7}", row.request, row.caller,
                    row.library, row.fresh ? "new" : "kept", row.clients, row.per_second, row.cpu_us,
                    row.raw_us > 0 ? fmt::format("{:.1f}", row.raw_us) : std::string("-"),
                    ratio(row.cpu_us, row.raw_us)));
  put("");
}

void print_figures(const std::vector<Figure>& figures) {
  if (figures.empty()) return;
  put(fmt::format("{:<70} {:>10} {:>10} {:<5} {}", "figure", "measured", "limit", "unit", ""));
  for (const Figure& one : figures)
    put(fmt::format("{:<70} {:>10.2f} {:>10.2f} {:<5} {}", one.name, one.measured, one.limit, one.unit,
                    one.is_met() ? "ok" : "NOT"));
}

}  // namespace

bool Report::all_met() const {
  return std::all_of(figures.begin(), figures.end(), [](const Figure& one) { return one.is_met(); });
}

void print_tables(const Report& report) {
  print_requests(report.requests);
  for (const Quantity& one : report.quantities) put(fmt::format("{:<70} {:>10.2f} {}", one.name, one.value, one.unit));
  if (!report.quantities.empty()) put("");
  print_figures(report.figures);
  for (const std::string& one : report.skipped) put("skipped: " + one);
}

void print_json(const Report& report) {
  using Json = nlohmann::ordered_json;
  Json requests = Json::array(), quantities = Json::array(), figures = Json::array();
  for (const RequestRow& row : report.requests)
    requests.push_back({{"request", row.request},
                        {"caller", row.caller},
                        {"library", row.library},
                        {"connection", row.fresh ? "new" : "kept"},
                        {"clients", row.clients},
                        {"per_second", row.per_second},
                        {"cpu_us", row.cpu_us},
                        {"raw_us", row.raw_us > 0 ? Json(row.raw_us) : Json()}});
  for (const Quantity& one : report.quantities)
    quantities.push_back({{"name", one.name}, {"value", one.value}, {"unit", one.unit}});
  for (const Figure& one : report.figures)
    figures.push_back({{"name", one.name},
                       {"measured", one.measured},
                       {"limit", one.limit},
                       {"unit", one.unit},
                       {"met", one.is_met()}});
  Json document = {
      {"requests", requests}, {"quantities", quantities}, {"figures", figures}, {"skipped", report.skipped}};
  put(document.dump(2));
}

double median(std::vector<double> values) {
  return percentile(std::move(values), 0.5);
}

double percentile(std::vector<double> values, double part) {
  if (values.empty()) return 0;
  auto at = std::min(values.size() - 1, static_cast<size_t>(part * static_cast<double>(values.size())));
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(at), values.end());
  return values[at];
}

}  // namespace cgm::bench
