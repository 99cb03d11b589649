// Package URLs: parse and print (package-url/purl-spec, PURL-SPECIFICATION.rst and PURL-TYPES.rst).
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace vigil {

struct Purl {
  std::string type;     // Lower case: "deb".
  std::string space;    // The namespace, decoded: "debian", "org.apache", "github.com/x".
  std::string name;     // Decoded.
  std::string version;  // Decoded; may be empty.
  std::vector<std::pair<std::string, std::string>> qualifiers;  // Lower-case keys, sorted, decoded.
  std::string subpath;

  std::string_view qualifier(std::string_view key) const;            // "" where absent.
  void set_qualifier(std::string_view key, std::string_view value);  // Empty value: left out.

  // Canonical text; parse(p.text()) gives p again.
  std::string text() const;

  // Hostile input: size bounded, every percent escape checked.
  static Result<Purl> parse(std::string_view text);

  bool operator==(const Purl&) const = default;
};

}  // namespace vigil
