// SQLite for the evidence store: a connection that keeps its prepared statements, and one run of a
// statement, its parameters and columns taken in order. Errors: kMalformed where the file is
// damaged or no database, kDenied, kTooLarge, and kUnavailable for all else, a full disk among it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace vigil::exposure {

class Query {
 public:
  explicit Query(sqlite3_stmt* statement) : statement_(statement) {}
  Query(Query&& other) noexcept
      : statement_(std::exchange(other.statement_, nullptr)),
        parameter_(other.parameter_),
        column_(other.column_) {}
  ~Query();
  Query& bind(std::string_view text);
  template <typename T>
    requires std::is_integral_v<T> || std::is_enum_v<T>
  Query& bind(T number) {
    return bind_number(static_cast<int64_t>(number));
  }
  // True: a row is there.
  Result<bool> step();
  Status run();
  // The next column of the row.
  Query& take(std::string& text);
  template <typename T>
    requires std::is_integral_v<T> || std::is_enum_v<T>
  Query& take(T& number) {
    number = static_cast<T>(take_number());
    return *this;
  }

 private:
  Query& bind_number(int64_t number);
  int64_t take_number();

  sqlite3_stmt* statement_;
  int parameter_ = 0;
  int column_ = 0;
};

class Connection {
 public:
  Status open_to_read(const std::string& path);
  // Makes the file where it is not there.
  Status open_to_write(const std::string& path);
  void close();

  // Prepared once; one Query of a text at a time.
  Result<Query> query(const std::string& sql);
  // The first column of the first row; 0 without one.
  Result<int64_t> number(const std::string& sql);
  Status execute(const std::string& sql);
  bool is_in_transaction() const;
  // Rows that the last statement inserted, changed or removed.
  uint64_t changes_count() const;
  int64_t last_key() const;

 private:
  Status open(const std::string& path, int flags);

  struct Close {
    void operator()(sqlite3* database) const;
  };
  struct Finalise {
    void operator()(sqlite3_stmt* statement) const;
  };
  std::unique_ptr<sqlite3, Close> database_;
  std::unordered_map<std::string, std::unique_ptr<sqlite3_stmt, Finalise>> statements_;
};

// Several texts in one column, each ended by a NUL.
std::string packed(const std::vector<std::string>& texts);
std::vector<std::string> unpacked(std::string_view bytes);

}  // namespace vigil::exposure
