// The programs of bpf/, loaded, attached and read. This file's source is the only one that includes
// the skeleton.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "model/event.h"
#include "sensor/event_source.h"

namespace vigil::sensor {

// Programs loaded and attached; they go when this goes. One thread.
class KernelPrograms {
 public:
  // The best set that this kernel takes, or the back end that the options name.
  static Result<KernelPrograms> load(const SourceOptions& options);
  // Takes them off and on again, without loading: for measuring what they cost.
  void detach();
  Status attach();
  KernelPrograms(KernelPrograms&&) noexcept;
  KernelPrograms& operator=(KernelPrograms&&) noexcept;
  ~KernelPrograms();

  // Hands over the records that wait, at most limits::kBatchEventsMax.
  Status consume(const std::function<void(ByteView)>& take);
  std::vector<Loss> new_losses();
  // Records of everything that runs now, of one process where `pid` is not 0; false where the
  // kernel lacks the iterators for it, as those for one process before 6.1.
  Result<bool> iterate(uint32_t pid, const std::function<void(ByteView)>& take);
  Status ignore(uint32_t pid);
  int poll_fd() const;

  std::string description() const;
  std::vector<std::string> blind_spots() const;
  // "vigil_exec (tp_btf/sched_process_exec)": what should have seen it.
  std::string program_for(EventKind kind) const;
  // How many instructions the verifier looked at, by program; 0 before 5.16.
  std::map<std::string, uint32_t> verified_instructions() const;

 private:
  struct State;
  explicit KernelPrograms(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// A row for each program and for what they stand on.
std::vector<Ability> probe_kernel_programs();

}  // namespace vigil::sensor
