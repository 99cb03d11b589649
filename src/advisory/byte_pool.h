// Byte strings kept once each, numbered in the order they came. One thread adds; many may look up.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vigil::advisory {

class BytePool {
 public:
  uint32_t add(std::string_view bytes);  // The number it has, or gets.
  std::optional<uint32_t> find(std::string_view bytes) const;
  std::string_view at(uint32_t number) const {
    return std::string_view(bytes_).substr(ends_[number], ends_[number + 1] - ends_[number]);
  }
  size_t size() const { return ends_.size() - 1; }

 private:
  // The slot of the table that holds it, or where it would go.
  size_t slot_of(std::string_view bytes) const;
  void grow();

  std::string bytes_;
  std::vector<uint64_t> ends_ = {0};
  std::vector<uint32_t> slots_ = std::vector<uint32_t>(16);  // Number + 1; 0: free.
};

}  // namespace vigil::advisory
