// Reports for tests of the formats: a small one with a bit of everything, hostile names included,
// and one with many findings.
#pragma once

#include <string>
#include <utility>

#include "model/finding.h"

namespace vigil::report {

inline Package deb_package(std::string name, std::string version, SourcePackage source) {
  Package package;
  package.kind = PackageKind::kDeb;
  package.name = std::move(name);
  package.version = std::move(version);
  package.arch = "amd64";
  package.source = std::move(source);
  package.maintainer = "Debian Maintainers <maint@example.org>";
  package.location = {"var/lib/dpkg/status", 0};
  package.purl =
      "pkg:deb/debian/" + package.name + "@" + package.version + "?arch=amd64&distro=debian-12";
  return package;
}

inline Sbom sample_sbom() {
  Sbom sbom;
  sbom.target = {.kind = TargetKind::kOciArchive,
                 .name = "shop.tar",
                 .image_id = "sha256:" + std::string(64, 'a'),
                 .manifest_digest = "sha256:" + std::string(64, 'b'),
                 .tags = {"registry.example.org/shop:1.4"},
                 .os = "linux",
                 .architecture = "arm64",
                 .variant = "v8",
                 .created = "2026-07-01T10:00:00Z"};
  sbom.distro = {.id = "debian",
                 .version = "12",
                 .codename = "bookworm",
                 .pretty_name = "Debian GNU/Linux 12 (bookworm)",
                 .id_like = {},
                 .support_ends_at = 1'846'022'400};
  sbom.layers = {{.digest = "sha256:" + std::string(64, 'c'),
                  .diff_id = "sha256:" + std::string(64, 'd'),
                  .created_by = "ADD rootfs.tar /",
                  .bytes = 29'124'231,
                  .is_verified = true},
                 {.digest = "sha256:" + std::string(64, 'e'),
                  .diff_id = "sha256:" + std::string(64, 'f'),
                  .created_by = "RUN npm ci && echo \"\x1b[31m\"",
                  .bytes = 4711}};
  Package zlib = deb_package("zlib1g", "1:1.2.13.dfsg-1", {"zlib", "1:1.2.13.dfsg-1"});
  zlib.licence = "Zlib";
  Package npm;
  npm.kind = PackageKind::kNpm;
  npm.name = "@shop/c\xc3\xa4rt";
  npm.version = "7.0.0";
  npm.licence = "MIT OR Apache-2.0";
  npm.location = {"app/package-lock.json", 1};
  npm.purl = "pkg:npm/%40shop/c%C3%A4rt@7.0.0";
  Package hostile;
  hostile.name = "evil\x1b]0;owned\x07\xe2\x80\xae\"<b>\xe5\xb1\x80\n";
  hostile.version = "1.0\xc2\x9b";
  hostile.installed_at = 1'700'000'000;
  hostile.install_order = 7;
  hostile.origin = "unknown vendor";
  hostile.distro = "debian-12";
  hostile.bom_ref = "ref-1";
  hostile.module = "nodejs:18:1234:abcd";
  sbom.packages = {
      hostile,
      deb_package("apt", "2.6.1", {}),
      deb_package("libssl3", "3.0.11-1~deb12u1", {"openssl", "3.0.11-1~deb12u1"}),
      deb_package("openssl", "3.0.11-1~deb12u1", {}),
      std::move(zlib),
      std::move(npm),
  };
  sbom.gaps = {{.kind = GapKind::kMalformed,
                .path = "usr/lib/node_modules/\x1b[2Jx/package.json",
                .reason = "a member that is no text",
                .limit = ""},
               {.kind = GapKind::kLimit,
                .path = "var/log",
                .reason = "more folders than are followed",
                .limit = "kLinkDepthMax"}};
  return sbom;
}

inline Finding openssl_finding(uint32_t package) {
  Finding finding;
  finding.package = package;
  finding.id = "CVE-2024-5535";
  finding.advisories = {{.id = "CVE-2024-5535",
                         .source = "debian",
                         .shard = "debian-12",
                         .name_searched = "openssl",
                         .version_compared = "3.0.11-1~deb12u1",
                         .is_indirect = package == 2,
                         .range = "< 3.0.15-1~deb12u1",
                         .scheme = "debian",
                         .url = "https://security-tracker.debian.org/tracker/CVE-2024-5535"},
                        {.id = "DSA-5764-1",
                         .source = "debian-dsa",
                         .shard = "debian-12",
                         .name_searched = "openssl",
                         .version_compared = "3.0.11-1~deb12u1",
                         .is_indirect = package == 2,
                         .range = "< 3.0.14-1~deb12u2",
                         .scheme = "debian",
                         .url = ""}};
  finding.aliases = {"DSA-5764-1"};
  finding.severity = Severity::kCritical;
  finding.severity_source = "cvss-3.1";
  finding.vendor_severity = "not yet assigned";
  finding.state = FixState::kFixed;
  finding.fixed_versions = {"3.0.15-1~deb12u1"};
  finding.fixed_at = 1'725'580'800;
  finding.epss = 0.04321;
  finding.epss_percentile = 0.9234;
  finding.is_known_exploited = true;
  finding.is_ransomware_known = true;
  finding.known_exploited_at = 1'725'667'200;
  finding.cwes = {"CWE-125", "CWE-200"};
  finding.cvss = {
      {"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:H", "3.1", 9.1, "nvd"},
      {"CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:N/VA:H/SC:N/SI:N/SA:N", "4.0", 8.8, "cisa-adp"},
      {"AV:N/AC:L/Au:N/C:P/I:N/A:P", "2.0", 6.4, "nvd"}};
  finding.published_at = 1'719'446'400;
  finding.modified_at = 1'725'667'200;
  finding.risk = 100;
  finding.fingerprint = std::string(31, '0') + std::to_string(package);
  return finding;
}

inline Report sample_report() {
  Report report;
  report.tool_version = "1.2.3";
  report.created_at = 1'788'000'000;
  report.sbom = sample_sbom();
  report.verdicts = {{PackageState::kNotCheckable, "its ecosystem is not known"},
                     {PackageState::kClean, ""},
                     {PackageState::kMatched, ""},
                     {PackageState::kMatched, ""},
                     {PackageState::kMatched, ""},
                     {PackageState::kMatched, ""}};
  Finding zlib;
  zlib.package = 4;
  zlib.id = "CVE-2023-45853";
  zlib.advisories = {{.id = "CVE-2023-45853",
                      .source = "debian",
                      .shard = "debian-12",
                      .name_searched = "zlib",
                      .version_compared = "1:1.2.13.dfsg-1",
                      .is_indirect = true,
                      .range = "all versions",
                      .scheme = "debian",
                      .url = "https://security-tracker.debian.org/tracker/CVE-2023-45853"}};
  zlib.severity = Severity::kHigh;
  zlib.severity_source = "debian";
  zlib.vendor_severity = "important";
  zlib.state = FixState::kWillNotFix;
  zlib.epss = 0.0004;
  zlib.epss_percentile = 0.11;
  zlib.risk = 0.03;
  zlib.fingerprint = std::string(32, '2');
  Finding npm;
  npm.package = 5;
  npm.id = "GHSA-xxxx-yyyy-zzzz";
  npm.advisories = {{.id = "GHSA-xxxx-yyyy-zzzz",
                     .source = "osv-npm",
                     .shard = "npm",
                     .name_searched = "@shop/c\xc3\xa4rt",
                     .version_compared = "7.0.0",
                     .range = ">= 7.0.0, < 7.0.2",
                     .scheme = "semver",
                     .url = "https://github.com/advisories/GHSA-xxxx-yyyy-zzzz"}};
  npm.state = FixState::kFixed;
  npm.fixed_versions = {"7.0.2", "8.0.0"};
  npm.fix_channel = "pro";
  npm.fingerprint = std::string(32, '3');
  Finding notice = npm;
  notice.id = "RUSTSEC-2026-0001";
  notice.notice = NoticeKind::kUnmaintained;
  notice.state = FixState::kAffected;
  notice.fixed_versions.clear();
  notice.fix_channel.clear();
  notice.fingerprint = std::string(32, '4');
  report.findings = {openssl_finding(2), openssl_finding(3), zlib, npm};
  report.notices = {notice};
  Finding set_aside = zlib;
  set_aside.id = "CVE-2022-37434";
  set_aside.advisories[0].id = set_aside.id;
  set_aside.fingerprint = std::string(32, '5');
  report.suppressed = {{.finding = set_aside,
                        .rule = ".vigilignore.yaml:3",
                        .reason = "inflateGetHeader is never called [1]",
                        .expires_at = 1'800'000'000}};
  report.not_shown_count = 7;
  report.database = {
      .path = "/var/lib/vigil",
      .is_signed = true,
      .signer = "key-0123",
      .serial = 42,
      .built = "2026-08-22T03:00:00Z",
      .notice = "",
      .shards = {{"debian-12", "2026-08-21", "full", "sha256:" + std::string(64, '1')},
                 {"npm", "2026-08-20", "subset", "sha256:" + std::string(64, '2')}},
      .oldest_source_at = 1'787'184'000,
      .epss_at = 1'787'184'000};
  report.files = {
      {.package = 4,
       .path = "lib/x86_64-linux-gnu/libz.so.1",
       .digest = "md5:00112233445566778899aabbccddeeff",
       .aliases = {"usr/lib/x86_64-linux-gnu/libz.so.1"}},
      {.package = 5, .path = "app/node_modules/c\xc3\xa4rt/index.js", .digest = "", .aliases = {}}};
  return report;
}

// The same, of a container that was watched: its libssl in use, zlib not, the rest unknown.
inline Report sample_exposure() {
  constexpr UnixNanoseconds kSecond = 1'000'000'000;
  constexpr UnixNanoseconds kNow = 1'788'000'000 * kSecond;
  Report report = sample_report();
  Exposure& exposure = report.exposure.emplace();
  exposure.workload = {.id = std::string(64, '7'),
                       .runtime = Runtime::kPodman,
                       .name = "shop-\x1b[1m1",
                       .image = "registry.example.org/shop:1.4",
                       .image_digest = "sha256:" + std::string(64, 'a'),
                       .cgroup_path = "/libpod_parent/libpod-777",
                       .cgroup_id = 4711,
                       .mount_namespace = 4026532001,
                       .init_pid = 812,
                       .started_at = kNow - 90'000 * kSecond + 5,
                       .lower_folders = {"/layers/2/diff", "/layers/1/diff"},
                       .upper_folder = "/layers/3/diff"};
  exposure.window = 86'400 * kSecond;
  exposure.coverage = {
      .attach = Attach::kFromStart,
      .from = kNow - 86'400 * kSecond,
      .to = kNow - kSecond,
      .share = 0.875,
      .events_lost = 3,
      .gaps = {{kNow - 500 * kSecond, kNow - 400 * kSecond, "ring buffer full", 3}},
      .sensor = "bpf: tp_btf exec, tracepoints",
      .blind_spots = {"opens through io_uring are not seen"},
      .files_unowned = 1};
  Evidence ssl;
  ssl.tier = Tier::kLoaded;
  ssl.facets = Facet::kListening | Facet::kExposed | Facet::kAccepted;
  ssl.path = "usr/lib/x86_64-linux-gnu/libssl.so.3";
  ssl.file = {.device = 41,
              .inode = 1'131'978,
              .real_device = 65'024,
              .real_inode = (1ull << 63) + 5,
              .layer = 2};
  ssl.process = {.pid = 812,
                 .parent_pid = 800,
                 .started_at = kNow - 90'000 * kSecond,
                 .uid = 33,
                 .capabilities = 0xa80425fb,
                 .name = "nginx",
                 .executable = "usr/sbin/nginx",
                 .cgroup_id = 4711,
                 .mount_namespace = 4026532001};
  ssl.command_line =
      "nginx -g \x1b]0;x\x07"
      "daemon off;";
  ssl.first_seen = kNow - 89'999 * kSecond;
  ssl.last_seen = kNow - 60 * kSecond;
  ssl.count = 12;
  Evidence deleted = ssl;
  deleted.path = "usr/lib/x86_64-linux-gnu/libcrypto.so.3";
  deleted.is_deleted = true;
  Evidence dropped = ssl;
  dropped.tier = Tier::kExecuted;
  dropped.facets = Facet::kPrivileged;
  dropped.path = "tmp/miner";
  dropped.digest = "md5:00 sha1:11 sha256:22";
  dropped.file.layer = 0;
  dropped.process.uid = 0;
  Evidence opened = ssl;
  opened.tier = Tier::kOpened;
  opened.facets = 0;
  opened.path = "usr/share/doc/zlib1g/copyright";
  const std::string lost = "3 events were lost (ring buffer full)";
  exposure.packages = {
      {.package = 0, .reason = "it owns no file that could be seen in use"},
      {.package = 1, .verdict = UseVerdict::kNotObserved},
      {.package = 2,
       .tier = Tier::kLoaded,
       .verdict = UseVerdict::kInUse,
       .reason = "usr/lib/x86_64-linux-gnu/libcrypto.so.3 was replaced on disk and is still mapped",
       .facets = ssl.facets,
       .evidence = {ssl, deleted}},
      {.package = 3, .reason = lost},
      {.package = 4,
       .tier = Tier::kOpened,
       .verdict = UseVerdict::kNotObserved,
       .evidence = {opened}},
      {.package = 5, .reason = lost}};
  exposure.drift = {dropped};
  exposure.unowned = {ssl};
  return report;
}

// The same, of a running root: a package upgraded in it, one installed and one removed, files
// changed, removed and added, and code that was replaced and still runs.
inline Report sample_live_root() {
  Report report = sample_report();
  report.sbom.target.kind = TargetKind::kDirectory;
  report.sbom.target.name = "container:shop-\x1b[1m1";
  LiveRoot& root = report.live_root.emplace();
  root.workload = sample_exposure().exposure->workload;
  root.packages = {{.package = 2, .image_version = "3.0.11-1~deb12u2"},
                   {.package = 4, .image_version = ""}};
  root.packages_removed = {{.name = "wget", .version = "1.21.3-1+b2", .arch = "amd64"}};
  root.image_findings_count = 5;
  root.findings_come = {{"CVE-2023-45853", report.sbom.packages[4].name,
                         report.sbom.packages[4].version, Severity::kHigh}};
  root.findings_gone = {{"CVE-2021-31879", "wget", "1.21.3-1+b2", Severity::kMedium},
                        {"CVE-2024-38428", "wget", "1.21.3-1+b2", Severity::kCritical}};
  root.drift = {{.drift = Drift::kAdded,
                 .path = "tmp/mi\x1b[2Jner",
                 .package = -1,
                 .digest = "sha256:" + std::string(64, 'd'),
                 .bytes = 1'048'576,
                 .modified_at = 1'787'999'000},
                {.drift = Drift::kChanged,
                 .path = "etc/ssl/openssl.cnf",
                 .package = 2,
                 .digest = "sha256:" + std::string(64, 'c'),
                 .bytes = 12'419,
                 .modified_at = 1'787'990'000},
                {.drift = Drift::kRemoved,
                 .path = "usr/share/doc/zlib1g/copyright",
                 .package = 4,
                 .digest = ""}};
  root.drift_counts = {1, 1, 1};
  root.other_files_count = 27;
  root.deleted = {{.path = "usr/lib/x86_64-linux-gnu/libssl.so.3",
                   .package = report.sbom.packages[2].name,
                   .version = report.sbom.packages[2].version,
                   .image_version = "3.0.11-1~deb12u2",
                   .processes = {{812, "nginx",
                                  "nginx -g \x1b]0;x\x07"
                                  "daemon off;"},
                                 {830, "nginx", "nginx: worker process"}}},
                  {.path = "opt/tool",
                   .package = "",
                   .version = "",
                   .image_version = "",
                   .processes = {{901, "tool", ""}}}};
  report.sbom.gaps.push_back({.kind = GapKind::kUnreadable,
                              .path = "",
                              .reason = "what 1 of its processes have mapped cannot be read",
                              .limit = ""});
  return report;
}

// `count` findings over a third as many packages, of which four share a source.
inline Report large_report(size_t count) {
  Report report = sample_report();
  report.sbom.packages.clear();
  report.verdicts.clear();
  report.findings.clear();
  report.suppressed.clear();
  report.not_shown_count = 0;
  report.end_of_life = "debian 12 reached its end of life on 2026-06-10";
  for (Layer& layer : report.sbom.layers) layer.is_verified = true;
  for (size_t i = 0; i < count; ++i) {
    if (i % 3 == 0) {
      const std::string source = "library-with-a-long-name-" + std::to_string(i / 12);
      const std::string version = "2:1." + std::to_string(i) + ".0+dfsg-4+deb12u1";
      report.sbom.packages.push_back(
          deb_package(source + "-part-" + std::to_string(i % 12), version, {source, "1.0-1"}));
      report.verdicts.push_back({PackageState::kMatched, ""});
    }
    Finding finding;
    finding.package = static_cast<uint32_t>(report.sbom.packages.size() - 1);
    finding.id = "CVE-2025-" + std::to_string(10'000 + i);
    finding.severity = static_cast<Severity>((count - i - 1) * 6 / count);
    finding.vendor_severity = i % 2 == 0 ? "unimportant" : "";
    finding.state = i % 4 == 3 ? FixState::kFixDeferred : FixState::kFixed;
    if (finding.state == FixState::kFixed)
      finding.fixed_versions = {"1.0-" + std::to_string(2 + i)};
    finding.epss = static_cast<double>(count - i) / static_cast<double>(count + 1);
    finding.risk = 100 * finding.epss * 0.75;
    finding.is_known_exploited = i < 8;
    finding.fingerprint = std::string(32, '5');
    report.findings.push_back(std::move(finding));
  }
  return report;
}

}  // namespace vigil::report
