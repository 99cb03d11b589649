#include "watch/inventories.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <iterator>
#include <memory>
#include <set>
#include <span>

#include "base/digest.h"
#include "base/limits.h"
#include "image/file_access.h"
#include "image/layer_folders.h"
#include "match/match.h"
#include "scan/inventory_file.h"
#include "scan/parsing_child.h"

namespace vigil::watch {

namespace {

constexpr size_t kKeyDigits = 32;

std::string key_of(const std::string& identity) {
  return sha256(as_bytes(identity)).hex().substr(0, kKeyDigits);
}

// The kernel puts only folders of its caller's own mount namespace on top of one another: from a
// container, the host's has to be entered for it.
Result<std::unique_ptr<image::FileAccess>> open_layers_on_host(const InventorySource& source) {
  // "/proc/1/root": the namespace stands beside it.
  const std::string path = source.host_root.substr(0, source.host_root.rfind('/')) + "/ns/mnt";
  const Fd host(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const Fd own(::open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC));
  if (!host.is_open() || !own.is_open()) return fail_errno(path, errno);
  std::vector<std::string> folders = source.folders;
  for (std::string& folder : folders) {
    if (folder.starts_with(source.host_root)) folder.erase(0, source.host_root.size());
  }
  if (::setns(host.get(), CLONE_NEWNS) != 0) {
    return fail_errno("cannot enter the host's mount namespace", errno);
  }
  Result<std::unique_ptr<image::FileAccess>> files = image::open_layer_folders(folders);
  if (::setns(own.get(), CLONE_NEWNS) != 0) {
    return fail_errno("cannot return to the container's mount namespace", errno);
  }
  return files;
}

Result<std::unique_ptr<image::FileAccess>> open_source(const InventorySource& source) {
  if (source.folders.empty()) {
    return image::open_local_files("/proc/self/fd/" + std::to_string(source.root.get()));
  }
  if (source.folders.size() > 1 && !source.host_root.empty()) return open_layers_on_host(source);
  return image::open_layer_folders(source.folders);
}

// How the lines of its findings end.
std::string line_end(const Package& package) {
  std::string end = "\t" + package.name + "\t" + package.version + "\t" + package.arch;
  std::ranges::replace(end, '\n', ' ');
  return end;
}

// One line for each finding, sorted, no two alike.
std::vector<std::string> finding_lines(const Sbom& sbom, const std::vector<Finding>& findings) {
  std::vector<std::string> lines;
  for (const Finding& finding : findings) {
    lines.push_back(finding.id + line_end(sbom.packages[finding.package]));
  }
  std::ranges::sort(lines);
  const auto [first, last] = std::ranges::unique(lines);
  lines.erase(first, last);
  return lines;
}

std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

std::string joined_lines(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

// What was found of a package stays true where the database no longer says anything of it: only one
// that was judged can be called no longer affected.
void keep_unjudged(std::vector<std::string>& lines, const std::vector<std::string>& old_lines,
                   const Sbom& sbom, const std::vector<PackageVerdict>& verdicts) {
  std::set<std::string> unjudged;
  for (size_t i = 0; i < verdicts.size(); ++i) {
    if (verdicts[i].state != PackageState::kNotCheckable) continue;
    unjudged.insert(line_end(sbom.packages[i]));
  }
  for (const std::string& line : old_lines) {
    const size_t tab = line.find('\t');
    if (tab != std::string::npos && unjudged.contains(line.substr(tab))) lines.push_back(line);
  }
  std::ranges::sort(lines);
  lines.erase(std::ranges::unique(lines).begin(), lines.end());
}

// Appends "=KEY", then "+LINE" and "-LINE" for what differs from the last time.
Status match_one(const MatchJob& job, const std::string& key, const advisory::Database& database,
                 std::string& answer) {
  const std::string folder = job.state_folder + "/";
  MappedFile mapped = TRY(MappedFile::open(folder + inventory_name(key)));
  const scan::InventoryFile inventory = TRY(scan::InventoryFile::open(std::move(mapped)));
  const match::MatchOutput found =
      TRY(match::match_sbom(inventory.sbom(), database, {.now = job.database.now}));
  // A damaged shard says "nothing" of packages that it cannot judge: no reason to call them clean.
  const auto damaged = std::ranges::find_if(found.verdicts, match::is_damage);
  if (damaged != found.verdicts.end()) return fail(ErrorCode::kMalformed, damaged->reason);
  std::vector<std::string> lines = finding_lines(inventory.sbom(), found.findings);
  const Result<std::string> before =
      read_file(folder + findings_name(key), limits::kFindingsFileBytesMax);
  std::vector<std::string> old_lines = split_lines(before.value_or(""));
  std::ranges::sort(old_lines);
  keep_unjudged(lines, old_lines, inventory.sbom(), found.verdicts);
  TRY(write_atomically(folder + findings_name(key) + ".new", joined_lines(lines), 0600));
  answer += "=" + key + "\n";
  if (!before) return {};  // The first time: nothing has changed.
  std::vector<std::string> come;
  std::vector<std::string> gone;
  std::ranges::set_difference(lines, old_lines, std::back_inserter(come));
  std::ranges::set_difference(old_lines, lines, std::back_inserter(gone));
  for (const std::string& line : come) answer += "+" + line + "\n";
  for (const std::string& line : gone) answer += "-" + line + "\n";
  return {};
}

FindingChange parse_change(std::string_view line, const std::string& key) {
  FindingChange change = {.key = key, .is_new = line[0] == '+'};
  line.remove_prefix(1);
  for (std::string* part : {&change.id, &change.package, &change.version, &change.arch}) {
    const size_t end = std::min(line.find('\t'), line.size());
    *part = line.substr(0, end);
    line.remove_prefix(std::min(end + 1, line.size()));
  }
  return change;
}

}  // namespace

std::string inventory_name(std::string_view key) {
  return "inventory/" + std::string(key) + ".inv";
}

std::string findings_name(std::string_view key) {
  return "inventory/" + std::string(key) + ".findings";
}

Result<InventorySource> find_source(const Workload& workload, const sensor::ContainerIndex& index) {
  InventorySource source;
  std::string identity;
  for (const std::string& folder : workload.lower_folders) {
    struct stat status = {};
    if (::stat(folder.c_str(), &status) != 0) {
      return fail(ErrorCode::kNotFound, "a layer of its image is gone: " + folder);
    }
    identity +=
        folder + "\n" + std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino) + "\n";
  }
  source.folders = workload.lower_folders;
  source.host_root = index.host().root;
  source.is_fixed = source.folders.size() > 1 || !workload.upper_folder.empty();
  if (!identity.empty()) {
    source.key = key_of(identity);
    if (!source.is_fixed) {
      source.root = Fd(::open(source.folders.front().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    }
    return source;
  }
  source.root = TRY(with_context(index.open_root(workload), "its root"));
  struct stat status = {};
  if (::fstat(source.root.get(), &status) != 0) return fail_errno("its root", errno);
  const sensor::HostFolders& host = index.host();
  const bool is_host = workload.runtime == Runtime::kHost;
  if (!is_host && status.st_dev == host.root_device && status.st_ino == host.root_inode) {
    return fail(ErrorCode::kNotFound, "its first process has not entered its root yet");
  }
  source.key = is_host
                   ? std::string(sensor::kHostId)
                   : key_of("root " + std::to_string(workload.mount_namespace) + " " +
                            std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino));
  return source;
}

Status make_inventory(const InventorySource& source, const std::string& state_folder) {
  const std::unique_ptr<image::FileAccess> files = TRY(open_source(source));
  scan::ReadOptions reading = {};
  reading.target.kind = TargetKind::kDirectory;
  reading.target.path = reading.target.name = "/";
  reading.threads_count = 1;
  const scan::ParsedTarget parsed = TRY(scan::parse_in_child(reading, *files, nullptr));
  const MappedFile answer = TRY(MappedFile::from_fd(parsed.answer));
  return write_atomically(state_folder + "/" + inventory_name(source.key), as_text(answer.bytes()),
                          0600);
}

std::string packages_stamp(const Fd& root) {
  std::string stamp;
  for (const char* path :
       {"var/lib/dpkg/status", "var/lib/dpkg/status.d", "lib/apk/db/installed",
        "usr/lib/apk/db/installed", "var/lib/rpm", "var/lib/rpm/rpmdb.sqlite",
        "var/lib/rpm/rpmdb.sqlite-wal", "usr/lib/sysimage/rpm", "usr/lib/sysimage/rpm/rpmdb.sqlite",
        "usr/lib/sysimage/rpm/rpmdb.sqlite-wal"}) {
    const Result<Fd> place = image::open_place(root, path, image::FileAccess::Links::kFollow);
    struct stat status = {};
    if (!place || ::fstat(place->get(), &status) != 0) continue;
    stamp += std::to_string(status.st_ino) + ":" + std::to_string(status.st_mtim.tv_sec) + "." +
             std::to_string(status.st_mtim.tv_nsec) + " ";
  }
  return stamp;
}

Result<std::string> match_inventories(const MatchJob& job) {
  const std::unique_ptr<advisory::Database> database = TRY(advisory::open_database(job.database));
  std::string answer;
  for (const std::string& key : job.keys) {
    const Status matched = match_one(job, key, *database, answer);
    if (matched) continue;
    std::string problem = matched.error().text();
    std::ranges::replace(problem, '\n', ' ');
    answer += "!" + key + ": " + problem + "\n";
  }
  return answer;
}

Status keep_findings(const std::string& state_folder, std::string_view key) {
  const std::string path = state_folder + "/" + findings_name(key);
  if (std::rename((path + ".new").c_str(), path.c_str()) != 0) return fail_errno(path, errno);
  return {};
}

MatchAnswer parse_match_answer(std::string_view text) {
  MatchAnswer answer;
  for (const std::string& line : split_lines(text)) {
    if (line.starts_with('=')) answer.keys.push_back(line.substr(1));
    if (line.starts_with('!')) answer.problems.push_back(line.substr(1));
    const bool is_change = line.starts_with('+') || line.starts_with('-');
    if (is_change && !answer.keys.empty()) {
      answer.changes.push_back(parse_change(line, answer.keys.back()));
    }
  }
  return answer;
}

}  // namespace vigil::watch
