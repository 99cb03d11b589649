// goldens/peers: our findings equal those of Trivy and Grype on the same feeds, or a rule says why
// not. expected/INPUT.tsv holds, per rule, how often it explains something and the first
// example; a difference that no rule explains fails.
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <map>

#include "golden_database.h"
#include "peers.h"

namespace vigil::goldens {
namespace {

struct Explained {
  size_t count = 0;
  std::string example;
};

class PeersTest : public testing::TestWithParam<std::string> {};

TEST_P(PeersTest, EveryDifferenceIsExplainedByARule) {
  const std::string& name = GetParam();
  if (name == "none") GTEST_SKIP() << "goldens/peers is not here: no findings to compare with";
  const advisory::Database* database = golden_database();
  ASSERT_NE(database, nullptr);
  const Result<PeerInput> input = read_peer_input(name);
  ASSERT_TRUE(input.has_value()) << input.error().text();
  const Result<match::MatchOutput> ours = match::match_sbom(input->sbom, *database, {});
  ASSERT_TRUE(ours.has_value()) << ours.error().text();
  std::map<std::string, Explained> explained;
  size_t unexplained = 0;
  for (const Difference& difference : compare_with_peers(*input, *ours, *database)) {
    const PeerRule* why = nullptr;
    for (const PeerRule& rule : peer_rules()) {
      if (why == nullptr && rule.explains(difference)) why = &rule;
    }
    if (why == nullptr) {
      ++unexplained;
      if (unexplained <= 20) ADD_FAILURE() << "no rule explains: " << difference.text();
      continue;
    }
    Explained& entry = explained[std::string(why->name)];
    if (entry.count++ == 0) entry.example = difference.text();
  }
  EXPECT_EQ(unexplained, 0u);
  std::string text;
  for (const auto& [rule, entry] : explained) {
    text += name + "\t" + rule + "\t" + std::to_string(entry.count) + "\t" + entry.example + "\n";
  }
  RecordProperty("differences", text);
  std::ifstream file(std::string(VIGIL_SOURCE_DIR) + "/tests/goldens/expected/" + name + ".tsv");
  const std::string expected{std::istreambuf_iterator<char>(file),
                             std::istreambuf_iterator<char>()};
  if (std::getenv("VIGIL_UPDATE_EXPECTED") != nullptr) {
    std::ofstream(std::string(VIGIL_SOURCE_DIR) + "/tests/goldens/expected/" + name + ".tsv")
        << text;
    return;
  }
  // An input without such a file is judged by the rules alone.
  if (file) {
    EXPECT_EQ(text, expected);
  }
}

std::vector<std::string> inputs() {
  std::vector<std::string> names = peer_input_names();
  std::erase(names, "lang-composer");  // Its feeds are not read yet.
  if (names.empty()) names.emplace_back("none");
  return names;
}

INSTANTIATE_TEST_SUITE_P(Inputs, PeersTest, testing::ValuesIn(inputs()), [](const auto& one) {
  std::string name = one.param;
  for (char& c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) c = '_';
  }
  return name;
});

}  // namespace
}  // namespace vigil::goldens
