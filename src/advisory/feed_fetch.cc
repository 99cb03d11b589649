#include "advisory/feed_fetch.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

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

  void fetch_all(const FeedAddress& address, FunctionRef<void(const FetchedFile&)> done);

 private:
  std::string url_of(const FilledAddress& address) const {
    return mirror_.empty() ? address.url : mirror_ + "/" + address.path;
  }
  Status try_fetch(const FilledAddress& address, FetchedFile& file);
  Result<std::string> told_value(const FilledAddress& address);
  void remove_others(const FilledAddress& teller, const std::string& path) const;
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

void Fetcher::fetch_all(const FeedAddress& address, FunctionRef<void(const FetchedFile&)> done) {
  std::string_view rest = address.values;
  if (!rest.starts_with('@')) {
    do {
      const size_t end = std::min(rest.find(','), rest.size());
      done(fetch(fill_address(address, rest.substr(0, end))));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    } while (!rest.empty());
    return;
  }
  // In a mirror the file that tells the value lies beside those it belongs to.
  FilledAddress teller;
  teller.url = rest.substr(1);
  teller.path = parent_of(std::string(address.path)) + teller.url.substr(teller.url.rfind('/'));
  const Result<std::string> value = told_value(teller);
  FetchedFile file;
  if (!value) {
    file.path = teller.path;
    file.status = std::unexpected(value.error());
    return done(file);
  }
  file = fetch(fill_address(address, *value));
  if (file.status) remove_others(teller, file.path);
  done(file);
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

Status fetch_feeds(const FetchOptions& options, FunctionRef<void(const FetchedFile&)> done) {
  if (!options.mirror.empty() && !net::is_http_url(options.mirror)) {
    return fail(ErrorCode::kMalformed, "a mirror is an http or https address");
  }
  const std::vector<const Feed*> feeds = TRY(chosen_feeds(options.feeds));
  Fetcher fetcher(options, TRY(net::HttpClient::create({})));
  if (!options.mirror.empty()) {
    // What the mirror's files cover, where it says so.
    const FetchedFile coverage = fetcher.fetch({.url = "", .path = "coverage.json"});
    if (coverage.status || coverage.status.error().code != ErrorCode::kNotFound) done(coverage);
  }
  for (const Feed* feed : feeds) {
    for (const FeedAddress& address : feed->addresses) fetcher.fetch_all(address, done);
  }
  return {};
}

}  // namespace vigil::advisory
