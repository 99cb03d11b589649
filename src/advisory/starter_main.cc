// Makes the embedded starter while the program is built: starter OUT_FOLDER [TABLE...] writes a
// database from the fact tables, and starter.S, which puts its files into the program.
#include <algorithm>
#include <cstdio>
#include <set>
#include <string>
#include <vector>

#include "advisory/database_files.h"
#include "advisory/fact_table.h"
#include "advisory/shard_set.h"
#include "advisory/starter.h"
#include "base/file.h"
#include "base/limits.h"

// This program has no starter inside.
const vigil_starter_entry vigil_starter_entries[] = {{"", nullptr, 0}};
const uint64_t vigil_starter_entries_count = 0;

namespace vigil::advisory {

namespace {

// The names are those of files we wrote: no character of them needs an escape.
std::string assembly(const std::string& folder, const std::vector<std::string>& names) {
  std::string files = "#include <cet.h>\n\n.section .rodata.vigil_starter,\"a\",%progbits\n";
  std::string table =
      ".section .data.rel.ro.vigil_starter,\"aw\",%progbits\n.balign 8\n"
      ".globl vigil_starter_entries\nvigil_starter_entries:\n";
  files += ".balign 4096\n";
  for (size_t i = 0; i < names.size(); ++i) {
    const std::string number = std::to_string(i);
    files += "data_" + number + ": .incbin \"" + folder + "/" + names[i] + "\"\n";
    files += "end_" + number + ":\n.balign 64\n";
    files += "name_" + number + ": .asciz \"" + names[i] + "\"\n.balign 64\n";
    table += ".quad name_" + number + ", data_" + number + ", end_" + number + " - data_" + number +
             "\n";
  }
  files += ".balign 8\n.globl vigil_starter_entries_count\nvigil_starter_entries_count: .quad " +
           std::to_string(names.size()) + "\n";
  return files + "\n" + table + "\n.section .note.GNU-stack,\"\",%progbits\n";
}

Status make(const std::string& folder, std::vector<std::string> tables) {
  std::ranges::sort(tables);
  ShardSet shards;
  Manifest manifest;
  std::set<std::string> attributions;
  std::set<std::string> licences;
  for (const std::string& path : tables) {
    const std::string bytes = TRY(read_file(path, limits::kFactTableBytesMax));
    const FactTableHead head = TRY(with_context(read_fact_table_head(bytes), path));
    shards.begin_file(head.feed, {}, head.as_of);
    TRY(with_context(read_fact_table(bytes, shards), path));
    shards.end_file();
    manifest.built_at = std::max(manifest.built_at, head.as_of);
    if (!head.attribution.empty()) attributions.insert(head.attribution);
    licences.insert(head.feed + ": " + head.licence);
  }
  const std::vector<WrittenShard> written = TRY(shards.write(0));
  manifest.serial = static_cast<uint64_t>(manifest.built_at);
  manifest.epss_at = shards.epss_at();
  manifest.tool_version = VIGIL_VERSION;
  manifest.attributions.assign(attributions.begin(), attributions.end());
  manifest.licences.assign(licences.begin(), licences.end());
  manifest.shards = manifest_shards(written);
  TRY(write_database(folder, manifest, written, nullptr));
  remove_stale_shards(folder, manifest, nullptr);

  std::vector<std::string> names = {"manifest.json"};
  for (const ManifestShard& shard : manifest.shards) names.push_back(shard.file_name());
  return write_atomically(folder + "/starter.S", assembly(folder, names));
}

}  // namespace

}  // namespace vigil::advisory

int main(int count, char** words) {
  if (count < 2) return 1;
  const vigil::Status made = vigil::advisory::make(words[1], {words + 2, words + count});
  if (!made) std::fprintf(stderr, "starter: %s\n", made.error().text().c_str());
  return made ? 0 : 1;
}
