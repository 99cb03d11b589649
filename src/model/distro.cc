#include "model/distro.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/limits.h"

namespace vigil {

namespace {

// Other names of a distribution: those of os-release and lsb_release, of Trivy, Grype and Syft, of
// purls, of people. A distribution made from another (Linux Mint from Ubuntu) is none of its names:
// the other's advisories do not speak of it, whatever its ID_LIKE says.
constexpr std::pair<std::string_view, std::string_view> kAliases[] = {
    {"alma", "almalinux"},
    {"alma-linux", "almalinux"},
    {"almalinux-os", "almalinux"},
    {"alpine-linux", "alpine"},
    {"amazon-linux", "amazon"},
    {"amazon-linux-ami", "amazon"},
    {"amazonlinux", "amazon"},
    {"amzn", "amazon"},
    {"arch-linux", "arch"},
    {"archlinux", "arch"},
    {"azure", "azurelinux"},
    {"azure-linux", "azurelinux"},
    {"cbl-mariner", "mariner"},
    {"centos-linux", "centos"},
    {"centos-stream", "centos"},
    {"common-base-linux-mariner", "mariner"},
    {"debian-gnu/linux", "debian"},
    {"fedora-linux", "fedora"},
    {"leap", "opensuse-leap"},
    {"ol", "oracle"},
    {"open-euler", "openeuler"},
    {"opensuse.leap", "opensuse-leap"},
    {"opensuse.tumbleweed", "opensuse-tumbleweed"},
    {"oracle-linux", "oracle"},
    {"oracle-linux-server", "oracle"},
    {"oraclelinux", "oracle"},
    {"oracleserver", "oracle"},
    {"photon-os", "photon"},
    {"red-hat", "redhat"},
    {"red-hat-enterprise-linux", "redhat"},
    {"red-hat-enterprise-linux-server", "redhat"},
    {"redhatenterprise", "redhat"},
    {"redhatenterpriseserver", "redhat"},
    {"rhel", "redhat"},
    {"rocky-linux", "rocky"},
    {"rockylinux", "rocky"},
    {"sled", "sles"},
    {"sles_sap", "sles"},
    {"suse", "sles"},
    {"suse-linux", "sles"},
    {"suse-linux-enterprise-desktop", "sles"},
    {"suse-linux-enterprise-server", "sles"},
    {"suse.linux.enterprise.server", "sles"},
    {"tumbleweed", "opensuse-tumbleweed"},
    {"ubi", "redhat"},
    {"vmware-photon", "photon"},
};

struct Codename {
  std::string_view name;
  std::string_view id;
  std::string_view version;
};
// From distro-info-data. Debian's unstable has no number; its feed calls it sid.
constexpr Codename kCodenames[] = {
    {"buzz", "debian", "1.1"},       {"rex", "debian", "1.2"},
    {"bo", "debian", "1.3"},         {"hamm", "debian", "2.0"},
    {"slink", "debian", "2.1"},      {"potato", "debian", "2.2"},
    {"woody", "debian", "3.0"},      {"sarge", "debian", "3.1"},
    {"etch", "debian", "4"},         {"lenny", "debian", "5"},
    {"squeeze", "debian", "6"},      {"wheezy", "debian", "7"},
    {"jessie", "debian", "8"},       {"stretch", "debian", "9"},
    {"buster", "debian", "10"},      {"bullseye", "debian", "11"},
    {"bookworm", "debian", "12"},    {"trixie", "debian", "13"},
    {"forky", "debian", "14"},       {"duke", "debian", "15"},
    {"sid", "debian", "sid"},        {"unstable", "debian", "sid"},
    {"warty", "ubuntu", "4.10"},     {"hoary", "ubuntu", "5.04"},
    {"breezy", "ubuntu", "5.10"},    {"dapper", "ubuntu", "6.06"},
    {"edgy", "ubuntu", "6.10"},      {"feisty", "ubuntu", "7.04"},
    {"gutsy", "ubuntu", "7.10"},     {"hardy", "ubuntu", "8.04"},
    {"intrepid", "ubuntu", "8.10"},  {"jaunty", "ubuntu", "9.04"},
    {"karmic", "ubuntu", "9.10"},    {"lucid", "ubuntu", "10.04"},
    {"maverick", "ubuntu", "10.10"}, {"natty", "ubuntu", "11.04"},
    {"oneiric", "ubuntu", "11.10"},  {"precise", "ubuntu", "12.04"},
    {"quantal", "ubuntu", "12.10"},  {"raring", "ubuntu", "13.04"},
    {"saucy", "ubuntu", "13.10"},    {"trusty", "ubuntu", "14.04"},
    {"utopic", "ubuntu", "14.10"},   {"vivid", "ubuntu", "15.04"},
    {"wily", "ubuntu", "15.10"},     {"xenial", "ubuntu", "16.04"},
    {"yakkety", "ubuntu", "16.10"},  {"zesty", "ubuntu", "17.04"},
    {"artful", "ubuntu", "17.10"},   {"bionic", "ubuntu", "18.04"},
    {"cosmic", "ubuntu", "18.10"},   {"disco", "ubuntu", "19.04"},
    {"eoan", "ubuntu", "19.10"},     {"focal", "ubuntu", "20.04"},
    {"groovy", "ubuntu", "20.10"},   {"hirsute", "ubuntu", "21.04"},
    {"impish", "ubuntu", "21.10"},   {"jammy", "ubuntu", "22.04"},
    {"kinetic", "ubuntu", "22.10"},  {"lunar", "ubuntu", "23.04"},
    {"mantic", "ubuntu", "23.10"},   {"noble", "ubuntu", "24.04"},
    {"oracular", "ubuntu", "24.10"}, {"plucky", "ubuntu", "25.04"},
    {"questing", "ubuntu", "25.10"}, {"resolute", "ubuntu", "26.04"},
};

// Distributions without releases, whatever VERSION_ID says.
constexpr std::string_view kRolling[] = {"arch",    "chainguard",          "gentoo",
                                         "minimos", "opensuse-tumbleweed", "wolfi"};

constexpr std::string_view kMajorReleases[] = {"almalinux", "amazon", "centos", "fedora",
                                               "oracle",    "redhat", "rocky"};

bool is_in(std::string_view id, const auto& ids) {
  return std::find(std::begin(ids), std::end(ids), id) != std::end(ids);
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_shard_letter(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || c == '.' || c == '-' || c == '_' || c == '+';
}

std::string lowered(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

const Codename* find_codename(std::string_view name) {
  for (const Codename& codename : kCodenames) {
    if (codename.name == name) return &codename;
  }
  return nullptr;
}

// The first `count` parts between dots.
std::string first_parts(std::string_view version, int count) {
  size_t end = 0;
  for (int i = 0; i < count && end != std::string_view::npos; ++i) {
    end = version.find('.', i == 0 ? 0 : end + 1);
  }
  return std::string(version.substr(0, end));
}

// A codename for a version becomes the version's number, and the other way round.
void fill_codename(Distro& distro) {
  const Codename* named = find_codename(lowered(distro.version));
  if (named == nullptr && distro.version.empty()) named = find_codename(distro.codename);
  if (named != nullptr && named->id == distro.id) {
    distro.version = named->version;
    distro.codename = named->name;
    return;
  }
  const std::string release = feed_release(distro);
  for (const Codename& codename : kCodenames) {
    if (distro.codename.empty() && codename.id == distro.id && codename.version == release) {
      distro.codename = codename.name;
    }
  }
}

// The value of an os-release line as a shell would read it, without ever running one: quotes of
// either kind, and backslash escapes.
std::string unquoted(std::string_view value) {
  while (!value.empty() && (value.back() == ' ' || value.back() == '\t' || value.back() == '\r')) {
    value.remove_suffix(1);
  }
  const char quote = !value.empty() && (value[0] == '"' || value[0] == '\'') ? value[0] : '\0';
  if (quote != '\0') value.remove_prefix(1);
  std::string out;
  for (size_t i = 0; i < value.size() && (quote == '\0' || value[i] != quote); ++i) {
    if (value[i] == '\\' && quote != '\'' && i + 1 < value.size()) ++i;
    out += value[i];
  }
  return out;
}

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    if (end > 0) out.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

}  // namespace

std::string Distro::text() const {
  if (id.empty()) return "";
  return version.empty() ? id : id + " " + version;
}

std::string canonical_distro_id(std::string_view name) {
  std::string id = lowered(name);
  std::replace(id.begin(), id.end(), ' ', '-');
  for (const auto& [alias, canonical] : kAliases) {
    if (id == alias) return std::string(canonical);
  }
  return id;
}

Result<Distro> parse_os_release(std::string_view text) {
  if (text.size() > limits::kTarHeaderBytesMax) {
    return fail(ErrorCode::kTooLarge, "an os-release file past kTarHeaderBytesMax");
  }
  Distro distro;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    const size_t equals = line.find('=');
    if (line.empty() || line[0] == '#' || equals == std::string_view::npos) continue;
    const std::string_view key = line.substr(0, equals);
    const std::string value = unquoted(line.substr(equals + 1));
    if (key == "ID") distro.id = canonical_distro_id(value);
    if (key == "VERSION_ID") distro.version = value;
    if (key == "VERSION_CODENAME") distro.codename = lowered(value);
    if (key == "PRETTY_NAME") distro.pretty_name = value;
    if (key == "ID_LIKE") distro.id_like = words(value);
    if (key == "SUPPORT_END") distro.support_ends_at = parse_time_or_zero(value);
  }
  if (distro.id.empty()) return fail(ErrorCode::kMalformed, "an os-release file without ID");
  fill_codename(distro);
  return distro;
}

Distro parse_distro(std::string_view text) {
  Distro distro;
  const std::string whole = lowered(text);
  if (const Codename* codename = find_codename(whole)) {
    distro.id = codename->id;
    distro.version = codename->version;
    distro.codename = codename->name;
    return distro;
  }
  // The version begins behind the last separator, or where the digits at the end begin ("rhel9").
  size_t name_end = whole.find(':');
  if (name_end == std::string::npos) name_end = whole.find_last_of("-@ ");
  size_t version_start = name_end == std::string::npos ? whole.size() : name_end + 1;
  std::string_view last = std::string_view(whole).substr(version_start);
  if (last.size() > 1 && last[0] == 'v' && is_digit(last[1])) {
    last.remove_prefix(1);  // "alpine-v3.12", as OSV writes it.
    ++version_start;
  }
  const bool is_version =
      !last.empty() && (is_digit(last[0]) || find_codename(last) != nullptr || last == "edge" ||
                        last == "rolling" || whole[name_end] != '-');
  if (!is_version) {
    name_end = whole.size();
    const size_t digits = whole.find_first_of("0123456789");
    if (digits != std::string::npos && digits > 0 &&
        whole.find_first_not_of("0123456789.", digits) == std::string::npos) {
      name_end = digits;
    }
    version_start = name_end;
  }
  distro.id = canonical_distro_id(std::string_view(whole).substr(0, name_end));
  distro.version = whole.substr(std::min(version_start, whole.size()));
  fill_codename(distro);
  return distro;
}

std::string feed_release(const Distro& distro) {
  const std::string& version = distro.version;
  if (is_in(distro.id, kRolling)) return "";
  // Amazon's first release had a date for a version: 2011.09 to 2018.03.
  if (distro.id == "amazon" && version.starts_with("201")) return "1";
  if (is_in(distro.id, kMajorReleases)) return first_parts(version, 1);
  if (distro.id == "debian") {
    // Until 3.1 a release was two numbers.
    return first_parts(version,
                       !version.empty() && version[0] < '4' && version.find('.') == 1 ? 2 : 1);
  }
  if (distro.id == "alpine") {
    const bool is_edge = version == "edge" || version.find("_alpha") != std::string::npos;
    return is_edge ? "edge" : first_parts(version, 2);
  }
  return first_parts(version, 2);
}

std::string shard_name(const Distro& distro) {
  if (!distro.is_known()) return "";
  const bool is_rolling = is_in(distro.id, kRolling);
  const std::string release = feed_release(distro);
  if (!is_rolling && release.empty()) return "";
  const std::string name = is_rolling ? distro.id : distro.id + "-" + release;
  // What an image says ends up in a file name here.
  const bool is_plain = std::all_of(name.begin(), name.end(), is_shard_letter);
  return is_plain ? name : "";
}

}  // namespace vigil
