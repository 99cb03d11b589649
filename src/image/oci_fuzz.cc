// An OCI layout from a recipe, so that changed documents keep fitting digests: pieces between lines
// of "%%", each a blob that later ones may name, the last of them index.json. "@0" stands for the
// digest of the first piece, "#0" for its size.
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/digest.h"
#include "image/image.h"
#include "image/memory_files.h"

namespace {

constexpr size_t kPiecesMax = 10;  // One digit.

std::vector<std::string> split(std::string_view recipe) {
  constexpr std::string_view kSeparator = "\n%%\n";
  std::vector<std::string> pieces;
  while (pieces.size() < kPiecesMax) {
    const size_t end = recipe.find(kSeparator);
    pieces.emplace_back(recipe.substr(0, end));
    if (end == std::string_view::npos) break;
    recipe.remove_prefix(end + kSeparator.size());
  }
  return pieces;
}

std::string fill_in(std::string_view piece, const std::vector<std::string>& blobs) {
  std::string out;
  for (size_t i = 0; i < piece.size(); ++i) {
    const bool is_mark = (piece[i] == '@' || piece[i] == '#') && i + 1 < piece.size();
    const size_t number = is_mark ? static_cast<size_t>(piece[i + 1] - '0') : blobs.size();
    if (number >= blobs.size()) {
      out += piece[i];
      continue;
    }
    out += piece[i] == '@' ? vigil::sha256(vigil::as_bytes(blobs[number])).text()
                           : std::to_string(blobs[number].size());
    ++i;
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::map<std::string, std::string> files = {{"oci-layout", R"({"imageLayoutVersion":"1.0.0"})"}};
  std::vector<std::string> blobs;
  for (const std::string& piece : split(vigil::as_text({data, size}))) {
    blobs.push_back(fill_in(piece, blobs));
    files["blobs/sha256/" + vigil::sha256(vigil::as_bytes(blobs.back())).hex()] = blobs.back();
  }
  files["index.json"] = blobs.back();
  vigil::image::MemoryFiles access(std::move(files));
  constexpr vigil::image::Claim kClaims[] = {
      {vigil::image::ClaimKind::kPath, "etc/os-release", 64 << 10}};
  const auto* source = vigil::image::find_source(vigil::TargetKind::kOciDirectory);
  for (const std::string selector : {"", "latest"}) {
    const vigil::image::ImageRef ref = {vigil::TargetKind::kOciDirectory, "x", selector, ""};
    const auto image =
        source->open(access, ref, {.claims = kClaims, .threads_count = 1, .verify_diff_ids = true});
    static_cast<void>(image);
  }
  return 0;
}
