#include "advisory/release_names.h"

#include <algorithm>
#include <utility>

namespace vigil::advisory {

namespace {

// From distro-info-data. Sorted by codename.
constexpr std::pair<std::string_view, std::string_view> kShards[] = {
    {"artful", "ubuntu-17.10"},   {"bionic", "ubuntu-18.04"},   {"bo", "debian-1.3"},
    {"bookworm", "debian-12"},    {"breezy", "ubuntu-5.10"},    {"bullseye", "debian-11"},
    {"buster", "debian-10"},      {"buzz", "debian-1.1"},       {"cosmic", "ubuntu-18.10"},
    {"dapper", "ubuntu-6.06"},    {"disco", "ubuntu-19.04"},    {"duke", "debian-15"},
    {"edgy", "ubuntu-6.10"},      {"eoan", "ubuntu-19.10"},     {"etch", "debian-4"},
    {"feisty", "ubuntu-7.04"},    {"focal", "ubuntu-20.04"},    {"forky", "debian-14"},
    {"groovy", "ubuntu-20.10"},   {"gutsy", "ubuntu-7.10"},     {"hamm", "debian-2.0"},
    {"hardy", "ubuntu-8.04"},     {"hirsute", "ubuntu-21.04"},  {"hoary", "ubuntu-5.04"},
    {"impish", "ubuntu-21.10"},   {"intrepid", "ubuntu-8.10"},  {"jammy", "ubuntu-22.04"},
    {"jaunty", "ubuntu-9.04"},    {"jessie", "debian-8"},       {"karmic", "ubuntu-9.10"},
    {"kinetic", "ubuntu-22.10"},  {"lenny", "debian-5"},        {"lucid", "ubuntu-10.04"},
    {"lunar", "ubuntu-23.04"},    {"mantic", "ubuntu-23.10"},   {"maverick", "ubuntu-10.10"},
    {"natty", "ubuntu-11.04"},    {"noble", "ubuntu-24.04"},    {"oneiric", "ubuntu-11.10"},
    {"oracular", "ubuntu-24.10"}, {"plucky", "ubuntu-25.04"},   {"potato", "debian-2.2"},
    {"precise", "ubuntu-12.04"},  {"quantal", "ubuntu-12.10"},  {"questing", "ubuntu-25.10"},
    {"raring", "ubuntu-13.04"},   {"resolute", "ubuntu-26.04"}, {"rex", "debian-1.2"},
    {"sarge", "debian-3.1"},      {"saucy", "ubuntu-13.10"},    {"slink", "debian-2.1"},
    {"squeeze", "debian-6"},      {"stonking", "ubuntu-26.10"}, {"stretch", "debian-9"},
    {"trixie", "debian-13"},      {"trusty", "ubuntu-14.04"},   {"utopic", "ubuntu-14.10"},
    {"vivid", "ubuntu-15.04"},    {"warty", "ubuntu-4.10"},     {"wheezy", "debian-7"},
    {"wily", "ubuntu-15.10"},     {"woody", "debian-3.0"},      {"xenial", "ubuntu-16.04"},
    {"yakkety", "ubuntu-16.10"},  {"zesty", "ubuntu-17.04"},
};

}  // namespace

std::string shard_of_codename(std::string_view codename) {
  const auto* found = std::ranges::lower_bound(kShards, codename, {},
                                               [](const auto& entry) { return entry.first; });
  if (found == std::end(kShards) || found->first != codename) return "";
  return std::string(found->second);
}

}  // namespace vigil::advisory
