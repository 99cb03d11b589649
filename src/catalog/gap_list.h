// The gaps of one package database: bounded, since a hostile one can have a million broken lines.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "model/sbom.h"

namespace vigil::catalog {

class GapList {
 public:
  explicit GapList(std::string path) : path_(std::move(path)) {}

  void add(GapKind kind, std::string reason, std::string limit = "") {
    add_at(path_, kind, std::move(reason), std::move(limit));
  }
  void add_at(std::string path, GapKind kind, std::string reason, std::string limit = "") {
    if (gaps_.size() >= kGapsMax) {
      ++further_count_;
      return;
    }
    gaps_.push_back({kind, std::move(path), std::move(reason), std::move(limit)});
  }

  // Ends with one that counts those past the bound.
  std::vector<Gap> finish() {
    if (further_count_ > 0) {
      gaps_.push_back({GapKind::kMalformed, path_,
                       std::to_string(further_count_) + " further gaps of this database", ""});
    }
    return std::move(gaps_);
  }

 private:
  static constexpr size_t kGapsMax = 100;

  std::string path_;
  std::vector<Gap> gaps_;
  size_t further_count_ = 0;
};

}  // namespace vigil::catalog
