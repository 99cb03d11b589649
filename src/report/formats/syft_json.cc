// Syft's JSON, schema 16 (anchore/syft schema/json): an inventory. What Syft's package databases
// tell and ours don't (sizes, dependencies) is empty or 0.

#include <algorithm>

#include "base/json.h"
#include "report/format.h"
#include "report/identity.h"
#include "report/peer_names.h"

namespace vigil::report {

namespace {

constexpr std::string_view kSchemaVersion = "16.1.13";

void write_location(JsonWriter& json, const std::string& path, std::string_view layer) {
  json.begin_object().member("path", "/" + path).member_if("layerID", layer);
  json.member("accessPath", "/" + path);
  json.key("annotations").begin_object().member("evidence", "primary").end_object().end_object();
}

void write_licences(JsonWriter& json, const Package& package) {
  json.key("licenses").begin_array();
  for (const std::string_view licence : licences_of(package)) {
    json.begin_object().member("value", licence).member("spdxExpression", "");
    json.member("type", "declared").key("urls").begin_array().end_array();
    json.key("locations").begin_array().end_array().end_object();
  }
  json.end_array();
}

using Files = std::vector<const OwnedFile*>;

void write_digest(JsonWriter& json, const std::string& digest) {
  const size_t colon = digest.find(':');
  if (colon == std::string::npos) return;
  json.key("digest").begin_object().member("algorithm", digest.substr(0, colon));
  json.member("value", digest.substr(colon + 1)).end_object();
}

void write_dpkg(JsonWriter& json, const Package& package, const Files& files) {
  json.member("metadataType", "dpkg-db-entry").key("metadata").begin_object();
  json.member("package", package.name).member("source", package.source.name);
  json.member("version", package.version).member("sourceVersion", package.source.version);
  json.member("architecture", package.arch).member("maintainer", package.maintainer);
  json.member("installedSize", 0).key("files").begin_array();
  for (const OwnedFile* file : files) {
    json.begin_object().member("path", "/" + file->path);
    write_digest(json, file->digest);
    json.member("isConfigFile", false).end_object();
  }
  json.end_array().end_object();
}

void write_apk(JsonWriter& json, const Package& package, const Files& files) {
  json.member("metadataType", "apk-db-entry").key("metadata").begin_object();
  json.member("package", package.name);
  json.member("originPackage", package.source.name.empty() ? package.name : package.source.name);
  json.member("maintainer", package.maintainer).member("version", package.version);
  json.member("architecture", package.arch).member("url", "").member("description", "");
  json.member("size", 0).member("installedSize", 0);
  json.key("pullDependencies").begin_array().end_array();
  json.key("provides").begin_array().end_array();
  json.member("pullChecksum", "").member("gitCommitOfApkPort", "").key("files").begin_array();
  for (const OwnedFile* file : files) {
    json.begin_object().member("path", "/" + file->path);
    write_digest(json, file->digest);
    json.end_object();
  }
  json.end_array().end_object();
}

// "1:2.3-4" as its three parts.
void write_rpm(JsonWriter& json, const Package& package, const Files& files) {
  std::string_view version = package.version;
  int64_t epoch = -1;
  if (const size_t colon = version.find(':'); colon != std::string_view::npos && colon < 10) {
    epoch = 0;
    for (const char c : version.substr(0, colon)) {
      epoch = c >= '0' && c <= '9' && epoch >= 0 ? epoch * 10 + (c - '0') : -1;
    }
    if (epoch >= 0) version.remove_prefix(colon + 1);
  }
  const size_t dash = std::min(version.rfind('-'), version.size());
  std::string source_rpm;
  if (!package.source.name.empty()) {
    const std::string_view source = package.source.version;
    source_rpm =
        package.source.name + "-" + std::string(source.substr(source.find(':') + 1)) + ".src.rpm";
  }
  json.member("metadataType", "rpm-db-entry").key("metadata").begin_object();
  json.member("name", package.name).member("version", version.substr(0, dash)).key("epoch");
  epoch < 0 ? json.null() : json.value(epoch);
  json.member("architecture", package.arch);
  json.member("release", dash < version.size() ? version.substr(dash + 1) : "");
  json.member("sourceRpm", source_rpm).member("size", 0).member("vendor", package.maintainer);
  json.member_if("modularityLabel", package.module).key("files").begin_array();
  for (const OwnedFile* file : files) {
    json.begin_object().member("path", "/" + file->path).member("mode", 0).member("size", 0);
    json.key("digest").begin_object();
    const size_t colon = std::min(file->digest.find(':'), file->digest.size());
    json.member("algorithm", file->digest.substr(0, colon));
    json.member("value", colon < file->digest.size() ? file->digest.substr(colon + 1) : "");
    json.end_object().member("userName", "").member("groupName", "").member("flags", "");
    json.end_object();
  }
  json.end_array().end_object();
}

void write_artifact(JsonWriter& json, const Sbom& sbom, const Package& package,
                    const std::string& id, const Files& files) {
  const PeerNames& names = peer_names(package.kind);
  json.begin_object().member("id", id).member("name", package.name);
  json.member("version", package.version).member("type", names.syft_type);
  json.member("foundBy", "vigil").key("locations").begin_array();
  if (!package.location.path.empty()) {
    write_location(json, package.location.path, layer_of(sbom, package));
  }
  json.end_array();
  write_licences(json, package);
  json.member("language", names.syft_language).key("cpes").begin_array().end_array();
  json.member("purl", package.purl);
  if (package.kind == PackageKind::kDeb) write_dpkg(json, package, files);
  if (package.kind == PackageKind::kApk) write_apk(json, package, files);
  if (package.kind == PackageKind::kRpm) write_rpm(json, package, files);
  json.end_object();
}

std::string_view source_type(TargetKind kind) {
  switch (kind) {
    case TargetKind::kDockerArchive:
    case TargetKind::kOciArchive:
    case TargetKind::kOciDirectory:
      return "image";
    case TargetKind::kDirectory:
      return "directory";
    case TargetKind::kSbom:
    case TargetKind::kPurl:
      return "file";
  }
  return "file";
}

void write_source(JsonWriter& json, const Sbom& sbom) {
  const Target& target = sbom.target;
  const std::string_view type = source_type(target.kind);
  json.key("source").begin_object();
  json.member("id", document_uuid(target.name + "\n" + target.image_id));
  json.member("name", target.name).member("version", target.manifest_digest);
  json.member("type", type).key("metadata").begin_object();
  if (type != "image") {
    json.member("path", target.name).end_object().end_object();
    return;
  }
  uint64_t bytes = 0;
  for (const Layer& layer : sbom.layers) bytes += layer.bytes;
  json.member("userInput", target.name).member("imageID", target.image_id);
  json.member("manifestDigest", target.manifest_digest).member("mediaType", "");
  json.key("tags").begin_array();
  for (const std::string& tag : target.tags) json.value(tag);
  json.end_array().member("imageSize", bytes).key("layers").begin_array();
  for (const Layer& layer : sbom.layers) {
    json.begin_object().member("mediaType", "").member("digest", layer.diff_id);
    json.member("size", layer.bytes).end_object();
  }
  json.end_array().key("repoDigests").begin_array().end_array();
  json.member("architecture", target.architecture).member("os", target.os);
  json.end_object().end_object();
}

void write_distro(JsonWriter& json, const Distro& distro) {
  json.key("distro").begin_object().member_if("prettyName", distro.pretty_name);
  json.member_if("name", distro.id).member_if("id", distro.id);
  if (!distro.id_like.empty()) {
    json.key("idLike").begin_array();
    for (const std::string& id : distro.id_like) json.value(id);
    json.end_array();
  }
  json.member_if("versionID", distro.version).member_if("versionCodename", distro.codename);
  json.end_object();
}

Result<std::string> write(const Report& report, const WriteOptions& options) {
  const Sbom& sbom = report.sbom;
  const std::vector<std::string> ids = package_ids(sbom);
  std::vector<Files> files(sbom.packages.size());
  if (options.with_files) {
    for (const OwnedFile& file : report.files) files[file.package].push_back(&file);
  }
  JsonWriter json;
  json.begin_object().key("artifacts").begin_array();
  for (size_t i = 0; i < sbom.packages.size(); ++i) {
    write_artifact(json, sbom, sbom.packages[i], ids[i], files[i]);
  }
  json.end_array().key("artifactRelationships").begin_array().end_array();
  write_source(json, sbom);
  write_distro(json, sbom.distro);
  json.key("descriptor").begin_object().member("name", "vigil");
  json.member("version", report.tool_version).end_object();
  json.key("schema").begin_object().member("version", kSchemaVersion);
  json.member("url", "https://raw.githubusercontent.com/anchore/syft/main/schema/json/schema-" +
                         std::string(kSchemaVersion) + ".json");
  json.end_object().end_object();
  return json.take() + "\n";
}

}  // namespace

extern const Format syft_json_format;
const Format syft_json_format = {.name = "syft-json",
                                 .summary = "the inventory as Syft writes it, schema 16",
                                 .reference = "anchore/syft schema/json 16.1.13",
                                 .write_report = write,
                                 .write_sbom = write};

}  // namespace vigil::report
