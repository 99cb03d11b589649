// YAML as a plain tree, through yaml-cpp (the only file that includes it). Hostile input: depth,
// nodes and alias expansion are bounded ("billion laughs" is kTooLarge).
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace vigil::decode {

struct Yaml {
  enum class Kind { kNull, kScalar, kList, kMap };
  Kind kind = Kind::kNull;
  uint32_t line = 0;  // Where it begins, from 1; 0 for what is absent.
  std::string scalar;
  std::vector<Yaml> list;
  // In document order; the first of equal keys counts.
  std::vector<std::pair<std::string, Yaml>> map;

  Yaml();
  Yaml(const Yaml&);
  Yaml(Yaml&&) noexcept;
  Yaml& operator=(const Yaml&);
  Yaml& operator=(Yaml&&) noexcept;
  ~Yaml();

  const Yaml& operator[](std::string_view key) const;  // A null Yaml where absent.
  explicit operator bool() const { return kind != Kind::kNull; }
};

Result<Yaml> parse_yaml(std::string_view text);

}  // namespace vigil::decode
