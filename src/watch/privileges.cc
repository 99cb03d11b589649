#include "watch/privileges.h"

#include <linux/capability.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace vigil::watch {

namespace {

constexpr KeptCapability kKept[] = {
    {CAP_DAC_READ_SEARCH, "CAP_DAC_READ_SEARCH", "reads what runtimes and containers keep"},
    {CAP_SYS_PTRACE, "CAP_SYS_PTRACE", "looks at processes' roots, mappings and namespaces"},
    {CAP_BPF, "CAP_BPF", "reads what the sensor's programs report"},
    {CAP_PERFMON, "CAP_PERFMON", "runs the sensor's iterators, reads perf's records"},
    {CAP_SYS_ADMIN, "CAP_SYS_ADMIN",
     "mounts layers for an inventory, unseen by others; marks files where there is no BPF"},
    {CAP_SYS_CHROOT, "CAP_SYS_CHROOT", "the same, on the host, from a container"},
    {CAP_SETUID, "CAP_SETUID", "lets the parsing child become nobody"},
    {CAP_SETGID, "CAP_SETGID", "the same"},
    {CAP_KILL, "CAP_KILL", "stops a parsing child that takes too long"},
};

}  // namespace

std::span<const KeptCapability> kept_capabilities() {
  return kKept;
}

Status drop_privileges() {
  __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct data[2] = {};
  if (::syscall(SYS_capget, &header, data) != 0)
    return fail_errno("cannot read capabilities", errno);
  uint32_t kept[2] = {};
  for (const KeptCapability& one : kKept) kept[one.number / 32] |= 1u << (one.number % 32);
  for (int i = 0; i < 2; ++i) {
    data[i].permitted &= kept[i];
    data[i].effective = data[i].permitted;
    data[i].inheritable = 0;
  }
  if (::syscall(SYS_capset, &header, data) != 0) {
    return fail_errno("cannot give up capabilities", errno);
  }
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    return fail_errno("cannot forbid new privileges", errno);
  }
  return {};
}

}  // namespace vigil::watch
