// A report that is read must be written and read again as the same.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "report/format.h"
#include "report/report_reader.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace report = vigil::report;
  const auto read = report::read_report({reinterpret_cast<const char*>(data), size});
  if (!read) return 0;
  const report::Format& json = *report::find_format("json");
  report::WriteOptions options;
  options.with_files = true;
  const bool is_inventory = read->verdicts.size() != read->sbom.packages.size();
  const auto write = is_inventory ? json.write_sbom : json.write_report;
  const auto text = write(*read, options);
  CHECK(text.has_value());
  const auto again = report::read_report(*text);
  CHECK(again.has_value());
  CHECK(write(*again, options) == *text);
  for (const report::Format* format : report::all_formats()) {
    CHECK(format->write_report(*read, options).has_value());
    if (format->write_sbom != nullptr) CHECK(format->write_sbom(*read, options).has_value());
  }
  return 0;
}
