// A distribution and its release, and the one table of names that documents, purls and people use.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace vigil {

struct Distro {
  std::string id;           // Canonical: "debian", "ubuntu", "alpine", "almalinux", "wolfi", …
  std::string version;      // As the system says it: "12", "3.17.10", "22.04", "9.4"; may be empty.
  std::string codename;     // "bookworm" where known.
  std::string pretty_name;  // PRETTY_NAME of os-release, as found.
  std::vector<std::string> id_like;
  // SUPPORT_END of os-release: what the system says of itself; 0 where it says nothing.
  UnixSeconds support_ends_at = 0;

  bool is_known() const { return !id.empty(); }
  // "debian 12"; "" where unknown.
  std::string text() const;
  bool operator==(const Distro&) const = default;
};

// From the text of an os-release file (os-release(5)); parsed, never sourced. Hostile input.
Result<Distro> parse_os_release(std::string_view text);

// From "debian-12", "debian:12", "alpine-3.17.2", "wolfi-20230201", "alma 9.4", "rhel9",
// "ubuntu:jammy", "debian-bookworm", "bookworm": the forms of --distro and of the purl qualifier
// `distro=`. Codenames of Debian and Ubuntu releases become numbers. Unknown names stay as they are
// (lower case) and are no error: what no feed covers is said to be not checkable.
Distro parse_distro(std::string_view text);

// The canonical id of a name or alias in any case ("alma" is "almalinux", "rhel" is "redhat",
// "ol" and "oraclelinux" are "oracle", "amzn" is "amazon", "sles" stays, …).
std::string canonical_distro_id(std::string_view name);

// The release as the distribution's advisories count it: Debian "12", Alpine "3.17" ("edge" where
// the version says so or carries _alpha), Ubuntu "22.04", the RHEL family "9", Wolfi and Chainguard
// "" (rolling). "" also where the version is missing.
std::string feed_release(const Distro& distro);

// The name of the advisory shard for it: "debian-12", "alpine-3.17", "alpine-edge", "wolfi",
// "almalinux-9"; "" where the distribution is not known or its release is needed and missing.
std::string shard_name(const Distro& distro);

}  // namespace vigil
