// db verify: every byte of the installed database.
#include <fmt/format.h>

#include "advisory/verify.h"
#include "base/file.h"
#include "cli/database_flags.h"

namespace vigil::cli {

namespace {

constexpr Flag kFlags[] = {kDbFlag, kKeyFlag, {"quiet", 'q', "", "Print nothing but errors."}};

Result<ExitCode> run(const Arguments& arguments) {
  if (!arguments.operands().empty()) {
    return fail(ErrorCode::kMalformed, "db verify takes no operand; --db names the database");
  }
  const std::string folder = TRY(database_options(arguments)).folder;
  const std::vector<advisory::PublicKey> keys = TRY(trusted_keys(arguments));
  const advisory::DatabaseCheck check = TRY(advisory::verify_database(folder, keys));
  uint64_t bytes = 0;
  for (const advisory::ShardCheck& shard : check.shards) {
    bytes += shard.bytes;
    if (!shard.status) complain(shard.status.error().text());
  }
  const bool is_trusted = !check.manifest.signer.empty();
  // Whoever names a key asks for its signature.
  const bool is_wanted = arguments.has("key") && !is_trusted;
  if (is_wanted) complain("the manifest is signed by none of the keys given");
  if (!check.is_whole() || is_wanted) return ExitCode::kFailed;
  if (arguments.has("quiet")) return ExitCode::kPassed;
  TRY(print(fmt::format(
      "{}: {} shards, {} bytes, all as the manifest says; {}\n",
      folder.empty() ? "embedded starter" : folder, check.shards.size(), bytes,
      is_trusted ? "signed by " + check.manifest.signer : "not signed by a trusted key")));
  return ExitCode::kPassed;
}

}  // namespace

extern const Command db_verify_command;
const Command db_verify_command = {
    .name = "db verify",
    .operands = "",
    .summary = "Check every byte of the advisory database.",
    .details =
        "The manifest's signature, the size and digest of each shard, the checksum of each of its\n"
        "blocks, and that every record can be read. With --key the signature must be there.\n\n"
        "  vigil db verify --key publisher.pub\n\n"
        "Exit code 0: whole; 1: damaged (each damaged shard is named), not signed by a key given,\n"
        "or no database.",
    .flags = kFlags,
    .run = run};

}  // namespace vigil::cli
