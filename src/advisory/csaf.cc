// A document names products: components (packages, mostly with a purl) as parts of platforms (with
// a CPE). A vulnerability says of each product, by its id, in which state it is; remediations say
// why there is no fix, or when it came; threats hold the severity.
#include "advisory/csaf.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <tuple>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/limits.h"
#include "model/purl.h"

namespace vigil::advisory {

namespace {

// Views into the document.
struct Product {
  std::string_view name;
  std::string_view purl;
  std::string_view cpe;
};

struct Relation {
  std::string_view component;
  std::string_view platform;
};

// A package of a release.
struct Component {
  std::string package;
  std::string version;  // "" where all versions are meant.
  std::string arch;     // "" where all are.
  std::string module;
  NameKind kind = NameKind::kBinary;
  RedhatPlatform platform;
};

// What a vulnerability says of a product apart from its status.
struct Remarks {
  FixState unfixed = FixState::kAffected;
  UnixSeconds fixed_at = 0;
  std::string_view severity;
};

// Everything of an Affected but its architectures, which are brought together.
using Row = std::tuple<std::string, NameKind, FixState, std::string, std::string, std::string,
                       UnixSeconds, std::string>;

// The front of `text` up to `end` or the whole of it, taken off with the character after it.
std::string_view take_until(std::string_view& text, char end) {
  const size_t at = std::min(text.find(end), text.size());
  const std::string_view front = text.substr(0, at);
  text.remove_prefix(std::min(at + 1, text.size()));
  return front;
}

// "nodejs:18" of "nodejs:18:8090020230413:rhel8".
std::string module_stream(std::string_view label) {
  const size_t colon = label.find(':');
  if (colon == std::string_view::npos) return std::string(label);
  return std::string(label.substr(0, label.find(':', colon + 1)));
}

class Document {
 public:
  explicit Document(JsonView root) {
    walk(root["product_tree"]["branches"]);
    root["product_tree"]["relationships"].each([this](JsonView one) {
      relations_[one["full_product_name"]["product_id"].text()] = {
          one["product_reference"].text(), one["relates_to_product_reference"].text()};
    });
  }

  // The package of RHEL behind a product id; nothing, with the reason counted, for what is none.
  std::optional<Component> component(std::string_view product_id, AdvisorySink& sink) const {
    const auto relation = relations_.find(product_id);
    if (relation == relations_.end()) {
      sink.skip("redhat: a product that is not a part of another");
      return std::nullopt;
    }
    const auto platform = products_.find(relation->second.platform);
    const auto product = products_.find(relation->second.component);
    if (platform == products_.end() || product == products_.end()) {
      sink.skip("redhat: a product that the document does not describe");
      return std::nullopt;
    }
    Component out;
    out.platform = redhat_platform(platform->second.cpe);
    if (out.platform.release.empty()) {
      sink.skip("redhat: a package of a product that is no release of RHEL");
      return std::nullopt;
    }
    const bool is_package = product->second.purl.empty() ? read_name(product->second.name, out)
                                                         : read_purl(product->second.purl, out);
    if (!is_package || out.package.empty() || out.package.size() > limits::kNameBytesMax ||
        out.version.size() > limits::kVersionBytesMax) {
      sink.skip("redhat: a product that is no rpm package");
      return std::nullopt;
    }
    return out;
  }

 private:
  // As deep as the document, which the JSON parser bounds.
  void walk(JsonView branches) {
    branches.each([this](JsonView branch) {
      const JsonView product = branch["product"];
      const JsonView helper = product["product_identification_helper"];
      if (product) {
        products_[product["product_id"].text()] = {branch["name"].text(), helper["purl"].text(),
                                                   helper["cpe"].text()};
      }
      walk(branch["branches"]);
    });
  }

  static bool read_purl(std::string_view text, Component& out) {
    const Result<Purl> purl = Purl::parse(text);
    if (!purl || purl->type != "rpm") return false;
    out.package = purl->name;
    out.version = purl->version;
    const std::string_view epoch = purl->qualifier("epoch");
    if (!epoch.empty() && epoch != "0" && !out.version.empty()) {
      out.version = std::string(epoch) + ":" + out.version;
    }
    out.arch = purl->qualifier("arch");
    out.module = module_stream(purl->qualifier("rpmmod"));
    if (out.arch == "src") {
      out.kind = NameKind::kSource;
      out.arch.clear();
    }
    return true;
  }

  // Without a purl it is not said whether source or binary: "snakeyaml", "ruby:2.5/ruby".
  static bool read_name(std::string_view name, Component& out) {
    out.kind = NameKind::kEither;
    const size_t slash = name.find('/');
    if (slash != std::string_view::npos) {
      out.module = name.substr(0, slash);
      name.remove_prefix(slash + 1);
      if (std::ranges::count(out.module, ':') != 1) return false;
    }
    out.package = name;
    return name.find_first_of(":/@ ") == std::string_view::npos;
  }

  std::unordered_map<std::string_view, Product> products_;
  std::unordered_map<std::string_view, Relation> relations_;
};

// Red Hat's own words in `details` of a remediation.
FixState unfixed_state(std::string_view category, std::string_view details) {
  if (details == "Will not fix") return FixState::kWillNotFix;
  if (details == "Out of support scope") return FixState::kEndOfLife;
  if (details == "Fix deferred") return FixState::kFixDeferred;
  return category == "no_fix_planned" ? FixState::kWillNotFix : FixState::kAffected;
}

std::unordered_map<std::string_view, Remarks> remarks_of(JsonView vulnerability) {
  std::unordered_map<std::string_view, Remarks> out;
  vulnerability["remediations"].each([&](JsonView one) {
    const std::string_view category = one["category"].text();
    const UnixSeconds date = parse_time_or_zero(one["date"].text());
    const bool is_fix = category == "vendor_fix";
    if (!is_fix && category != "no_fix_planned" && category != "none_available") return;
    const FixState state = unfixed_state(category, one["details"].text());
    one["product_ids"].each([&](JsonView id) {
      Remarks& remarks = out[id.text()];
      // Several fixes for one product: the first made it safe.
      if (is_fix && (remarks.fixed_at == 0 || date < remarks.fixed_at)) remarks.fixed_at = date;
      if (!is_fix) remarks.unfixed = state;
    });
  });
  vulnerability["threats"].each([&](JsonView one) {
    if (one["category"].text() != "impact") return;
    one["product_ids"].each([&](JsonView id) { out[id.text()].severity = one["details"].text(); });
  });
  return out;
}

// The severity that is not said of single products, else the first one said.
std::string_view severity_of(JsonView vulnerability) {
  std::string_view severity;
  vulnerability["threats"].each([&](JsonView one) {
    if (one["category"].text() != "impact") return;
    if (severity.empty() || one["product_ids"].size() == 0) severity = one["details"].text();
  });
  return severity;
}

std::vector<Cvss> cvss_of(JsonView vulnerability, AdvisorySink& sink) {
  std::vector<Cvss> out;
  vulnerability["scores"].each([&](JsonView score) {
    for (const std::string_view version : {"cvss_v4", "cvss_v3", "cvss_v2"}) {
      const std::string_view vector = score[version]["vectorString"].text();
      if (vector.empty()) continue;
      Result<Cvss> cvss = parse_cvss(vector);
      if (!cvss) {
        sink.skip("a CVSS vector that is not understood");
        continue;
      }
      cvss->source = "redhat";
      if (std::ranges::find(out, *cvss) == out.end()) out.push_back(*std::move(cvss));
    }
  });
  return out;
}

Affected affected_of(const Row& row, const std::set<std::string>& arches) {
  Affected out;
  std::string version;
  std::tie(out.package, out.name_kind, out.state, out.module, out.channel, version, out.fixed_at,
           out.vendor_severity) = row;
  if (out.state != FixState::kNotAffected) {
    out.ranges.push_back({.introduced = "", .fixed = version, .last_affected = ""});
  } else if (!version.empty()) {
    out.versions.push_back(std::move(version));
  }
  if (!arches.contains("")) out.arches.assign(arches.begin(), arches.end());
  return out;
}

// What one vulnerability says of RHEL: by release, its rows with their architectures.
class Statements {
 public:
  void add(const Component& component, FixState state, const Remarks& remarks) {
    const bool is_fixed = state == FixState::kFixed;
    const bool is_said_of_version = is_fixed || state == FixState::kNotAffected;
    Row row(component.package, component.kind, state, component.module, component.platform.channel,
            is_said_of_version ? component.version : "", is_fixed ? remarks.fixed_at : 0,
            std::string(remarks.severity));
    const bool is_for_all = component.arch == "noarch";
    releases_[component.platform.release][std::move(row)].insert(is_for_all ? "" : component.arch);
  }

  void put(const Advisory& head, std::set<std::string>& shards, AdvisorySink& sink) const {
    for (const auto& [release, rows] : releases_) {
      Advisory advisory = head;
      for (const auto& [row, arches] : rows) advisory.affected.push_back(affected_of(row, arches));
      const std::string shard = "redhat-" + release;
      shards.insert(shard);
      sink.add(shard, std::move(advisory));
    }
  }

 private:
  std::map<std::string, std::map<Row, std::set<std::string>>> releases_;
};

void add_vulnerability(JsonView vulnerability, const Document& document, Advisory head,
                       std::set<std::string>& shards, AdvisorySink& sink) {
  head.cves.emplace_back(vulnerability["cve"].text());
  if (!is_cve(head.cves.front())) {
    sink.skip("redhat: a vulnerability without a CVE id");
    return;
  }
  if (head.id.empty()) head.id = head.cves.front();
  head.vendor_severity = severity_of(vulnerability);
  head.cvss = cvss_of(vulnerability, sink);
  const std::string_view cwe = vulnerability["cwe"]["id"].text();
  if (!cwe.empty()) head.cwes.emplace_back(cwe);
  head.published_at = parse_time_or_zero(vulnerability["release_date"].text());

  const std::unordered_map<std::string_view, Remarks> remarks = remarks_of(vulnerability);
  constexpr std::array<std::pair<std::string_view, FixState>, 4> kStates = {
      {{"fixed", FixState::kFixed},
       {"known_affected", FixState::kAffected},
       {"known_not_affected", FixState::kNotAffected},
       {"under_investigation", FixState::kUnderInvestigation}}};
  Statements statements;
  for (const auto& [status, state] : kStates) {
    vulnerability["product_status"][status].each([&](JsonView id) {
      const std::optional<Component> component = document.component(id.text(), sink);
      if (!component) return;
      if (component->kind == NameKind::kSource && !component->version.empty()) {
        // Its binary packages are listed beside it.
        sink.skip("redhat: a build of a source package");
        return;
      }
      if (state == FixState::kFixed && component->version.empty()) {
        sink.skip("redhat: fixed, without a version");
        return;
      }
      const auto found = remarks.find(id.text());
      Remarks of_product = found == remarks.end() ? Remarks{} : found->second;
      // Kept beside the package only where it is another than the vulnerability's.
      if (of_product.severity == head.vendor_severity) of_product.severity = "";
      statements.add(*component, state == FixState::kAffected ? of_product.unfixed : state,
                     of_product);
    });
  }
  statements.put(head, shards, sink);
}

}  // namespace

RedhatPlatform redhat_platform(std::string_view cpe) {
  std::array<std::string_view, 6> fields;  // Part, vendor, product, version, update, edition.
  if (!cpe.starts_with("cpe:/")) return {};
  cpe.remove_prefix(5);
  for (std::string_view& field : fields) field = take_until(cpe, ':');
  const auto& [part, vendor, product, version, update, edition] = fields;
  std::string_view rest = version;
  const std::string_view major = take_until(rest, '.');
  const auto is_number = [](std::string_view text) {
    return !text.empty() && text.size() <= 2 &&
           text.find_first_not_of("0123456789") == std::string_view::npos;
  };
  // Software Collections count versions of their own: "rhel_software_collections:3::el7".
  if (vendor == "redhat" && product == "rhel_software_collections" && edition.starts_with("el") &&
      is_number(edition.substr(2))) {
    return {.release = std::string(edition.substr(2)), .channel = ""};
  }
  if (vendor != "redhat" || !is_number(major)) return {};
  if (product == "enterprise_linux") return {.release = std::string(major), .channel = ""};
  // Longer support for one minor release, by a subscription of its own.
  constexpr std::pair<std::string_view, std::string_view> kStreams[] = {
      {"enterprise_linux_eus", "eus"},
      {"rhel_aus", "aus"},
      {"rhel_e4s", "e4s"},
      {"rhel_els", "els"},
      {"rhel_eus", "eus"},
      {"rhel_eus_long_life", "eus-long-life"},
      {"rhel_tus", "tus"},
  };
  for (const auto& [name, channel] : kStreams) {
    if (product != name) continue;
    return {.release = std::string(major),
            .channel = std::string(channel) + "-" + std::string(version)};
  }
  return {};
}

Result<UnixSeconds> add_redhat_csaf(std::string_view json, std::set<std::string>& shards,
                                    AdvisorySink& sink) {
  JsonDocument parsed;
  const JsonView root = TRY(parsed.parse(json));
  const JsonView head = root["document"];
  if (!head["csaf_version"].is_string() || !root["vulnerabilities"].is_array()) {
    return fail(ErrorCode::kMalformed, "not a CSAF document: no version, or no vulnerabilities");
  }
  const JsonView tracking = head["tracking"];
  Advisory advisory;
  // A VEX file is named after its CVE, an advisory is one: "RHSA-2023:7025".
  if (head["category"].text() != "csaf_vex") advisory.id = tracking["id"].text();
  if (advisory.id.size() > limits::kNameBytesMax) {
    return fail(ErrorCode::kMalformed, "the id of the CSAF document is too long");
  }
  advisory.source = "redhat";
  advisory.modified_at = parse_time_or_zero(tracking["current_release_date"].text());
  const Document document(root);
  root["vulnerabilities"].each([&](JsonView vulnerability) {
    add_vulnerability(vulnerability, document, advisory, shards, sink);
  });
  return advisory.modified_at;
}

}  // namespace vigil::advisory
