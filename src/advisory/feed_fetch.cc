#include "advisory/feed_fetch.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <optional>

#include "advisory/coverage_file.h"
#include "base/file.h"
#include "base/json.h"
#include "base/limits.h"
#include "net/http_client.h"

namespace vigil::advisory {

namespace {

constexpr uint64_t kNoteBytesMax = 64 << 10;
constexpr int kTriesMax = 3;  // Of a download that the network cuts.

// What is remembered of a file: .fetch/PATH.json. Validators hold for one address only.
struct Note {
  std::string url;     // Without credentials.
  uint64_t bytes = 0;  // Of the file that `known` speaks of.
  net::HttpValidators known;
  net::HttpValidators partial;  // Whose beginning .fetch/PATH.partial is.
};

net::HttpValidators validators_in(JsonView view) {
  return {.etag = std::string(view["etag"].text()),
          .last_modified = std::string(view["last_modified"].text())};
}

// A note that cannot be read is none: the file is fetched afresh.
Note read_note(const std::string& path, const std::string& url) {
  Note note;
  JsonDocument document;
  const Result<std::string> text = read_file(path, kNoteBytesMax);
  const Result<JsonView> root = text ? document.parse(*text) : std::unexpected(text.error());
  if (root && (*root)["url"].text() == url) {
    note.bytes = static_cast<uint64_t>((*root)["bytes"].integer());
    note.known = validators_in((*root)["file"]);
    note.partial = validators_in((*root)["partial"]);
  }
  note.url = url;
  return note;
}

Status write_note(const std::string& path, const Note& note) {
  JsonWriter json;
  const auto add = [&](std::string_view name, const net::HttpValidators& validators) {
    json.key(name).begin_object().member("etag", validators.etag);
    json.member("last_modified", validators.last_modified).end_object();
  };
  json.begin_object().member("url", note.url).member("bytes", note.bytes);
  add("file", note.known);
  add("partial", note.partial);
  json.end_object();
  return write_atomically(path, json.take() + "\n");
}

std::string parent_of(const std::string& path) {
  return std::filesystem::path(path).parent_path().string();
}

uint64_t bytes_at(const std::string& path) {
  std::error_code error;
  const uintmax_t bytes = std::filesystem::file_size(path, error);
  return error ? 0 : bytes;
}

class Fetcher {
 public:
  Fetcher(const FetchOptions& options, net::HttpClient client)
      : out_(options.out_folder), mirror_(options.mirror), client_(std::move(client)) {
    while (mirror_.ends_with('/')) mirror_.pop_back();
  }

  FetchedFile fetch(const FilledAddress& address) {
    FetchedFile file;
    file.path = address.path;
    file.status = try_fetch(address, file);
    return file;
  }

  // From the publishers, or from a mirror that does not say what it has.
  AbsentFiles fetch_feed(const Feed& feed, const FetchProgress& progress);
  // From a mirror that has these files.
  AbsentFiles fetch_listed(const Feed& feed, const std::vector<std::string>& listed,
                           const FetchProgress& progress);
  // What the mirror says that it has, in byte order; nothing where it does not say.
  Result<std::optional<std::vector<std::string>>> read_list();

 private:
  std::string url_of(const FilledAddress& address) const {
    return mirror_.empty() ? address.url : mirror_ + "/" + address.path;
  }
  void fetch_told(const FeedAddress& address, const FetchProgress& progress);
  Status try_fetch(const FilledAddress& address, FetchedFile& file);
  Result<std::string> told_value(const FilledAddress& address);
  void remove_others(const FilledAddress& teller, const std::string& path) const;
  void remove_unlisted(const Feed& feed, const std::vector<std::string>& listed) const;
  Result<net::HttpResponse> download(const std::string& url, Note& note,
                                     const net::HttpValidators& known, const Fd& to);

  std::string out_;
  std::string mirror_;
  net::HttpClient client_;
};

Result<net::HttpResponse> Fetcher::download(const std::string& url, Note& note,
                                            const net::HttpValidators& known, const Fd& to) {
  net::HttpRequest request;
  request.url = url;
  request.bytes_max = limits::kDocumentBytesMax;
  request.known = known;
  for (int tries = 1;; ++tries) {
    // Nothing tells a beginning of unknown version from that of another.
    request.resumed = note.partial;
    request.resume_at = note.partial.is_empty() ? 0 : TRY(file_bytes(to));
    Result<net::HttpResponse> response = client_.get(request, to);
    if (response) return response;
    note.partial = client_.received();
    const bool is_cut = response.error().code == ErrorCode::kUnavailable;
    if (!is_cut || note.partial.is_empty() || tries == kTriesMax) return response;
  }
}

Status Fetcher::try_fetch(const FilledAddress& address, FetchedFile& file) {
  const std::string path = out_ + "/" + address.path;
  const std::string note_path = out_ + "/.fetch/" + address.path + ".json";
  const std::string partial = out_ + "/.fetch/" + address.path + ".partial";
  TRY(make_folders(parent_of(path)));
  TRY(make_folders(parent_of(note_path)));
  const std::string url = url_of(address);
  Note note = read_note(note_path, net::shown_url(url));
  const Fd to(::open(partial.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (!to.is_open()) return fail_errno(partial, errno);
  file.bytes = bytes_at(path);
  const bool is_ours = file.bytes != 0 && file.bytes == note.bytes;
  const Result<net::HttpResponse> response =
      download(url, note, is_ours ? note.known : net::HttpValidators{}, to);
  if (!response) {
    if (bytes_at(partial) == 0) ::unlink(partial.c_str());
    TRY(write_note(note_path, note));
    return std::unexpected(response.error());
  }
  file.is_unchanged = response->is_unchanged;
  if (file.is_unchanged) {
    ::unlink(partial.c_str());
    return {};
  }
  if (response->bytes == 0) {
    return fail(ErrorCode::kMalformed, note.url + ": the server sent nothing");
  }
  if (::fsync(to.get()) != 0) return fail_errno("cannot sync " + partial, errno);
  if (::rename(partial.c_str(), path.c_str()) != 0) return fail_errno(path, errno);
  file.bytes = response->bytes;
  note = {.url = note.url, .bytes = response->bytes, .known = response->validators, .partial = {}};
  return write_note(note_path, note);
}

// The first word of what is served there. It becomes part of a path.
Result<std::string> Fetcher::told_value(const FilledAddress& address) {
  TRY(fetch(address).status);
  const std::string text = TRY(read_file(out_ + "/" + address.path, kNoteBytesMax));
  const std::string value = text.substr(0, text.find_first_of(" \t\r\n"));
  const bool is_plain = !value.empty() && value[0] != '.' &&
                        value.find_first_not_of(
                            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWX"
                            "YZ0123456789._-") == std::string::npos;
  if (!is_plain || value.size() > limits::kShardNameBytesMax) {
    return fail(ErrorCode::kMalformed, net::shown_url(url_of(address)) + ": it names no file");
  }
  return value;
}

// Earlier files of an address whose name changes would be read beside the newest one. Only what was
// fetched from there before goes.
void Fetcher::remove_others(const FilledAddress& teller, const std::string& path) const {
  const std::string folder = parent_of(path);
  const std::string site = net::shown_url(url_of(teller));
  std::error_code error;
  for (std::filesystem::directory_iterator at(out_ + "/.fetch/" + folder, error), end;
       !error && at != end; at.increment(error)) {
    if (at->path().extension() != ".json") continue;
    const std::string other = folder + "/" + at->path().stem().string();
    if (other == path || other == teller.path) continue;
    const std::string url = site.substr(0, site.rfind('/') + 1) + at->path().stem().string();
    if (read_note(at->path().string(), url).bytes == 0) continue;
    std::error_code ignored;
    std::filesystem::remove(out_ + "/" + other, ignored);
    std::filesystem::remove(at->path(), ignored);
  }
}

// One for each of the address's values.
std::vector<FilledAddress> filled_addresses(const FeedAddress& address) {
  std::vector<FilledAddress> filled;
  std::string_view rest = address.values;
  do {
    const size_t end = std::min(rest.find(','), rest.size());
    filled.push_back(fill_address(address, rest.substr(0, end)));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  } while (!rest.empty());
  return filled;
}

bool is_told(const FeedAddress& address) {
  return address.values.starts_with('@');
}

bool is_of_feed(const Feed& feed, const std::string& path) {
  return std::ranges::any_of(feed.patterns, [&](std::string_view pattern) {
    return matches_pattern(std::string(pattern), path);
  });
}

// Whether something is listed that the feed's pattern for this path matches as well.
bool has_other_name(const Feed& feed, const std::string& path,
                    const std::vector<std::string>& listed) {
  return std::ranges::any_of(feed.patterns, [&](std::string_view text) {
    const std::string pattern(text);
    return matches_pattern(pattern, path) &&
           std::ranges::any_of(
               listed, [&](const std::string& one) { return matches_pattern(pattern, one); });
  });
}

// A path that stays in the folder, whoever wrote it.
bool is_plain_path(std::string_view path) {
  if (path.empty() || path.size() > limits::kPathBytesMax) return false;
  while (!path.empty()) {
    const size_t end = std::min(path.find('/'), path.size());
    if (end == 0 || path[0] == '.') return false;
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return true;
}

// The lines "DIGEST  PATH" of sha256sum(1).
std::vector<std::string> listed_paths(std::string_view text) {
  constexpr size_t kDigestBytes = 64;
  std::vector<std::string> paths;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    if (line.size() < kDigestBytes + 2) continue;
    std::string_view path = line.substr(kDigestBytes + 2);
    if (path.starts_with("./")) path.remove_prefix(2);
    const bool is_printable = std::ranges::none_of(path, [](char c) { return c >= 0 && c < ' '; });
    if (is_printable && is_plain_path(path)) paths.emplace_back(path);
  }
  std::ranges::sort(paths);
  return paths;
}

Result<std::optional<std::vector<std::string>>> Fetcher::read_list() {
  const FetchedFile file = fetch({.url = "", .path = "SHA256SUMS"});
  if (!file.status && file.status.error().code == ErrorCode::kNotFound) return std::nullopt;
  TRY(Status(file.status));
  return listed_paths(TRY(read_file(out_ + "/SHA256SUMS", limits::kManifestBytesMax)));
}

// A mirror's earlier files would be read beside those that took their place.
void Fetcher::remove_unlisted(const Feed& feed, const std::vector<std::string>& listed) const {
  const std::string notes = out_ + "/.fetch";
  std::vector<std::string> gone;
  std::error_code error;
  for (std::filesystem::recursive_directory_iterator at(notes, error), end; !error && at != end;
       at.increment(error)) {
    const std::string path = at->path().lexically_relative(notes).replace_extension().string();
    if (at->path().extension() != ".json" || !is_of_feed(feed, path)) continue;
    if (std::ranges::binary_search(listed, path)) continue;
    const std::string url = net::shown_url(mirror_ + "/" + path);
    if (read_note(at->path().string(), url).bytes != 0) gone.push_back(path);
  }
  for (const std::string& path : gone) {
    std::filesystem::remove(out_ + "/" + path, error);
    std::filesystem::remove(notes + "/" + path + ".json", error);
  }
}

AbsentFiles Fetcher::fetch_listed(const Feed& feed, const std::vector<std::string>& listed,
                                  const FetchProgress& progress) {
  AbsentFiles absent = {.feed = feed.name, .paths = {}, .is_whole_feed = true};
  for (const std::string& path : listed) {
    if (!is_of_feed(feed, path)) continue;
    absent.is_whole_feed = false;
    progress.starts(path);
    progress.done(fetch({.url = "", .path = path}));
  }
  remove_unlisted(feed, listed);
  for (const FeedAddress& address : feed.addresses) {
    if (is_told(address)) continue;
    const std::vector<FilledAddress> all = filled_addresses(address);
    for (const FilledAddress& one : all) {
      // A single file may have another name there; of several each speaks for itself.
      const bool is_there = all.size() == 1 ? has_other_name(feed, one.path, listed)
                                            : std::ranges::binary_search(listed, one.path);
      if (!is_there) absent.paths.push_back(one.path);
    }
  }
  return absent;
}

AbsentFiles Fetcher::fetch_feed(const Feed& feed, const FetchProgress& progress) {
  AbsentFiles absent = {.feed = feed.name, .paths = {}, .is_whole_feed = true};
  const auto done = [&](const FetchedFile& file) {
    const bool is_absent =
        !mirror_.empty() && !file.status && file.status.error().code == ErrorCode::kNotFound;
    if (is_absent) {
      absent.paths.push_back(file.path);
    } else {
      absent.is_whole_feed = false;
      progress.done(file);
    }
  };
  const FetchProgress inner = {.starts = progress.starts, .done = done};
  for (const FeedAddress& address : feed.addresses) {
    if (is_told(address)) {
      fetch_told(address, inner);
      continue;
    }
    for (const FilledAddress& filled : filled_addresses(address)) {
      inner.starts(filled.path);
      inner.done(fetch(filled));
    }
  }
  return absent;
}

void Fetcher::fetch_told(const FeedAddress& address, const FetchProgress& progress) {
  // In a mirror the file that tells the value lies beside those it belongs to.
  FilledAddress teller;
  teller.url = address.values.substr(1);
  teller.path = parent_of(std::string(address.path)) + teller.url.substr(teller.url.rfind('/'));
  progress.starts(teller.path);
  const Result<std::string> value = told_value(teller);
  FetchedFile file;
  if (!value) {
    file.path = teller.path;
    file.status = std::unexpected(value.error());
    return progress.done(file);
  }
  const FilledAddress filled = fill_address(address, *value);
  progress.starts(filled.path);
  file = fetch(filled);
  if (file.status) remove_others(teller, file.path);
  progress.done(file);
}

Result<std::vector<const Feed*>> chosen_feeds(const std::vector<std::string>& names) {
  std::vector<const Feed*> chosen;
  std::string known;
  for (const Feed* feed : all_feeds()) {
    known += (known.empty() ? "" : ", ") + std::string(feed->name);
    const bool is_named = std::ranges::find(names, feed->name) != names.end();
    if (names.empty() || is_named) chosen.push_back(feed);
  }
  for (const std::string& name : names) {
    if (std::ranges::find(chosen, name, &Feed::name) != chosen.end()) continue;
    return fail(ErrorCode::kNotFound, "there is no feed '" + name + "', but: " + known);
  }
  return chosen;
}

}  // namespace

FilledAddress fill_address(const FeedAddress& address, std::string_view value) {
  const auto filled = [&](std::string_view text) {
    std::string out;
    for (;;) {
      const size_t open = std::min(text.find('{'), text.size());
      out += text.substr(0, open);
      if (open == text.size()) return out;
      out += value;
      text.remove_prefix(text.find('}') + 1);
    }
  };
  return {.url = filled(address.url), .path = filled(address.path)};
}

Result<std::vector<AbsentFiles>> fetch_feeds(const FetchOptions& options,
                                             const FetchProgress& progress) {
  if (!options.mirror.empty() && !net::is_http_url(options.mirror)) {
    return fail(ErrorCode::kMalformed, "a mirror is an http or https address");
  }
  const std::vector<const Feed*> feeds = TRY(chosen_feeds(options.feeds));
  Fetcher fetcher(options, TRY(net::HttpClient::create({})));
  std::optional<std::vector<std::string>> listed;
  if (!options.mirror.empty()) {
    listed = TRY(fetcher.read_list());
    // What the mirror's files cover, where it says so.
    const FetchedFile coverage = fetcher.fetch({.url = "", .path = "coverage.json"});
    if (coverage.status || coverage.status.error().code != ErrorCode::kNotFound) {
      progress.done(coverage);
    }
  }
  std::vector<AbsentFiles> absent;
  size_t absent_feeds_count = 0;
  for (const Feed* feed : feeds) {
    AbsentFiles of_feed = listed ? fetcher.fetch_listed(*feed, *listed, progress)
                                 : fetcher.fetch_feed(*feed, progress);
    if (of_feed.is_whole_feed) ++absent_feeds_count;
    if (of_feed.is_whole_feed || !of_feed.paths.empty()) absent.push_back(std::move(of_feed));
  }
  if (absent_feeds_count == feeds.size()) {
    return fail(ErrorCode::kNotFound,
                net::shown_url(options.mirror) + ": the mirror has none of the feeds asked for");
  }
  return absent;
}

}  // namespace vigil::advisory
