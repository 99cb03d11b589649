#include "report/sbom_reader.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <utility>

#include "base/json.h"
#include "base/limits.h"
#include "decode/rpmdb.h"
#include "report/peer_names.h"
#include "report/report_reader.h"

namespace vigil::report {

namespace {

bool is_number(std::string_view text) {
  return !text.empty() && text.size() <= 10 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool has_bad_epoch(const Purl& purl) {
  const PackageKind kind = package_kind(purl.type);
  const std::string_view epoch = purl.qualifier("epoch");
  return (kind == PackageKind::kRpm || kind == PackageKind::kDeb) && !epoch.empty() &&
         !is_number(epoch);
}

// "1" of "1:2.3-4"; "" where the version has no epoch.
std::string_view epoch_of(std::string_view version) {
  const std::string_view epoch = version.substr(0, version.find(':'));
  return epoch.size() < version.size() && is_number(epoch) ? epoch : "";
}

// Names as advisories write them (OSV's ecosystems).
std::string package_name(PackageKind kind, const Purl& purl) {
  if (purl.space.empty()) return purl.name;
  switch (kind) {
    case PackageKind::kMaven:
      return purl.space + ":" + purl.name;
    case PackageKind::kUnknown:
    case PackageKind::kGo:
    case PackageKind::kNpm:
    case PackageKind::kComposer:
    case PackageKind::kSwift:
    case PackageKind::kGithubAction:
      return purl.space + "/" + purl.name;
    default:
      return purl.name;
  }
}

// A package that is its own source says nothing in `source`.
void drop_own_source(Package& package) {
  if (package.source.version.empty()) package.source.version = package.version;
  if (package.source.name.empty() ||
      package.source == SourcePackage{package.name, package.version}) {
    package.source = {};
  }
}

SourcePackage upstream_source(const Package& package, std::string_view upstream) {
  if (package.kind == PackageKind::kRpm && upstream.ends_with(".rpm")) {
    return decode::parse_source_rpm(upstream, epoch_of(package.version)).value_or(SourcePackage{});
  }
  const size_t at = upstream.find('@');
  if (at == std::string_view::npos) return {std::string(upstream), package.version};
  return {std::string(upstream.substr(0, at)), std::string(upstream.substr(at + 1))};
}

// What a document says of one package beside its purl, whatever the document's format.
struct Evidence {
  std::string_view purl;
  std::string_view name;
  std::string_view version;
  std::string_view type;  // Syft's word for the kind, for packages without a purl.
  std::string_view reference;
  std::string licence;
  std::string_view maintainer;
  std::string_view arch;
  std::string_view module;
  std::string_view path;
  std::string_view layer;  // The digest of the layer's tar.
  SourcePackage source;
  std::string_view source_rpm;
};

Distro distro_of_words(std::string_view name, std::string_view version) {
  // A release by its codename goes through the table of codenames.
  if (!version.empty() && (version[0] < '0' || version[0] > '9')) {
    return parse_distro(std::string(name) + ":" + std::string(version));
  }
  Distro distro;
  distro.id = canonical_distro_id(name);
  distro.version = version;
  return distro;
}

std::string_view without_slash(std::string_view path) {
  while (path.starts_with('/')) path.remove_prefix(1);
  return path;
}

class SbomBuilder {
 public:
  explicit SbomBuilder(TargetKind kind) { sbom_.target.kind = kind; }

  void name_target(std::string_view name) { sbom_.target.name = name; }
  Target& target() { return sbom_.target; }

  void add_layer(std::string_view diff_id) {
    if (diff_id.empty() || sbom_.layers.size() >= limits::kLayersMax) return;
    if (!layers_.emplace(diff_id, static_cast<int32_t>(sbom_.layers.size())).second) return;
    Layer layer;
    layer.diff_id = diff_id;
    sbom_.layers.push_back(std::move(layer));
  }

  void set_distro(const Distro& distro) {
    if (!distro.is_known()) return;
    if (!sbom_.distro.is_known()) {
      sbom_.distro = distro;
    } else if (sbom_.distro.id != distro.id || sbom_.distro.version != distro.version) {
      ++other_distros_;
    }
  }

  void add(const Evidence& evidence) {
    if (sbom_.packages.size() >= limits::kPackagesMax) {
      ++past_limit_;
      return;
    }
    Package package = make_package(evidence);
    package.bom_ref = evidence.reference;
    package.licence = evidence.licence;
    package.maintainer = evidence.maintainer;
    if (package.arch.empty()) package.arch = evidence.arch;
    if (package.module.empty()) package.module = evidence.module;
    package.location.path = without_slash(evidence.path);
    if (const auto layer = layers_.find(evidence.layer); layer != layers_.end()) {
      package.location.layer = layer->second;
    }
    if (package.name.empty()) {
      ++nameless_;
      return;
    }
    sbom_.packages.push_back(std::move(package));
  }

  void add_purl(const Purl& purl, std::string_view text, const std::string& where) {
    Package package = package_of_purl(purl);
    package.purl = text;
    sbom_.packages.push_back(std::move(package));
    if (has_bad_epoch(purl)) {
      add_gap_at(where, "the epoch '" + std::string(purl.qualifier("epoch")) +
                            "' is no number and was left out");
    }
  }

  void add_gap_at(const std::string& where, std::string reason) {
    if (sbom_.gaps.size() >= limits::kGapsMax) {
      ++further_gaps_;
      return;
    }
    sbom_.gaps.push_back({GapKind::kMalformed, where, std::move(reason), ""});
  }

  size_t packages_count() const { return sbom_.packages.size(); }

  Sbom finish() {
    add_gap(GapKind::kMalformed, malformed_purls_, "components with a purl that does not parse");
    add_gap(GapKind::kMalformed, bad_epochs_,
            "components whose purl has an epoch that is no number, which was left out");
    add_gap(GapKind::kMalformed, nameless_, "components without a name");
    add_gap(GapKind::kLimit, further_gaps_, "more gaps like these", "kGapsMax");
    add_gap(GapKind::kUnsupported, other_distros_,
            "further operating systems: packages that name none are read as of the first");
    add_gap(GapKind::kLimit, past_limit_, "components past the bound", "kPackagesMax");
    if (sbom_.packages.empty() && sbom_.gaps.empty()) {
      sbom_.gaps.push_back({GapKind::kUnsupported, "", "no package in the document", ""});
    }
    if (!sbom_.distro.is_known()) take_common_distro();
    sort_packages(sbom_.packages);
    return std::move(sbom_);
  }

 private:
  Package make_package(const Evidence& evidence) {
    if (evidence.purl.empty()) return make_package_of_words(evidence);
    Result<Purl> purl = Purl::parse(evidence.purl);
    if (!purl) {
      ++malformed_purls_;
      Package package = make_package_of_words(evidence);
      package.kind = PackageKind::kUnknown;
      package.purl = evidence.purl;
      return package;
    }
    if (purl->version.empty()) purl->version = evidence.version;
    // Some writers keep the epoch in the document's version alone.
    if (purl->type == "rpm" && purl->qualifier("epoch").empty()) {
      const std::string_view epoch = epoch_of(evidence.version);
      if (!epoch.empty() && evidence.version.substr(epoch.size() + 1) == purl->version) {
        purl->set_qualifier("epoch", epoch);
      }
    }
    if (has_bad_epoch(*purl)) ++bad_epochs_;
    Package package = package_of_purl(*purl);
    package.purl = evidence.purl;
    if (purl->qualifier("upstream").empty()) take_source(package, evidence);
    return package;
  }

  static Package make_package_of_words(const Evidence& evidence) {
    Package package;
    package.kind = kind_of_syft_type(evidence.type);
    package.name = evidence.name;
    package.version = evidence.version;
    if (package.kind == PackageKind::kRpm && package.version.starts_with("0:")) {
      package.version.erase(0, 2);
    }
    take_source(package, evidence);
    return package;
  }

  static void take_source(Package& package, const Evidence& evidence) {
    package.source = evidence.source;
    if (package.source.name.empty() && !evidence.source_rpm.empty()) {
      package.source = decode::parse_source_rpm(evidence.source_rpm, epoch_of(package.version))
                           .value_or(SourcePackage{});
    }
    drop_own_source(package);
  }

  // Without an operating system in the document: the one that all packages name.
  void take_common_distro() {
    std::string_view common;
    for (const Package& package : sbom_.packages) {
      if (package.distro.empty()) continue;
      if (!common.empty() && common != package.distro) return;
      common = package.distro;
    }
    if (!common.empty()) sbom_.distro = parse_distro(common);
  }

  void add_gap(GapKind kind, uint64_t count, std::string_view what, std::string_view limit = "") {
    if (count == 0) return;
    Gap gap;
    gap.kind = kind;
    gap.reason = std::to_string(count) + " " + std::string(what);
    gap.limit = limit;
    sbom_.gaps.push_back(std::move(gap));
  }

  Sbom sbom_;
  std::map<std::string, int32_t, std::less<>> layers_;  // By diff id.
  uint64_t malformed_purls_ = 0;
  uint64_t bad_epochs_ = 0;
  uint64_t further_gaps_ = 0;
  uint64_t nameless_ = 0;
  uint64_t other_distros_ = 0;
  uint64_t past_limit_ = 0;
};

// ---- CycloneDX (ECMA-424) ----

// The properties that Trivy and Syft write for what CycloneDX has no member for.
class Properties {
 public:
  explicit Properties(JsonView component) {
    component["properties"].each([&](JsonView property) {
      values_.emplace_back(property["name"].text(), property["value"].text());
    });
  }
  std::string_view operator[](std::string_view name) const {
    for (const auto& [key, value] : values_) {
      if (key == name) return value;
    }
    return "";
  }
  std::string_view first_of(std::string_view one, std::string_view other) const {
    const std::string_view value = (*this)[one];
    return value.empty() ? (*this)[other] : value;
  }
  const std::vector<std::pair<std::string_view, std::string_view>>& all() const { return values_; }

 private:
  std::vector<std::pair<std::string_view, std::string_view>> values_;
};

std::string cyclonedx_licence(JsonView licenses) {
  std::string out;
  licenses.each([&](JsonView choice) {
    std::string_view one = choice["expression"].text();
    if (one.empty()) one = choice["license"]["id"].text();
    if (one.empty()) one = choice["license"]["name"].text();
    if (one.empty()) return;
    if (!out.empty()) out += " AND ";
    out += one;
  });
  return out;
}

SourcePackage source_of_properties(const Properties& properties) {
  SourcePackage source;
  if (const std::string_view name = properties["aquasecurity:trivy:SrcName"]; !name.empty()) {
    source.name = name;
    if (const auto epoch = properties["aquasecurity:trivy:SrcEpoch"];
        !epoch.empty() && epoch != "0") {
      source.version = std::string(epoch) + ":";
    }
    source.version += properties["aquasecurity:trivy:SrcVersion"];
    if (const auto release = properties["aquasecurity:trivy:SrcRelease"]; !release.empty()) {
      source.version += "-" + std::string(release);
    }
    if (properties["aquasecurity:trivy:SrcVersion"].empty()) source.version.clear();
  } else {
    source.name = properties.first_of("syft:metadata:source", "syft:metadata:originPackage");
    source.version = properties["syft:metadata:sourceVersion"];
  }
  return source;
}

// Kinds of components that stand for what is scanned or for plain files, and are packages only
// where a purl makes them one.
bool is_container_of_packages(std::string_view type, const Properties& properties) {
  // Trivy writes a lock file as an application that holds the packages.
  if (type == "application" && !properties["aquasecurity:trivy:Class"].empty()) return true;
  return type == "container" || type == "file" || type == "platform" || type == "data" ||
         type == "device" || type == "cryptographic-asset" || type == "machine-learning-model";
}

void read_cyclonedx_component(JsonView component, SbomBuilder& builder) {
  const std::string_view type = component["type"].text();
  const Properties properties(component);
  if (type == "operating-system") {
    Distro distro = distro_of_words(component["name"].text(), component["version"].text());
    distro.pretty_name = properties["syft:distro:prettyName"];
    distro.codename = properties["syft:distro:versionCodename"];
    builder.set_distro(distro);
    return;
  }
  Evidence evidence;
  evidence.purl = component["purl"].text();
  if (evidence.purl.empty() && is_container_of_packages(type, properties)) return;
  // "group" is the namespace: part of the name where there is no purl.
  evidence.name = component["name"].text();
  evidence.version = component["version"].text();
  evidence.type = properties["syft:package:type"];
  evidence.reference = component["bom-ref"].text();
  evidence.licence = cyclonedx_licence(component["licenses"]);
  evidence.maintainer = component["publisher"].text(component["supplier"]["name"].text());
  evidence.module =
      properties.first_of("syft:metadata:modularityLabel", "aquasecurity:trivy:Modularitylabel");
  evidence.path = properties.first_of("aquasecurity:trivy:FilePath", "syft:location:0:path");
  evidence.layer = properties.first_of("aquasecurity:trivy:LayerDiffID", "syft:location:0:layerID");
  evidence.source = source_of_properties(properties);
  evidence.source_rpm = properties["syft:metadata:sourceRpm"];
  builder.add(evidence);
}

// Components may hold components; the depth of JSON bounds the recursion.
void read_cyclonedx_components(JsonView components, SbomBuilder& builder) {
  components.each([&](JsonView component) {
    read_cyclonedx_component(component, builder);
    read_cyclonedx_components(component["components"], builder);
  });
}

Sbom read_cyclonedx(JsonView root) {
  SbomBuilder builder(TargetKind::kSbom);
  const JsonView subject = root["metadata"]["component"];
  builder.name_target(subject["name"].text());
  const Properties properties(subject);
  for (const auto& [name, value] : properties.all()) {
    if (name == "aquasecurity:trivy:DiffID") builder.add_layer(value);
    if (name == "aquasecurity:trivy:ImageID") builder.target().image_id = value;
    if (name == "aquasecurity:trivy:RepoTag") builder.target().tags.emplace_back(value);
  }
  // What the document is about is a package too where advisories can speak of it.
  const Result<Purl> purl = Purl::parse(subject["purl"].text());
  if (purl && package_kind(purl->type) != PackageKind::kUnknown) {
    read_cyclonedx_component(subject, builder);
  } else if (subject["type"].text() == "operating-system") {
    read_cyclonedx_component(subject, builder);
  }
  read_cyclonedx_components(subject["components"], builder);
  read_cyclonedx_components(root["components"], builder);
  return builder.finish();
}

// ---- SPDX 2.2 and 2.3 ----

std::string_view spdx_value(JsonView view) {
  const std::string_view text = view.text();
  return text == "NOASSERTION" || text == "NONE" ? "" : text;
}

std::string_view after(std::string_view text, std::string_view prefix) {
  return text.starts_with(prefix) ? text.substr(prefix.size()) : "";
}

// Trivy's notes: "LayerDiffID: sha256:…" as attribution texts (older) or annotations.
std::string_view spdx_note(JsonView package, std::string_view prefix) {
  std::string_view found;
  package["attributionTexts"].each([&](JsonView text) {
    if (found.empty()) found = after(text.text(), prefix);
  });
  package["annotations"].each([&](JsonView annotation) {
    if (found.empty()) found = after(annotation["comment"].text(), prefix);
  });
  return found;
}

// "built package from: openssl 1:1.0.2k-16.el7", Trivy's sourceInfo.
SourcePackage spdx_source(std::string_view source_info) {
  const std::string_view words = after(source_info, "built package from: ");
  const size_t space = words.find(' ');
  if (words.empty() || space == std::string_view::npos) return {};
  return {std::string(words.substr(0, space)), std::string(words.substr(space + 1))};
}

// The one element that the document describes: what was scanned. "" where it describes several, as
// documents without a subject list all their packages there.
std::string_view spdx_subject(JsonView root) {
  std::string_view subject;
  size_t count = 0;
  const auto take = [&](std::string_view id) {
    if (id == subject) return;
    subject = id;
    ++count;
  };
  root["documentDescribes"].each([&](JsonView id) { take(id.text()); });
  root["relationships"].each([&](JsonView relationship) {
    if (relationship["spdxElementId"].text() == "SPDXRef-DOCUMENT" &&
        relationship["relationshipType"].text() == "DESCRIBES") {
      take(relationship["relatedSpdxElement"].text());
    }
  });
  return count == 1 && root["packages"].size() > 1 ? subject : "";
}

// The texts of licences that are no SPDX expressions, by their LicenseRef.
using SpdxLicences = std::map<std::string_view, std::string_view>;

std::string_view spdx_licence(JsonView package, const SpdxLicences& licences) {
  std::string_view licence = spdx_value(package["licenseDeclared"]);
  if (licence.empty()) licence = spdx_value(package["licenseConcluded"]);
  const auto text = licences.find(licence);
  return text == licences.end() || text->second.empty() ? licence : text->second;
}

void read_spdx_package(JsonView package, std::string_view subject, const SpdxLicences& licences,
                       SbomBuilder& builder) {
  const std::string_view id = package["SPDXID"].text();
  const std::string_view purpose = package["primaryPackagePurpose"].text();
  if (purpose == "OPERATING-SYSTEM" || purpose == "OPERATING_SYSTEM" ||
      id.starts_with("SPDXRef-OperatingSystem")) {
    builder.set_distro(distro_of_words(package["name"].text(), spdx_value(package["versionInfo"])));
    return;
  }
  Evidence evidence;
  package["externalRefs"].each([&](JsonView reference) {
    if (evidence.purl.empty() && reference["referenceType"].text() == "purl") {
      evidence.purl = reference["referenceLocator"].text();
    }
  });
  evidence.name = package["name"].text();
  evidence.version = spdx_value(package["versionInfo"]);
  // Images, roots and lock files, as Trivy and Syft write them.
  const bool is_holder = purpose == "CONTAINER" || (!id.empty() && id == subject) ||
                         id.starts_with("SPDXRef-ContainerImage") ||
                         id.starts_with("SPDXRef-DocumentRoot") ||
                         (id.starts_with("SPDXRef-Application") && evidence.version.empty());
  if (evidence.purl.empty() && is_holder) return;
  evidence.reference = id;
  evidence.licence = spdx_licence(package, licences);
  const std::string_view supplier = spdx_value(package["supplier"]);
  evidence.maintainer = after(supplier, "Person: ");
  if (evidence.maintainer.empty()) evidence.maintainer = after(supplier, "Organization: ");
  evidence.layer = spdx_note(package, "LayerDiffID: ");
  evidence.source = spdx_source(package["sourceInfo"].text());
  builder.add(evidence);
}

Sbom read_spdx(JsonView root) {
  SbomBuilder builder(TargetKind::kSbom);
  builder.name_target(root["name"].text());
  root["packages"].each([&](JsonView package) {
    package["attributionTexts"].each(
        [&](JsonView text) { builder.add_layer(after(text.text(), "DiffID: ")); });
    package["annotations"].each(
        [&](JsonView note) { builder.add_layer(after(note["comment"].text(), "DiffID: ")); });
  });
  const std::string_view subject = spdx_subject(root);
  SpdxLicences licences;
  root["hasExtractedLicensingInfos"].each([&](JsonView info) {
    licences.emplace(info["licenseId"].text(), info["extractedText"].text());
  });
  root["packages"].each(
      [&](JsonView package) { read_spdx_package(package, subject, licences, builder); });
  return builder.finish();
}

// ---- Syft's own JSON ----

void read_syft_artifact(JsonView artifact, SbomBuilder& builder) {
  const JsonView metadata = artifact["metadata"];
  Evidence evidence;
  evidence.purl = artifact["purl"].text();
  evidence.name = artifact["name"].text();
  evidence.version = artifact["version"].text();
  evidence.type = artifact["type"].text();
  evidence.reference = artifact["id"].text();
  artifact["licenses"].each([&](JsonView licence) {  // Strings up to schema 8, then objects.
    const std::string_view one = licence.is_string() ? licence.text() : licence["value"].text();
    if (one.empty()) return;
    if (!evidence.licence.empty()) evidence.licence += " AND ";
    evidence.licence += one;
  });
  evidence.maintainer = metadata["maintainer"].text(metadata["vendor"].text());
  evidence.arch = metadata["architecture"].text();
  evidence.module = metadata["modularityLabel"].text();
  evidence.source.name = metadata["source"].text(metadata["originPackage"].text());
  evidence.source.version = metadata["sourceVersion"].text();
  evidence.source_rpm = metadata["sourceRpm"].text();
  bool is_first = true;
  artifact["locations"].each([&](JsonView location) {
    if (std::exchange(is_first, false)) {
      evidence.path = location["path"].text();
      evidence.layer = location["layerID"].text();
    }
  });
  builder.add(evidence);
}

Sbom read_syft(JsonView root) {
  SbomBuilder builder(TargetKind::kSbom);
  const JsonView source = root["source"];
  builder.name_target(source["name"].text(source["metadata"]["userInput"].text()));
  source["metadata"]["layers"].each(
      [&](JsonView layer) { builder.add_layer(layer["digest"].text()); });
  builder.target().image_id = source["metadata"]["imageID"].text();
  const JsonView described = root["distro"];
  Distro distro = distro_of_words(described["id"].text(described["name"].text()),
                                  described["versionID"].text(described["version"].text()));
  distro.pretty_name = described["prettyName"].text();
  distro.codename = described["versionCodename"].text();
  if (described["idLike"].is_string()) distro.id_like.emplace_back(described["idLike"].text());
  described["idLike"].each([&](JsonView word) { distro.id_like.emplace_back(word.text()); });
  builder.set_distro(distro);
  root["artifacts"].each([&](JsonView artifact) { read_syft_artifact(artifact, builder); });
  return builder.finish();
}

Result<Sbom> read_recognised(JsonView root) {
  if (is_report(root)) {
    Sbom sbom = TRY(report_of_json(root)).sbom;
    sbom.target.kind = TargetKind::kSbom;
    return sbom;
  }
  if (root["bomFormat"].text() == "CycloneDX") return read_cyclonedx(root);
  if (root["spdxVersion"].text().starts_with("SPDX-2.")) return read_spdx(root);
  if (root["artifacts"].is_array() && (root["schema"] || root["descriptor"]))
    return read_syft(root);
  if (root["spdxVersion"] || root["@context"]) {
    return fail(ErrorCode::kUnsupported, "SPDX of another version than 2.2 and 2.3");
  }
  return fail(ErrorCode::kMalformed,
              "neither CycloneDX nor SPDX nor Syft JSON, nor a report of vigil");
}

}  // namespace

Package package_of_purl(const Purl& purl) {
  Package package;
  package.kind = package_kind(purl.type);
  package.name = package_name(package.kind, purl);
  package.version = purl.version;
  package.arch = purl.qualifier("arch");
  package.module = purl.qualifier("rpmmod");
  if (package.module.empty()) package.module = purl.qualifier("modularitylabel");
  package.distro = purl.qualifier("distro");
  // Trivy writes the version alone ("3.12.12") where the namespace names the distribution.
  if (!package.distro.empty() && !purl.space.empty() &&
      package.distro.find_first_not_of("0123456789._") == std::string::npos) {
    package.distro = purl.space + "-" + package.distro;
  }
  // These two have no releases, so their name alone says which advisories apply.
  if (package.distro.empty() && package.kind == PackageKind::kApk &&
      (purl.space == "wolfi" || purl.space == "chainguard")) {
    package.distro = purl.space;
  }
  package.purl = purl.text();
  if (package.kind == PackageKind::kRpm || package.kind == PackageKind::kDeb) {
    const std::string_view epoch = purl.qualifier("epoch");
    if (is_number(epoch) && epoch.find_first_not_of('0') != std::string_view::npos &&
        epoch_of(package.version).empty() && !package.version.empty()) {
      package.version.insert(0, std::string(epoch) + ":");
    }
  }
  if (package.kind == PackageKind::kRpm && package.version.starts_with("0:")) {
    package.version.erase(0, 2);
  }
  if (const std::string_view upstream = purl.qualifier("upstream"); !upstream.empty()) {
    package.source = upstream_source(package, upstream);
    drop_own_source(package);
  }
  return package;
}

Result<Sbom> read_sbom(std::string_view text) {
  if (text.size() > limits::kDocumentBytesMax) {
    return fail(ErrorCode::kTooLarge, "an SBOM past kDocumentBytesMax");
  }
  if (text.starts_with('<')) {
    return fail(ErrorCode::kUnsupported, "XML is not read: convert the SBOM to CycloneDX JSON");
  }
  if (text.starts_with("SPDXVersion:")) {
    return fail(ErrorCode::kUnsupported,
                "SPDX tag-value is not read: convert the SBOM to SPDX JSON");
  }
  JsonDocument document;
  const JsonView root = TRY(document.parse(text));
  // An in-toto statement (without its envelope) holds the document as its predicate.
  const JsonView predicate = root["predicate"];
  return read_recognised(predicate.is_object() ? predicate : root);
}

Result<Sbom> read_purls(std::string_view text) {
  if (text.size() > limits::kDocumentBytesMax) {
    return fail(ErrorCode::kTooLarge, "a list of purls past kDocumentBytesMax");
  }
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  SbomBuilder builder(TargetKind::kPurl);
  std::optional<Error> first_error;
  for (size_t line_number = 1; !text.empty(); ++line_number) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    while (!line.empty() && std::string_view(" \t\r").find(line.back()) != std::string_view::npos) {
      line.remove_suffix(1);
    }
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    if (line.empty() || line[0] == '#') continue;
    if (builder.packages_count() >= limits::kPackagesMax) {
      return fail(ErrorCode::kTooLarge, "a list of more than kPackagesMax purls");
    }
    const std::string where = "line " + std::to_string(line_number);
    const Result<Purl> purl = Purl::parse(line);
    if (purl) {
      builder.add_purl(*purl, line, where);
      continue;
    }
    builder.add_gap_at(where, purl.error().text());
    if (!first_error) first_error = with_context(Result<Purl>(purl), where).error();
  }
  if (builder.packages_count() == 0 && first_error) return std::unexpected(*first_error);
  return builder.finish();
}

}  // namespace vigil::report
