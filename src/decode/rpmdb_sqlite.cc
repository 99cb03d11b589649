// rpmdb.sqlite, rpm's database since 4.16. The file comes from an image: its schema is hostile too,
// so it is opened in memory, read-only, defensively and untrusted, one fixed statement runs on it
// after the table has been found to be a plain one, and both work and values are bounded.
#include <sqlite3.h>

#include <algorithm>
#include <memory>

#include "base/limits.h"
#include "decode/rpmdb.h"

namespace vigil::decode {

namespace {

// A database of 1,000,000 packages takes some 10 million instructions of SQLite's machine.
constexpr int kInstructionsPerStep = 10'000;
constexpr int kStepsMax = 20'000;

struct CloseDatabase {
  void operator()(sqlite3* database) const { sqlite3_close(database); }
};
struct FinaliseStatement {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Database = std::unique_ptr<sqlite3, CloseDatabase>;
using Statement = std::unique_ptr<sqlite3_stmt, FinaliseStatement>;

std::unexpected<Error> sqlite_error(sqlite3* database) {
  return fail(ErrorCode::kMalformed, std::string("SQLite: ") + sqlite3_errmsg(database));
}

int count_step(void* steps) {
  return ++*static_cast<int*>(steps) > kStepsMax ? 1 : 0;
}

// Requires: `copy` outlives the database.
Result<Database> open_copy(std::string& copy, int* steps) {
  sqlite3* raw = nullptr;
  const int opened =
      sqlite3_open_v2(":memory:", &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  Database database(raw);
  if (opened != SQLITE_OK) return fail(ErrorCode::kUnavailable, "SQLite cannot be opened");
  // No value can be longer than the file that holds it.
  const auto length_max = static_cast<int>(
      std::min<uint64_t>(std::max<uint64_t>(copy.size(), 4096), limits::kPackageDatabaseBytesMax));
  sqlite3_limit(raw, SQLITE_LIMIT_LENGTH, length_max);
  sqlite3_limit(raw, SQLITE_LIMIT_SQL_LENGTH, 16 << 10);
  sqlite3_limit(raw, SQLITE_LIMIT_EXPR_DEPTH, 20);
  sqlite3_limit(raw, SQLITE_LIMIT_COLUMN, 100);
  sqlite3_limit(raw, SQLITE_LIMIT_COMPOUND_SELECT, 2);
  sqlite3_limit(raw, SQLITE_LIMIT_VDBE_OP, 25'000);
  sqlite3_limit(raw, SQLITE_LIMIT_ATTACHED, 0);
  sqlite3_limit(raw, SQLITE_LIMIT_TRIGGER_DEPTH, 1);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
  sqlite3_progress_handler(raw, kInstructionsPerStep, count_step, steps);
  auto* content = reinterpret_cast<unsigned char*>(copy.data());
  const auto bytes_count = static_cast<sqlite3_int64>(copy.size());
  if (sqlite3_deserialize(raw, "main", content, bytes_count, bytes_count,
                          SQLITE_DESERIALIZE_READONLY) != SQLITE_OK) {
    return sqlite_error(raw);
  }
  if (sqlite3_exec(raw, "PRAGMA cell_size_check=ON", nullptr, nullptr, nullptr) != SQLITE_OK) {
    return sqlite_error(raw);
  }
  return database;
}

Result<Statement> prepare(sqlite3* database, const char* sql) {
  sqlite3_stmt* raw = nullptr;
  const int prepared = sqlite3_prepare_v2(database, sql, -1, &raw, nullptr);
  Statement statement(raw);
  if (prepared != SQLITE_OK || raw == nullptr) return sqlite_error(database);
  return statement;
}

// "Packages" must be an ordinary table whose two columns are stored: no view, no virtual table, no
// generated column computes anything for us.
Status check_table(sqlite3* database) {
  const Statement statement = TRY(prepare(
      database,
      "SELECT (SELECT count(*) FROM sqlite_schema WHERE name='Packages' AND type='table' AND "
      "rootpage>0), (SELECT count(*) FROM pragma_table_xinfo('Packages') WHERE hidden=0 AND name "
      "IN "
      "('hnum','blob'))"));
  if (sqlite3_step(statement.get()) != SQLITE_ROW) return sqlite_error(database);
  if (sqlite3_column_int(statement.get(), 0) != 1 || sqlite3_column_int(statement.get(), 1) != 2) {
    return fail(ErrorCode::kMalformed, "no plain table Packages with hnum and blob");
  }
  return {};
}

}  // namespace

Result<RpmdbProblems> read_rpmdb_sqlite(ByteView bytes, RpmBlobVisitor visit) {
  if (bytes.size() < 100) return fail(ErrorCode::kMalformed, "an SQLite file without its header");
  std::string copy(as_text(bytes));
  // "File format write and read version": 2 asks for a write-ahead log, which a database in memory
  // cannot have; 1 reads the same pages without one.
  if (copy[18] == 2) copy[18] = 1;
  if (copy[19] == 2) copy[19] = 1;
  int steps = 0;
  const Database database = TRY(open_copy(copy, &steps));
  TRY(check_table(database.get()));
  const Statement rows = TRY(prepare(database.get(), "SELECT hnum, blob FROM Packages"));
  RpmdbProblems problems;
  uint64_t bytes_left = bytes.size();
  while (true) {
    const int result = sqlite3_step(rows.get());
    if (result == SQLITE_DONE) return problems;
    if (result != SQLITE_ROW) {
      problems.push_back(sqlite_error(database.get()).error().message);
      return problems;
    }
    const int64_t number = sqlite3_column_int64(rows.get(), 0);
    if (sqlite3_column_type(rows.get(), 1) != SQLITE_BLOB || number < 0 || number > UINT32_MAX) {
      if (problems.size() < kRpmdbProblemsMax) problems.push_back("a row that is no package");
      continue;
    }
    const void* blob = sqlite3_column_blob(rows.get(), 1);
    const auto count = static_cast<size_t>(sqlite3_column_bytes(rows.get(), 1));
    if (count > bytes_left) {
      problems.push_back("packages that overlap");
      return problems;
    }
    bytes_left -= count;
    visit(static_cast<uint32_t>(number), {static_cast<const uint8_t*>(blob), count});
  }
}

}  // namespace vigil::decode
