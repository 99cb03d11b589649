#include "exposure/sqlite.h"

#include <sqlite3.h>

#include <algorithm>

namespace vigil::exposure {

namespace {

ErrorCode error_code(int code) {
  switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return ErrorCode::kMalformed;
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_READONLY:
      return ErrorCode::kDenied;
    case SQLITE_TOOBIG:
      return ErrorCode::kTooLarge;
    default:
      return ErrorCode::kUnavailable;  // SQLITE_FULL among them.
  }
}

std::unexpected<Error> sqlite_error(sqlite3* database) {
  const std::string hint = (sqlite3_errcode(database) & 0xff) == SQLITE_FULL
                               ? "; nothing more can be kept until there is room again"
                               : "";
  return fail(error_code(sqlite3_errcode(database)), sqlite3_errmsg(database) + hint);
}

}  // namespace

Query::~Query() {
  if (statement_ != nullptr) sqlite3_reset(statement_);
}

Query& Query::bind(std::string_view text) {
  sqlite3_bind_text64(statement_, ++parameter_, text.data(), text.size(), SQLITE_TRANSIENT,
                      SQLITE_UTF8);
  return *this;
}

Query& Query::bind_number(int64_t number) {
  sqlite3_bind_int64(statement_, ++parameter_, number);
  return *this;
}

int64_t Query::take_number() {
  return sqlite3_column_int64(statement_, column_++);
}

Result<bool> Query::step() {
  column_ = 0;
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW || code == SQLITE_DONE) return code == SQLITE_ROW;
  return sqlite_error(sqlite3_db_handle(statement_));
}

Status Query::run() {
  TRY(step());
  return {};
}

Query& Query::take(std::string& text) {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_, column_));
  const int bytes_count = sqlite3_column_bytes(statement_, column_++);
  text.assign(bytes == nullptr ? "" : bytes, static_cast<size_t>(bytes_count));
  return *this;
}

Status Connection::open_to_read(const std::string& path) {
  return open(path, SQLITE_OPEN_READONLY);
}

Status Connection::open_to_write(const std::string& path) {
  return open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
}

Status Connection::open(const std::string& path, int flags) {
  close();
  sqlite3* raw = nullptr;
  const int code = sqlite3_open_v2(path.c_str(), &raw, flags | SQLITE_OPEN_NOMUTEX, nullptr);
  database_.reset(raw);
  if (code != SQLITE_OK) return sqlite_error(raw);
  sqlite3_extended_result_codes(raw, 1);
  // Only recovery after a crash takes a lock that another may wait for.
  constexpr int kRecoveryMilliseconds = 2000;
  sqlite3_busy_timeout(raw, kRecoveryMilliseconds);
  return {};
}

void Connection::close() {
  statements_.clear();
  database_.reset();
}

Result<Query> Connection::query(const std::string& sql) {
  auto& statement = statements_[sql];
  if (statement == nullptr) {
    sqlite3_stmt* raw = nullptr;
    const int code = sqlite3_prepare_v3(database_.get(), sql.c_str(), -1, SQLITE_PREPARE_PERSISTENT,
                                        &raw, nullptr);
    statement.reset(raw);
    if (code != SQLITE_OK) return sqlite_error(database_.get());
  }
  return Query(statement.get());
}

Result<int64_t> Connection::number(const std::string& sql) {
  Query found = TRY(query(sql));
  int64_t number = 0;
  if (TRY(found.step())) found.take(number);
  return number;
}

Status Connection::execute(const std::string& sql) {
  if (sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    return sqlite_error(database_.get());
  }
  return {};
}

bool Connection::is_in_transaction() const {
  return sqlite3_get_autocommit(database_.get()) == 0;
}

uint64_t Connection::changes_count() const {
  return static_cast<uint64_t>(sqlite3_changes64(database_.get()));
}

int64_t Connection::last_key() const {
  return sqlite3_last_insert_rowid(database_.get());
}

void Connection::Close::operator()(sqlite3* database) const {
  sqlite3_close_v2(database);
}

void Connection::Finalise::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}

std::string packed(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out += text + '\0';
  return out;
}

std::vector<std::string> unpacked(std::string_view bytes) {
  std::vector<std::string> texts;
  while (!bytes.empty()) {
    const size_t end = std::min(bytes.find('\0'), bytes.size());
    texts.emplace_back(bytes.substr(0, end));
    bytes.remove_prefix(std::min(end + 1, bytes.size()));
  }
  return texts;
}

}  // namespace vigil::exposure
