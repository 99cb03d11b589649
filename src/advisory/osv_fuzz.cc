#include "advisory/osv.h"

#include <cstdint>

#include "advisory/recording_sink.h"
#include "base/bytes.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text = vigil::as_text({data, size});
  const vigil::advisory::FeedFile file;
  for (const char* name : {"Go", "AlmaLinux", "Ubuntu", "SUSE", "openSUSE", "Wolfi"}) {
    vigil::advisory::RecordingSink sink;
    vigil::advisory::OsvReader reader(*vigil::advisory::find_osv_ecosystem(name), file, sink);
    static_cast<void>(reader.add(text));
    reader.finish();
  }
  return 0;
}
