// Version orders on versions as they are in the wild. Each first checks its answers on the sorted
// list it measures with.
#include <benchmark/benchmark.h>

#include <iterator>
#include <string_view>

#include "base/check.h"
#include "version/version.h"

namespace vigil::version {
namespace {

constexpr std::string_view kDebian[] = {
    "0.9.8~rc1-1",
    "1.0",
    "1.0-1",
    "1.0-1+deb12u1",
    "1.0-1+deb12u10",
    "2.36-9+deb12u9",
    "3.0.15-1~deb12u1",
    "7.88.1-10+deb12u8",
    "252.30-1~deb12u2",
    "1:1.2.13.dfsg-1",
    "1:9.2p1-2+deb12u3",
    "2:8.39-15",
};
constexpr std::string_view kRedhat[] = {
    "1.0~rc1-1.el8",  "1.0-1.el8",           "1.0-1.el8_9",         "2.34-100.el9_4.3",
    "3.0.7-27.el9",   "4.18.0-553.5.1.el8",  "4.18.0-553.16.1.el8", "1:1.1.1k-9.el8",
    "1:3.0.7-27.el9", "32:9.11.36-14.el8_10"};

void compare_all(benchmark::State& state, std::string_view scheme_name,
                 std::span<const std::string_view> sorted) {
  const Scheme* scheme = find_scheme(scheme_name);
  CHECK(scheme != nullptr);
  for (size_t i = 0; i < sorted.size(); ++i) {
    for (size_t j = 0; j < sorted.size(); ++j) {
      CHECK(scheme->compare(sorted[i], sorted[j]) == (i <=> j));
    }
  }
  for (auto _ : state) {
    for (const std::string_view a : sorted) {
      for (const std::string_view b : sorted) benchmark::DoNotOptimize(scheme->compare(a, b));
    }
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(sorted.size() * sorted.size()));
}

BENCHMARK_CAPTURE(compare_all, debian, "debian", kDebian);
BENCHMARK_CAPTURE(compare_all, redhat, "redhat", kRedhat);

}  // namespace
}  // namespace vigil::version
