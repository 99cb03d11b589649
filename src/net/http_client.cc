#include "net/http_client.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <unistd.h>

#include <strings.h>
#include <algorithm>
#include <cerrno>
#include <charconv>

namespace vigil::net {

namespace {

constexpr const char* kLibrary = "libcurl.so.4";
constexpr long kRedirectsMax = 5;
constexpr long kStallBytesPerSecond = 100;

// The functions of libcurl that are used, looked up by name.
struct Curl {
  decltype(&::curl_global_init) global_init = nullptr;
  decltype(&::curl_easy_init) easy_init = nullptr;
  decltype(&::curl_easy_cleanup) easy_cleanup = nullptr;
  decltype(&::curl_easy_reset) easy_reset = nullptr;
  decltype(&::curl_easy_setopt) easy_setopt = nullptr;
  decltype(&::curl_easy_perform) easy_perform = nullptr;
  decltype(&::curl_easy_strerror) easy_strerror = nullptr;
  decltype(&::curl_slist_append) slist_append = nullptr;
  decltype(&::curl_slist_free_all) slist_free_all = nullptr;
};

Result<Curl> load_curl() {
  // Never closed: its own libraries do not bear that.
  void* library = ::dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    return fail(ErrorCode::kUnavailable, std::string("downloads need ") + kLibrary +
                                             ", which cannot be loaded (Debian package libcurl4)");
  }
  Curl curl;
  bool is_whole = true;
  const auto find = [&](auto& function, const char* name) {
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(library, name));
    is_whole = is_whole && function != nullptr;
  };
  find(curl.global_init, "curl_global_init");
  find(curl.easy_init, "curl_easy_init");
  find(curl.easy_cleanup, "curl_easy_cleanup");
  find(curl.easy_reset, "curl_easy_reset");
  find(curl.easy_setopt, "curl_easy_setopt");
  find(curl.easy_perform, "curl_easy_perform");
  find(curl.easy_strerror, "curl_easy_strerror");
  find(curl.slist_append, "curl_slist_append");
  find(curl.slist_free_all, "curl_slist_free_all");
  if (!is_whole || curl.global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
    return fail(ErrorCode::kUnavailable, std::string(kLibrary) + " cannot be used");
  }
  return curl;
}

bool is_control(char c) {
  return static_cast<uint8_t>(c) < 0x20 || c == 0x7f;
}

std::string printable(std::string_view text) {
  std::string out(text);
  std::ranges::replace_if(out, is_control, '?');
  return out;
}

std::string_view trimmed(std::string_view text) {
  const size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return "";
  return text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

// "etag: x" as the value of "ETag"; nothing for other headers.
bool read_header(std::string_view line, std::string_view name, std::string& value) {
  if (line.size() <= name.size() || line[name.size()] != ':') return false;
  if (strncasecmp(line.data(), name.data(), name.size()) != 0) return false;
  value = trimmed(line.substr(name.size() + 1));
  return true;
}

// What may stand in a request's header: what a server said once may come from a file since.
bool is_header_value(std::string_view text) {
  return !text.empty() && text.size() < 1024 && std::ranges::none_of(text, is_control);
}

// One answer while it comes in. Redirects and proxies make several; the last one counts.
struct Transfer {
  const HttpRequest* request = nullptr;
  int fd = -1;
  uint64_t resume_at = 0;  // What was asked for; 0: the whole.
  long status = 0;
  HttpValidators validators;
  std::string content_range;
  bool is_begun = false;  // The file was made ready for the body.
  uint64_t bytes = 0;     // In the file.
  uint64_t bytes_received = 0;
  Status failed;  // Our own reason to end it.

  void header(std::string_view line);
  Status begin();
  Status body(std::string_view piece);
};

void Transfer::header(std::string_view line) {
  if (line.starts_with("HTTP/")) {
    status = 0;
    const size_t space = std::min(line.find(' '), line.size());
    const std::string_view code = line.substr(std::min(space + 1, line.size()));
    std::from_chars(code.data(), code.data() + code.size(), status);
    validators = {};
    content_range.clear();
    return;
  }
  if (read_header(line, "ETag", validators.etag)) return;
  if (read_header(line, "Last-Modified", validators.last_modified)) return;
  read_header(line, "Content-Range", content_range);
}

Status Transfer::begin() {
  is_begun = true;
  const std::string expected = "bytes " + std::to_string(resume_at) + "-";
  if (status == 206 && (resume_at == 0 || !content_range.starts_with(expected))) {
    return fail(ErrorCode::kMalformed, "the server sent another part than was asked for");
  }
  bytes = status == 206 ? resume_at : 0;
  if (::ftruncate(fd, static_cast<off_t>(bytes)) != 0) return fail_errno("cannot cut it", errno);
  if (::lseek(fd, static_cast<off_t>(bytes), SEEK_SET) < 0) return fail_errno("cannot seek", errno);
  return {};
}

Status Transfer::body(std::string_view piece) {
  if (!is_begun) TRY(begin());
  if (piece.size() > request->bytes_max - std::min(bytes, request->bytes_max)) {
    return fail(ErrorCode::kTooLarge,
                "more than the " + std::to_string(request->bytes_max) + " bytes that are taken");
  }
  bytes += piece.size();
  bytes_received += piece.size();
  while (!piece.empty()) {
    const ssize_t put = ::write(fd, piece.data(), piece.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return fail_errno("cannot write what is downloaded", errno);
    piece.remove_prefix(static_cast<size_t>(put));
  }
  if (request->progress) request->progress(bytes);
  return {};
}

size_t on_header(char* data, size_t, size_t size, void* transfer) {
  static_cast<Transfer*>(transfer)->header({data, size});
  return size;
}

size_t on_body(char* data, size_t, size_t size, void* opaque) {
  Transfer& transfer = *static_cast<Transfer*>(opaque);
  // The text of a refusal is not what was asked for.
  if (transfer.status != 200 && transfer.status != 206) return 0;
  transfer.failed = transfer.body({data, size});
  return transfer.failed ? size : 0;
}

std::unexpected<Error> status_error(long status) {
  ErrorCode code = ErrorCode::kUnavailable;
  if (status == 404 || status == 410) code = ErrorCode::kNotFound;
  if (status == 401 || status == 403 || status == 407) code = ErrorCode::kDenied;
  return fail(code, "the server answered " + std::to_string(status));
}

}  // namespace

struct HttpClient::State {
  Curl curl;
  HttpOptions options;
  CURL* easy = nullptr;
  HttpValidators received;

  ~State() {
    if (easy != nullptr) curl.easy_cleanup(easy);
  }

  curl_slist* headers_of(const HttpRequest& request, uint64_t resume_at) const;
  Status perform(Transfer& transfer);
  Result<HttpResponse> get(const HttpRequest& request, const Fd& to, uint64_t resume_at);
};

curl_slist* HttpClient::State::headers_of(const HttpRequest& request, uint64_t resume_at) const {
  curl_slist* list = nullptr;
  const auto add = [&](const char* name, const std::string& value) {
    if (!is_header_value(value)) return;
    const std::string line = std::string(name) + ": " + value;
    list = curl.slist_append(list, line.c_str());
  };
  add("If-None-Match", request.known.etag);
  add("If-Modified-Since", request.known.last_modified);
  if (resume_at > 0) {
    const bool is_strong = request.resumed.etag.starts_with('"');
    add("If-Range", is_strong ? request.resumed.etag : request.resumed.last_modified);
  }
  return list;
}

Status HttpClient::State::perform(Transfer& transfer) {
  const auto set = [&](CURLoption option, auto value) { curl.easy_setopt(easy, option, value); };
  const std::string& url = transfer.request->url;
  curl_slist* headers = headers_of(*transfer.request, transfer.resume_at);
  const std::string range = std::to_string(transfer.resume_at) + "-";
  char message[CURL_ERROR_SIZE] = "";
  curl.easy_reset(easy);
  set(CURLOPT_URL, url.c_str());
  set(CURLOPT_HTTPHEADER, headers);
  if (transfer.resume_at > 0) set(CURLOPT_RANGE, range.c_str());
  set(CURLOPT_USERAGENT, "vigil/" VIGIL_VERSION);
  set(CURLOPT_FOLLOWLOCATION, 1L);
  set(CURLOPT_MAXREDIRS, kRedirectsMax);
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  const bool is_https = strncasecmp(url.c_str(), "https:", 6) == 0;
  set(CURLOPT_REDIR_PROTOCOLS_STR, is_https ? "https" : "http,https");
  set(CURLOPT_CONNECTTIMEOUT, static_cast<long>(options.connect_seconds_max));
  set(CURLOPT_LOW_SPEED_LIMIT, kStallBytesPerSecond);
  set(CURLOPT_LOW_SPEED_TIME, static_cast<long>(options.stall_seconds_max));
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_ERRORBUFFER, static_cast<char*>(message));
  set(CURLOPT_HEADERFUNCTION, &on_header);
  set(CURLOPT_HEADERDATA, static_cast<void*>(&transfer));
  set(CURLOPT_WRITEFUNCTION, &on_body);
  set(CURLOPT_WRITEDATA, static_cast<void*>(&transfer));
  const CURLcode code = curl.easy_perform(easy);
  curl.slist_free_all(headers);
  if (!transfer.failed) return transfer.failed;
  if (transfer.status >= 400) return status_error(transfer.status);
  if (code == CURLE_OK) return {};
  const bool is_malformed = code == CURLE_UNSUPPORTED_PROTOCOL || code == CURLE_URL_MALFORMAT ||
                            code == CURLE_WEIRD_SERVER_REPLY;
  return fail(is_malformed ? ErrorCode::kMalformed : ErrorCode::kUnavailable,
              printable(message[0] != '\0' ? message : curl.easy_strerror(code)));
}

Result<HttpResponse> HttpClient::State::get(const HttpRequest& request, const Fd& to,
                                            uint64_t resume_at) {
  Transfer transfer;
  transfer.request = &request;
  transfer.fd = to.get();
  transfer.resume_at = resume_at;
  Status status = perform(transfer);
  if (transfer.is_begun) received = transfer.validators;
  // What is there is no beginning of what the server has.
  if (transfer.status == 416 && resume_at > 0) return get(request, to, 0);
  TRY(std::move(status));
  if (transfer.status == 304 && !request.known.is_empty()) {
    return HttpResponse{.is_unchanged = true, .validators = request.known};
  }
  if (transfer.status != 200 && transfer.status != 206) return status_error(transfer.status);
  if (!transfer.is_begun) TRY(transfer.begin());  // It is empty.
  return HttpResponse{.validators = transfer.validators,
                      .bytes = transfer.bytes,
                      .bytes_received = transfer.bytes_received};
}

HttpClient::HttpClient(std::unique_ptr<State> state) : state_(std::move(state)) {}
HttpClient::HttpClient(HttpClient&&) noexcept = default;
HttpClient& HttpClient::operator=(HttpClient&&) noexcept = default;
HttpClient::~HttpClient() = default;

Result<HttpClient> HttpClient::create(const HttpOptions& options) {
  auto state = std::make_unique<State>();
  state->curl = TRY(load_curl());
  state->options = options;
  state->easy = state->curl.easy_init();
  if (state->easy == nullptr) return fail(ErrorCode::kUnavailable, "libcurl cannot be used");
  return HttpClient(std::move(state));
}

const HttpValidators& HttpClient::received() const {
  return state_->received;
}

Result<HttpResponse> HttpClient::get(const HttpRequest& request, const Fd& to) {
  state_->received = {};
  const std::string shown = shown_url(request.url);
  if (!is_http_url(request.url) || std::ranges::any_of(request.url, is_control)) {
    return with_context(
        Result<HttpResponse>(fail(ErrorCode::kMalformed, "not an http or https URL")), shown);
  }
  // A weak ETag alone cannot tell that the rest belongs to the beginning (RFC 9110, 13.1.5).
  const HttpValidators& resumed = request.resumed;
  const bool can_resume =
      resumed.is_empty() || resumed.etag.starts_with('"') || !resumed.last_modified.empty();
  return with_context(state_->get(request, to, can_resume ? request.resume_at : 0), shown);
}

bool is_http_url(std::string_view text) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (text.size() > scheme.size() &&
        strncasecmp(text.data(), scheme.data(), scheme.size()) == 0) {
      return true;
    }
  }
  return false;
}

std::string shown_url(std::string_view url) {
  std::string out = printable(url.substr(0, url.find_first_of("?#")));
  const size_t scheme_end = out.find("://");
  if (scheme_end == std::string::npos) return out;
  const size_t host = scheme_end + 3;
  const size_t host_end = std::min(out.find('/', host), out.size());
  const size_t at = out.rfind('@', host_end);
  if (at != std::string::npos && at >= host) out.erase(host, at + 1 - host);
  return out;
}

}  // namespace vigil::net
