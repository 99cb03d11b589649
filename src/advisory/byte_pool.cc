#include "advisory/byte_pool.h"

#include "base/check.h"
#include "base/digest.h"

namespace vigil::advisory {

size_t BytePool::slot_of(std::string_view bytes) const {
  const size_t mask = slots_.size() - 1;
  size_t slot = xxh3(as_bytes(bytes)) & mask;
  while (slots_[slot] != 0 && at(slots_[slot] - 1) != bytes) slot = (slot + 1) & mask;
  return slot;
}

void BytePool::grow() {
  slots_.assign(slots_.size() * 2, 0);
  for (uint32_t number = 0; number < size(); ++number) slots_[slot_of(at(number))] = number + 1;
}

uint32_t BytePool::add(std::string_view bytes) {
  if (const size_t slot = slot_of(bytes); slots_[slot] != 0) return slots_[slot] - 1;
  CHECK(size() < UINT32_MAX - 1);
  if (size() * 2 >= slots_.size()) grow();
  bytes_ += bytes;
  ends_.push_back(bytes_.size());
  slots_[slot_of(bytes)] = static_cast<uint32_t>(size());
  return static_cast<uint32_t>(size() - 1);
}

std::optional<uint32_t> BytePool::find(std::string_view bytes) const {
  const uint32_t entry = slots_[slot_of(bytes)];
  if (entry == 0) return std::nullopt;
  return entry - 1;
}

}  // namespace vigil::advisory
