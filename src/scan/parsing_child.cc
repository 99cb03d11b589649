#include "scan/parsing_child.h"

#include <malloc.h>

#include <chrono>
#include <memory>
#include <utility>

#include "base/confine.h"
#include "base/limits.h"
#include "base/thread_pool.h"
#include "base/ticker.h"
#include "image/broker.h"

namespace vigil::scan {

namespace {

// An answer that is no inventory: why there is none. The code, the message, and its context.
constexpr std::string_view kErrorMagic = "vgl-err1";
constexpr uint64_t kErrorTextBytesMax = 16 << 10;

std::string encode_error(const Error& error) {
  std::string out(kErrorMagic);
  append_varint(out, static_cast<uint64_t>(error.code));
  append_sized_text(out, error.text().substr(0, kErrorTextBytesMax));
  return out;
}

// The Error in an answer, or that it is confused.
Error decode_error(ByteView answer) {
  Error confused = {ErrorCode::kMalformed, "the parsing child's answer makes no sense", {}};
  ByteReader reader(answer.subspan(kErrorMagic.size()));
  const Result<uint64_t> code = reader.varint();
  const Result<std::string_view> message = reader.sized_text();
  if (!code || *code > static_cast<uint64_t>(ErrorCode::kCancelled)) return confused;
  if (!message || message->size() > kErrorTextBytesMax || !reader.at_end()) return confused;
  return {static_cast<ErrorCode>(*code), std::string(*message), {}};
}

// The child: everything in here is done without any right.
int answer_in_child(const ReadOptions& options, const Fd& socket, const Fd& output) {
  const std::unique_ptr<image::FileAccess> files = image::connect_files(socket);
  // Never freed: the process ends with its answer, and the inventory's many small parts with it.
  const auto& inventory = *new Result<catalog::Inventory>(read_target(*files, options));
  // The package databases' contents have just been freed; the answer takes as much again.
  ::malloc_trim(0);
  const std::string answer = inventory ? encode_inventory(*inventory, options.threads_count)
                                       : encode_error(inventory.error());
  return write_all(output, answer) ? 0 : 1;
}

// Answers the child's questions, and tells meanwhile how far it is.
void serve(const Fd& socket, image::FileAccess& files, const SharedWorkCounts& work,
           const std::function<void(const WorkCounts*)>& progress) {
  constexpr std::chrono::milliseconds kBetweenLooks(100);
  if (!progress) return image::serve_files(socket, files);
  {
    const Ticker ticker(kBetweenLooks, [&] {
      const WorkCounts counts = work.snapshot();
      progress(&counts);
    });
    image::serve_files(socket, files);
  }
  progress(nullptr);
}

}  // namespace

Result<ParsedTarget> parse_in_child(ReadOptions options, image::FileAccess& files,
                                    const std::function<void(const WorkCounts*)>& progress) {
  SharedWorkCounts work = TRY(SharedWorkCounts::create());
  options.work = &work.counts();
  const uint64_t threads_count =
      options.threads_count == 0 ? processors_count() : options.threads_count;
  const ConfineOptions confinement = {
      .memory_bytes_max = limits::kChildMemoryBytesMax + threads_count * limits::kChildThreadBytes,
      .cpu_seconds_max = limits::kChildCpuSecondsMax,
      .wall_seconds_max = limits::kChildWallSecondsMax,
      .output_bytes_max = limits::kInventoryBytesMax,
  };
  ConfinedOutcome outcome = TRY(run_confined(
      confinement, [&](Fd& socket, Fd& output) { return answer_in_child(options, socket, output); },
      [&](Fd& socket) { serve(socket, files, work, progress); }));
  MappedFile answer = TRY(MappedFile::from_fd(outcome.output));
  if (as_text(answer.bytes()).starts_with(kErrorMagic)) {
    return std::unexpected(decode_error(answer.bytes()));
  }
  Result<InventoryFile> inventory = InventoryFile::open(std::move(answer));
  return ParsedTarget{TRY(with_context(std::move(inventory), "the parsing child's answer")),
                      std::move(outcome.output), std::move(outcome.protections), work.snapshot(),
                      outcome.peak_memory_bytes};
}

}  // namespace vigil::scan
