// A database in memory, for tests.
#pragma once

#include <algorithm>
#include <list>
#include <map>
#include <memory>
#include <set>

#include "advisory/database.h"

namespace vigil::match {

class FakeShard : public advisory::Shard {
 public:
  explicit FakeShard(std::string name) : name_(std::move(name)) {}

  std::string_view name() const override { return name_; }
  std::span<const advisory::ShardSource> sources() const override { return sources_; }
  Status each(std::string_view package, std::list<Affected>& kept, Visitor visit) const override {
    if (is_damaged) return fail(ErrorCode::kMalformed, "block 3 of " + name_ + " is damaged");
    std::vector<const Affected*> numbered;
    for (const Advisory& advisory : advisories) {
      Advisory one = advisory;
      one.affected.clear();
      std::vector<advisory::AffectedEntry> entries;
      for (const Affected& affected : advisory.affected) {
        if (affected.package == package) entries.push_back(entry_of(affected, kept, numbered));
      }
      if (!entries.empty()) visit(one, entries);
    }
    return {};
  }
  uint64_t bytes_about(std::string_view package) const override {
    uint64_t count = 0;
    for (const Advisory& advisory : advisories) {
      count +=
          static_cast<uint64_t>(std::ranges::count(advisory.affected, package, &Affected::package));
    }
    return count;
  }
  Result<advisory::Knowledge> knowledge(std::string_view package) const override {
    const auto known = knowledge_of.find(std::string(package));
    return known == knowledge_of.end() ? otherwise : known->second;
  }
  Result<std::vector<Advisory>> find_id(std::string_view) const override {
    return std::vector<Advisory>{};
  }

  void add_source(UnixSeconds as_of) { sources_.push_back({"fake", {}, as_of}); }

  std::vector<Advisory> advisories;
  std::map<std::string, advisory::Knowledge> knowledge_of;
  advisory::Knowledge otherwise = advisory::Knowledge::kFull;
  bool is_damaged = false;

 private:
  // As a real one: what two advisories say has a number.
  advisory::AffectedEntry entry_of(const Affected& affected, std::list<Affected>& kept,
                                   std::vector<const Affected*>& numbered) const {
    const auto says_it = [&](const Advisory& advisory) {
      return std::ranges::find(advisory.affected, affected) != advisory.affected.end();
    };
    if (std::ranges::count_if(advisories, says_it) == 1) return {&kept.emplace_back(affected), {}};
    const auto at =
        std::ranges::find_if(numbered, [&](const Affected* known) { return *known == affected; });
    const auto number = static_cast<uint32_t>(at - numbered.begin());
    if (at == numbered.end()) numbered.push_back(&kept.emplace_back(affected));
    return {numbered[number], number};
  }

  std::string name_;
  std::vector<advisory::ShardSource> sources_;
};

class FakeDatabase : public advisory::Database {
 public:
  Result<const advisory::Shard*> shard(std::string_view name) const override {
    const auto found = shards_.find(std::string(name));
    return found == shards_.end() ? nullptr : found->second.get();
  }
  std::vector<std::string> shard_names() const override {
    std::vector<std::string> names;
    for (const auto& [name, shard] : shards_) names.push_back(name);
    return names;
  }
  Result<std::optional<CveFacts>> facts(std::string_view cve) const override {
    for (const CveFacts& one : facts_of) {
      if (one.cve == cve) return one;
    }
    return std::nullopt;
  }
  Result<std::optional<ReleaseLife>> release_life(std::string_view distro,
                                                  std::string_view release) const override {
    for (const ReleaseLife& life : lives) {
      if (life.distro == distro && life.release == release) return life;
    }
    return std::nullopt;
  }
  DatabaseUse use() const override {
    DatabaseUse use;
    use.path = "in memory";
    for (const auto& [name, shard] : shards_) use.shards.push_back({name, "", "", ""});
    return use;
  }
  UnixSeconds epss_at() const override { return 0; }

  // The shard of the name, made where it is not there.
  FakeShard& at(const std::string& name) {
    std::unique_ptr<FakeShard>& shard = shards_[name];
    if (!shard) shard = std::make_unique<FakeShard>(name);
    return *shard;
  }

  std::vector<CveFacts> facts_of;
  std::vector<ReleaseLife> lives;

 private:
  std::map<std::string, std::unique_ptr<FakeShard>> shards_;
};

// --- Short forms ------------------------------------------------------------------------------

inline Affected source_fixed(std::string package, std::string fixed) {
  Affected affected;
  affected.package = std::move(package);
  affected.name_kind = NameKind::kSource;
  affected.state = FixState::kFixed;
  affected.ranges = {{"", std::move(fixed), ""}};
  return affected;
}

inline Affected source_open(std::string package, FixState state) {
  Affected affected;
  affected.package = std::move(package);
  affected.name_kind = NameKind::kSource;
  affected.state = state;
  if (state != FixState::kNotAffected) affected.ranges = {{"", "", ""}};
  return affected;
}

inline Affected binary_fixed(std::string package, std::string fixed) {
  Affected affected = source_fixed(std::move(package), std::move(fixed));
  affected.name_kind = NameKind::kBinary;
  return affected;
}

// A record under its own id, which is its CVE where it is one.
inline Advisory record(std::string id, std::vector<Affected> affected,
                       std::string source = "fake") {
  Advisory advisory;
  if (is_cve(id)) advisory.cves = {id};
  advisory.id = std::move(id);
  advisory.source = std::move(source);
  advisory.affected = std::move(affected);
  return advisory;
}

inline Package package_of(PackageKind kind, std::string name, std::string version) {
  Package package;
  package.kind = kind;
  package.name = std::move(name);
  package.version = std::move(version);
  return package;
}

inline Sbom sbom_of(std::string distro, std::string release, std::vector<Package> packages) {
  Sbom sbom;
  sbom.distro.id = std::move(distro);
  sbom.distro.version = std::move(release);
  sbom.packages = std::move(packages);
  return sbom;
}

}  // namespace vigil::match
