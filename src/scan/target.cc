#include "scan/target.h"

#include <charconv>
#include <filesystem>
#include <system_error>

#include "base/file.h"
#include "scan/container_target.h"

namespace vigil::scan {

namespace {

constexpr TargetKind kKinds[] = {TargetKind::kDockerArchive, TargetKind::kOciArchive,
                                 TargetKind::kOciDirectory,  TargetKind::kDirectory,
                                 TargetKind::kSbom,          TargetKind::kPurl};

// Prefixes of places that are not read, and what to do instead.
struct Elsewhere {
  std::string_view prefix;
  std::string_view instead;  // "$" stands for what follows the prefix.
};
constexpr Elsewhere kElsewhere[] = {
    {"registry",
     "pull it first: skopeo copy docker://$ oci-archive:app.tar, then: vigil scan app.tar"},
    {"docker", "save it first: docker save -o app.tar $, then: vigil scan app.tar"},
    {"podman", "save it first: podman save -o app.tar $, then: vigil scan app.tar"},
    {"containerd", "export it first: ctr images export app.tar $, then: vigil scan app.tar"},
    {"singularity",
     "unpack it first: singularity build --sandbox FOLDER $, then: vigil scan dir:FOLDER"},
    {"file", "name the file alone, or force a kind: docker-archive:$, sbom:$"},
};

std::string filled(std::string_view text, std::string_view name) {
  std::string out;
  for (const char one : text) {
    if (one == '$') {
      out += name.empty() ? "NAME" : name;
    } else {
      out += one;
    }
  }
  return out;
}

bool is_image(std::optional<TargetKind> kind) {
  return !kind || *kind == TargetKind::kDockerArchive || *kind == TargetKind::kOciArchive ||
         *kind == TargetKind::kOciDirectory;
}

// Cuts ":TAG" or "@sha256:DIGEST" off where the path without it is there and the whole is not.
void split_selector(TypedTarget& target) {
  if (path_exists(target.path)) return;
  size_t cut = target.path.find("@sha256:");
  if (cut == std::string::npos) cut = target.path.rfind(':');
  // A reference may be "name:tag" itself, as skopeo writes it: oci-dir:FOLDER:name:tag.
  while (cut != std::string::npos && cut > 0) {
    if (path_exists(target.path.substr(0, cut))) {
      target.selector = target.path.substr(cut + 1);
      target.path.resize(cut);
      return;
    }
    cut = target.path.rfind(':', cut - 1);
  }
}

std::unexpected<Error> not_there(const TypedTarget& target) {
  const std::string& path = target.path;
  std::string message = "there is no file or folder " + path;
  if (target.kind == TargetKind::kPurl) message += ", and a package URL begins with pkg:";
  // "alpine:3.19", "ghcr.io/owner/app": what looks like the name of an image.
  const bool is_image_name = is_image(target.kind) && !path.starts_with('/') &&
                             !path.starts_with('.') &&
                             path.find_first_of(" \t\n") == std::string::npos;
  if (is_image_name) {
    message += "; if it is an image: registries and daemons are not asked yet, " +
               filled("save it first: docker save -o app.tar $, then: vigil scan app.tar", path);
  }
  return fail(ErrorCode::kNotFound, message);
}

// Whether what is there is a folder where the kind wants one, and a file where it wants a file.
Status check_place(const TypedTarget& target) {
  if (!target.kind) return {};
  const bool wants_folder =
      target.kind == TargetKind::kDirectory || target.kind == TargetKind::kOciDirectory;
  std::error_code ignored;
  const bool is_folder = std::filesystem::is_directory(target.path, ignored);
  if (is_folder == wants_folder) return {};
  return fail(ErrorCode::kMalformed, target.path +
                                         (is_folder ? " is a folder, and " : " is a file, and ") +
                                         std::string(to_string(*target.kind)) +
                                         (wants_folder ? ": wants a folder" : ": wants a file"));
}

// The root as the process sees it. Opening it goes through the kernel's own link, so that it is the
// container's whatever its paths are on the host; all below it is opened inside it.
Result<TypedTarget> parse_process(std::string_view typed, std::string_view pid) {
  if (pid.empty() || pid.find_first_not_of("0123456789") != std::string_view::npos) {
    return fail(ErrorCode::kMalformed, "pid: wants the number of a process, as the host counts");
  }
  TypedTarget target;
  target.kind = TargetKind::kDirectory;
  target.path = "/proc/" + std::string(pid) + "/root";
  target.name = typed;
  std::from_chars(pid.data(), pid.data() + pid.size(), target.pid);
  const std::string process = "/proc/" + std::string(pid);
  if (!path_exists(process)) {
    return fail(ErrorCode::kNotFound, "there is no process " + std::string(pid));
  }
  if (!path_exists(target.path)) {
    return fail(ErrorCode::kDenied, "the root of process " + std::string(pid) +
                                        " cannot be entered: it takes root, or it has just ended");
  }
  return target;
}

Result<TypedTarget> parse_path(TypedTarget target, std::string_view rest) {
  target.name = rest;
  target.path = rest;
  if (rest.empty()) {
    return fail(ErrorCode::kMalformed,
                target.kind ? "nothing follows " + std::string(to_string(*target.kind)) + ":"
                            : std::string("the target is empty"));
  }
  if (rest.find('\0') != std::string_view::npos) {
    return fail(ErrorCode::kMalformed, "the target holds a NUL");
  }
  if (is_image(target.kind)) split_selector(target);
  if (!path_exists(target.path)) return not_there(target);
  TRY(check_place(target));
  return target;
}

}  // namespace

Result<TypedTarget> parse_target(std::string_view typed) {
  TypedTarget target;
  if (typed == "-") {
    target.place = TargetPlace::kStandardInput;
    target.name = typed;
    return target;
  }
  if (typed.starts_with("pkg:")) {
    return TypedTarget{TargetKind::kPurl,  TargetPlace::kTyped, "", "",
                       std::string(typed), std::string(typed)};
  }
  const size_t colon = typed.find(':');
  if (colon == std::string_view::npos) return parse_path(std::move(target), typed);
  const std::string_view prefix = typed.substr(0, colon);
  const std::string_view rest = typed.substr(colon + 1);
  if (prefix == "pid" && !path_exists(std::string(typed))) return parse_process(typed, rest);
  if (prefix == "container" && !path_exists(std::string(typed))) return find_container(rest);
  for (const TargetKind kind : kKinds) {
    if (prefix == to_string(kind)) target.kind = kind;
  }
  if (!target.kind) {
    for (const Elsewhere& elsewhere : kElsewhere) {
      if (prefix != elsewhere.prefix || path_exists(std::string(typed))) continue;
      return fail(ErrorCode::kUnsupported, std::string(prefix) + ": is not supported yet; " +
                                               filled(elsewhere.instead, rest));
    }
    return parse_path(std::move(target), typed);
  }
  const bool is_document = target.kind == TargetKind::kSbom || target.kind == TargetKind::kPurl;
  if (is_document && rest == "-") {
    target.place = TargetPlace::kStandardInput;
    target.name = rest;
    return target;
  }
  if (target.kind == TargetKind::kPurl && rest.starts_with("pkg:")) {
    target.place = TargetPlace::kTyped;
    target.text = target.name = rest;
    return target;
  }
  return parse_path(std::move(target), rest);
}

}  // namespace vigil::scan
