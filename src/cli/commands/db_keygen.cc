// db keygen: the pair of keys that databases are signed and checked with.
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "advisory/signature.h"
#include "base/file.h"
#include "cli/command.h"

namespace vigil::cli {

namespace {

constexpr Flag kFlags[] = {
    {"out", 0, "NAME", "NAME becomes the private key, NAME.pub the public one."},
    {"comment", 0, "TEXT", "Whose key it is; stands in both files."},
};

// Makes a file that was not there.
Status write_new(const std::string& path, const std::string& text, mode_t mode) {
  const Fd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
  if (!fd.is_open() && errno == EEXIST) {
    return fail(ErrorCode::kDenied, path + " is there already; keys are never replaced");
  }
  if (!fd.is_open()) return fail_errno(path, errno);
  Status written = write_all(fd, text);
  if (written && ::fsync(fd.get()) != 0) written = fail_errno("cannot sync it", errno);
  if (!written) ::unlink(path.c_str());
  return with_context(std::move(written), path);
}

Result<ExitCode> run(const Arguments& arguments) {
  if (arguments.value("out").empty() || !arguments.operands().empty()) {
    return fail(ErrorCode::kMalformed, "db keygen wants --out NAME and no operand");
  }
  const std::string path = arguments.value("out");
  const auto key = TRY(advisory::PrivateKey::generate(arguments.value("comment")));
  const advisory::PublicKey public_key = key.public_key();
  TRY(write_new(path + ".pub", public_key.text(), 0644));
  const Status written = write_new(path, key.text(), 0600);
  if (!written) {
    ::unlink((path + ".pub").c_str());
    return std::unexpected(written.error());
  }
  TRY(print(path + ", " + path + ".pub: key " + public_key.id() + "\n"));
  return ExitCode::kPassed;
}

}  // namespace

extern const Command db_keygen_command;
const Command db_keygen_command = {
    .name = "db keygen",
    .operands = "",
    .summary = "Make a pair of keys to sign databases with.",
    .details =
        "Ed25519. The private key is readable by its owner alone; 'vigil db build --sign NAME'\n"
        "signs with it. The public key goes to whoever installs the database, as --key NAME.pub\n"
        "or into /etc/vigil/keys. Existing files are never replaced.\n\n"
        "  vigil db keygen --out publisher --comment 'advisories of example.org'\n\n"
        "Exit code 0: made; 1: a file is there already or cannot be written.",
    .flags = kFlags,
    .run = run};

}  // namespace vigil::cli
