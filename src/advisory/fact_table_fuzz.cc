// Any bytes as a table, and as the body of one: fuzzing does not get through an xz file's sums.
#include "advisory/fact_table.h"

#include <cstdint>
#include <cstdlib>

#include "base/bytes.h"
#include "decode/archive.h"

namespace {

void read(std::string_view table) {
  vigil::advisory::FactRecorder sink;
  if (!vigil::advisory::read_fact_table(table, sink)) return;
  // What could be read can be written and is then the same again.
  const auto bytes = vigil::advisory::write_fact_table({}, sink);
  vigil::advisory::FactRecorder again;
  if (!bytes || !vigil::advisory::read_fact_table(*bytes, again)) std::abort();
  if (again.records.size() != sink.records.size() || again.facts.size() != sink.facts.size()) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = vigil::as_text({data, size});
  read(text);
  const auto body = vigil::decode::compress_xz(text);
  if (!body) std::abort();
  read(std::string("VIGILFT1") + std::string(5, '\0') + *body);
  return 0;
}
