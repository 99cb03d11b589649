// The driver of a fuzz target where libFuzzer is not: runs every file of the folders (or files)
// given, then a fixed number of seeded mutations of them, so that a run is the same each time.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

constexpr int kMutationsCount = 2000;
constexpr size_t kMutatedBytesMax = 64 << 10;

std::vector<std::string> read_corpus(int argc, char** argv) {
  std::vector<std::filesystem::path> paths;
  for (int i = 1; i < argc; ++i) {
    if (std::filesystem::is_regular_file(argv[i])) paths.emplace_back(argv[i]);
    if (!std::filesystem::is_directory(argv[i])) continue;
    for (const auto& entry : std::filesystem::directory_iterator(argv[i])) {
      if (entry.is_regular_file()) paths.push_back(entry.path());
    }
  }
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> corpus;
  for (const auto& path : paths) {
    std::ifstream in(path, std::ios::binary);
    corpus.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }
  return corpus;
}

std::string mutate(std::string input, std::mt19937& random) {
  if (input.size() > kMutatedBytesMax) input.resize(kMutatedBytesMax);
  const int edits = 1 + static_cast<int>(random() % 8);
  for (int i = 0; i < edits && !input.empty(); ++i) {
    const size_t at = random() % input.size();
    switch (random() % 5) {
      case 0:
        input[at] = static_cast<char>(random());
        break;
      case 1:
        input[at] = static_cast<char>(input[at] ^ (1 << (random() % 8)));
        break;
      case 2:
        input.resize(at);
        break;
      case 3:
        input.erase(at, random() % 16);
        break;
      case 4:
        input.insert(at, input.substr(random() % input.size(), random() % 64));
        break;
    }
  }
  return input;
}

void run(const std::string& input) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()), input.size());
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::string> corpus = read_corpus(argc, argv);
  if (corpus.empty()) {
    std::fprintf(stderr, "no seed inputs under the folders given\n");
    return 1;
  }
  for (const std::string& input : corpus) run(input);
  std::mt19937 random(20240229);
  for (int i = 0; i < kMutationsCount; ++i) run(mutate(corpus[random() % corpus.size()], random));
  std::printf("%zu inputs and %d mutations\n", corpus.size(), kMutationsCount);
  return 0;
}
