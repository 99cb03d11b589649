// Downloads over HTTP. The only file that includes libcurl, which is loaded when the first client
// is made: a program that never asks the network does not pay for it. One client belongs to one
// thread and keeps its connections between requests.
//
// https stays https: no redirect leads to plain http, and none anywhere but to http and https. What
// authority an answer has is the caller's matter (signatures); this only bounds it: bytes,
// redirects, time without progress. Credentials of a URL go to its own host alone. Proxies come
// from the environment as curl reads it (https_proxy, no_proxy, …).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/file.h"
#include "base/result.h"

namespace vigil::net {

struct HttpOptions {
  uint64_t connect_seconds_max = 20;
  // A transfer that brings less than 100 bytes a second for so long is given up.
  uint64_t stall_seconds_max = 60;
};

// What a server said of a version of a file, to ask it later whether there is another.
struct HttpValidators {
  std::string etag;           // With its quotes; "" where the server gave none.
  std::string last_modified;  // Verbatim.

  bool is_empty() const { return etag.empty() && last_modified.empty(); }
  bool operator==(const HttpValidators&) const = default;
};

struct HttpRequest {
  std::string url;
  uint64_t bytes_max = 0;
  HttpValidators known = {};  // Asks for nothing where this version is still the newest.
  // Bytes of an interrupted download that `to` already holds, and whose they are: the rest is asked
  // for where the version is still the same, all of it otherwise. Without validators the caller has
  // another way to tell (a digest).
  uint64_t resume_at = 0;
  HttpValidators resumed = {};
  // Called whenever some came, with the bytes that `to` has by then; may be empty.
  std::function<void(uint64_t bytes)> progress = {};
};

struct HttpResponse {
  bool is_unchanged = false;  // `known` is the newest; `to` was not touched.
  HttpValidators validators = {};
  uint64_t bytes = 0;           // In `to`, altogether.
  uint64_t bytes_received = 0;  // Over the network.
};

class HttpClient {
 public:
  // kUnavailable where libcurl is not installed.
  static Result<HttpClient> create(const HttpOptions& options);
  HttpClient(HttpClient&&) noexcept;
  HttpClient& operator=(HttpClient&&) noexcept;
  ~HttpClient();

  // Writes the answer to `to` (a regular file, which is cut to `resume_at` or to nothing first).
  // Errors name the URL without its credentials: kNotFound (404, 410), kDenied (401, 403, 407),
  // kTooLarge, kMalformed (not HTTP, a URL that is none), kUnavailable (everything else). After an
  // Error `to` holds what came so far, a beginning that can be resumed.
  Result<HttpResponse> get(const HttpRequest& request, const Fd& to);
  // Whose bytes the last get() wrote, also where it failed: for `resumed` of the next.
  const HttpValidators& received() const;

 private:
  struct State;
  explicit HttpClient(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// True for "http://…" and "https://…".
bool is_http_url(std::string_view text);
// The URL as it may be shown: without credentials, query and control characters.
std::string shown_url(std::string_view url);

}  // namespace vigil::net
