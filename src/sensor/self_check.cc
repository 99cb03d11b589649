#include "sensor/self_check.h"

#include <arpa/inet.h>
#include <elf.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <netinet/in.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "base/file.h"

namespace vigil::sensor {

namespace {

// exit(0), in the machine's own words.
#if defined(__x86_64__)
constexpr uint8_t kCode[] = {0x31, 0xff, 0xb8, 0x3c, 0, 0, 0, 0x0f, 0x05};
constexpr uint16_t kMachine = EM_X86_64;
#elif defined(__aarch64__)
constexpr uint8_t kCode[] = {0, 0, 0x80, 0xd2, 0xa8, 0x0b, 0x80, 0xd2, 1, 0, 0, 0xd4};
constexpr uint16_t kMachine = EM_AARCH64;
#else
#error "the self-test has no program for this machine"
#endif

// The smallest program: one segment, no libraries, so that it runs in any root.
std::string smallest_program() {
  constexpr uint64_t kAddress = 0x400000;
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_VERSION] = EV_CURRENT;
  header.e_type = ET_EXEC;
  header.e_machine = kMachine;
  header.e_version = EV_CURRENT;
  header.e_phoff = sizeof header;
  header.e_ehsize = sizeof header;
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = 1;
  header.e_entry = kAddress + sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr);
  Elf64_Phdr segment{};
  segment.p_type = PT_LOAD;
  segment.p_flags = PF_R | PF_X;
  segment.p_vaddr = segment.p_paddr = kAddress;
  segment.p_filesz = segment.p_memsz = sizeof header + sizeof segment + sizeof kCode;
  segment.p_align = 0x1000;
  std::string out(reinterpret_cast<const char*>(&header), sizeof header);
  out.append(reinterpret_cast<const char*>(&segment), sizeof segment);
  out.append(reinterpret_cast<const char*>(kCode), sizeof kCode);
  return out;
}

struct Removed {
  std::string file, folder;
  ~Removed() {
    ::unlink(file.c_str());
    ::rmdir(folder.c_str());
  }
};

Result<uint32_t> run(const std::string& program) {
  pid_t pid = 0;
  char* arguments[] = {const_cast<char*>(program.c_str()), nullptr};
  char* environment[] = {nullptr};
  const int error = ::posix_spawn(&pid, program.c_str(), nullptr, nullptr, arguments, environment);
  if (error != 0) return fail_errno("cannot execute " + program, error);
  int status = 0;
  while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    return fail(ErrorCode::kUnavailable, program + " did not end well");
  }
  return static_cast<uint32_t>(pid);
}

// A byte is read and a page touched: opening and mapping alone use nothing of a file.
Status read_and_map(const std::string& path, uint64_t& inode) {
  const Fd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat status{};
  if (!fd.is_open() || ::fstat(fd.get(), &status) != 0)
    return fail_errno("cannot open " + path, errno);
  inode = status.st_ino;
  char byte = 0;
  if (::read(fd.get(), &byte, 1) != 1) return fail_errno("cannot read " + path, errno);
  void* place = ::mmap(nullptr, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd.get(), 0);
  if (place == MAP_FAILED) return fail_errno("cannot map " + path + " executable", errno);
  static_cast<void>(*static_cast<volatile char*>(place));
  ::munmap(place, 4096);
  return {};
}

// 0 where this machine has no loopback: then nothing is asked of the sensor either.
uint16_t listen_on_loopback() {
  const Fd fd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t bytes = sizeof address;
  auto* plain = reinterpret_cast<sockaddr*>(&address);
  if (!fd.is_open() || ::bind(fd.get(), plain, bytes) != 0 || ::listen(fd.get(), 1) != 0 ||
      ::getsockname(fd.get(), plain, &bytes) != 0) {
    return 0;
  }
  return ntohs(address.sin_port);
}

bool is_in_memory(const std::string& folder) {
  struct statfs system{};
  return ::statfs(folder.c_str(), &system) == 0 && system.f_type == TMPFS_MAGIC;
}

Result<SelfTestActs> act_in(const std::string& folder) {
  std::string made = folder + "/vigil-self-test-XXXXXX";
  if (::mkdtemp(made.data()) == nullptr)
    return fail_errno("cannot make a folder in " + folder, errno);
  const Removed removed{made + "/program", made};
  TRY(write_atomically(removed.file, smallest_program(), 0700));
  std::error_code error;
  SelfTestActs acts;
  acts.is_in_memory = is_in_memory(made);
  acts.path = std::filesystem::canonical(removed.file, error).string().substr(1);
  acts.child_pid = TRY(run(removed.file));
  TRY(read_and_map(removed.file, acts.inode));
  acts.port = listen_on_loopback();
  return acts;
}

}  // namespace

Result<SelfTestActs> act_for_self_test() {
  std::error_code error;
  const std::string temporary = std::filesystem::temp_directory_path(error).string();
  const bool is_on_disk = !is_in_memory(temporary);
  Result<SelfTestActs> acts = act_in(is_on_disk ? temporary : "/var/tmp");
  // Some machines mount such folders without the right to execute.
  for (const std::string& folder :
       {std::string("/var/tmp"), temporary, std::string("/run"), std::string("/dev/shm")}) {
    if (!acts) acts = act_in(folder);
  }
  return with_context(std::move(acts), "self-test");
}

std::vector<EventKind> missing_kinds(const SelfTestActs& acts, const std::vector<Event>& events) {
  const uint32_t self = static_cast<uint32_t>(::getpid());
  const auto is_seen = [&](EventKind kind, uint32_t pid) {
    return std::ranges::any_of(events, [&](const Event& event) {
      // Where the kernel's own mappings are seen, the child was the first to map it.
      const bool is_first_map = kind == EventKind::kMap && event.process.pid == acts.child_pid;
      return event.kind == kind && (event.process.pid == pid || is_first_map) &&
             (kind == EventKind::kListen ? event.port == acts.port
              : event.path.empty()       ? kind == EventKind::kFork || kind == EventKind::kExit
                                         : event.path == acts.path);
    });
  };
  std::vector<EventKind> missing;
  for (const EventKind kind : {EventKind::kFork, EventKind::kExec, EventKind::kExit}) {
    if (!is_seen(kind, acts.child_pid)) missing.push_back(kind);
  }
  // The page cache's tracepoints do not see what is read from memory.
  if (!acts.is_in_memory && !is_seen(EventKind::kOpen, self)) missing.push_back(EventKind::kOpen);
  if (!is_seen(EventKind::kMap, self)) missing.push_back(EventKind::kMap);
  if (acts.port != 0 && !is_seen(EventKind::kListen, self)) missing.push_back(EventKind::kListen);
  return missing;
}

bool is_of_self_test(const SelfTestActs& acts, const Event& event) {
  return event.process.pid == acts.child_pid || event.path == acts.path ||
         (event.kind == EventKind::kListen && event.port == acts.port &&
          event.process.pid == static_cast<uint32_t>(::getpid()));
}

}  // namespace vigil::sensor
