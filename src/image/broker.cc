#include "image/broker.h"

#include <mutex>
#include <utility>

#include "base/limits.h"

namespace vigil::image {

namespace {

enum class Operation : uint8_t { kOpen = 1, kList = 2, kRealPath = 3 };

constexpr uint8_t kAnswered = 0;  // Other first bytes of an answer: 1 + the ErrorCode.

std::string encode_listing(const std::vector<DirectoryEntry>& entries) {
  std::string out;
  append_varint(out, entries.size());
  for (const DirectoryEntry& entry : entries) {
    append_sized_text(out, entry.name);
    append_varint(out, static_cast<uint64_t>(entry.type));
    append_varint(out, entry.bytes);
    append_varint(out, entry.device);
    append_varint(out, entry.inode);
    append_varint(out, entry.links);
    append_sized_text(out, entry.target);
  }
  return out;
}

Result<std::vector<DirectoryEntry>> decode_listing(std::string_view bytes) {
  ByteReader reader(as_bytes(bytes));
  const uint64_t count = TRY(reader.varint());
  if (count > limits::kDirectoryEntriesMax) {
    return fail(ErrorCode::kTooLarge, "a folder of " + std::to_string(count) + " entries");
  }
  std::vector<DirectoryEntry> entries;
  for (uint64_t i = 0; i < count; ++i) {
    DirectoryEntry entry;
    entry.name = TRY(reader.sized_text());
    const uint64_t type = TRY(reader.varint());
    entry.type = type <= 3 ? static_cast<FileType>(type) : FileType::kOther;
    entry.bytes = TRY(reader.varint());
    entry.device = TRY(reader.varint());
    entry.inode = TRY(reader.varint());
    entry.links = TRY(reader.varint());
    entry.target = TRY(reader.sized_text());
    entries.push_back(std::move(entry));
  }
  return entries;
}

struct Answer {
  std::string text;
  Fd fd;
};

Result<Answer> answer_to(std::string_view request, FileAccess& files) {
  if (request.size() < 2 || request.size() > limits::kPathBytesMax + 2) {
    return fail(ErrorCode::kMalformed, "a request of this size makes no sense");
  }
  const auto links = request[1] == 0 ? FileAccess::Links::kFollow : FileAccess::Links::kRefuse;
  const std::string_view path = request.substr(2);
  if (path.find('\0') != std::string_view::npos) {
    return fail(ErrorCode::kMalformed, "a path with a zero byte");
  }
  switch (static_cast<Operation>(request[0])) {
    case Operation::kOpen:
      return Answer{"", TRY(files.open(path, links))};
    case Operation::kList: {
      std::string listing = encode_listing(TRY(files.list(path, links)));
      if (listing.size() < kMessageBytesMax) return Answer{std::move(listing), Fd()};
      return Answer{"", TRY(memory_file(listing))};
    }
    case Operation::kRealPath:
      return Answer{TRY(files.real_path(path)), Fd()};
  }
  return fail(ErrorCode::kMalformed, "an unknown request");
}

class BrokeredFiles final : public FileAccess {
 public:
  explicit BrokeredFiles(const Fd& socket) : socket_(socket) {}

  Result<Fd> open(std::string_view path, Links links) override {
    Answer answer = TRY(ask(Operation::kOpen, path, links));
    if (!answer.fd.is_open()) return fail(ErrorCode::kUnavailable, "no descriptor came");
    return std::move(answer.fd);
  }

  Result<std::vector<DirectoryEntry>> list(std::string_view path, Links links) override {
    const Answer answer = TRY(ask(Operation::kList, path, links));
    if (!answer.fd.is_open()) return decode_listing(answer.text);
    return decode_listing(TRY(read_all(answer.fd, limits::kInventoryBytesMax)));
  }

  Result<std::string> real_path(std::string_view path) override {
    Answer answer = TRY(ask(Operation::kRealPath, path, Links::kFollow));
    return std::move(answer.text);
  }

 private:
  Result<Answer> ask(Operation operation, std::string_view path, Links links) {
    if (path.size() > limits::kPathBytesMax) return fail(ErrorCode::kTooLarge, "path too long");
    std::string request;
    request += static_cast<char>(operation);
    request += links == Links::kFollow ? '\0' : '\1';
    request += path;
    const std::lock_guard lock(mutex_);
    TRY(send_message(socket_, request));
    SocketMessage message = TRY(receive_message(socket_));
    const uint8_t code = static_cast<uint8_t>(message.bytes[0]);
    std::string text = message.bytes.substr(1);
    if (code == kAnswered) return Answer{std::move(text), std::move(message.fd)};
    return fail(static_cast<ErrorCode>(code - 1), std::move(text));
  }

  const Fd& socket_;
  std::mutex mutex_;
};

}  // namespace

void serve_files(const Fd& socket, FileAccess& files) {
  for (;;) {
    const Result<SocketMessage> request = receive_message(socket);
    if (!request) return;
    const Result<Answer> answer = answer_to(request->bytes, files);
    Status sent;
    if (answer) {
      const std::string bytes = std::string(1, static_cast<char>(kAnswered)) + answer->text;
      sent = send_message(socket, bytes, answer->fd.is_open() ? &answer->fd : nullptr);
    } else {
      const char code = static_cast<char>(1 + static_cast<uint8_t>(answer.error().code));
      sent = send_message(socket, std::string(1, code) + answer.error().text().substr(0, 8192));
    }
    if (!sent) return;
  }
}

std::unique_ptr<FileAccess> connect_files(const Fd& socket) {
  return std::make_unique<BrokeredFiles>(socket);
}

}  // namespace vigil::image
