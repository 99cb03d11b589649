#include "sensor/cgroup_path.h"

#include <gtest/gtest.h>

#include "base/limits.h"

namespace vigil::sensor {
namespace {

const std::string kId = "2dc419a58148abd9fe1e14c862afeb822bb780e3b57d925d19b0bb0e4b376b72";
const std::string kOther = std::string(64, 'a');

TEST(CgroupPath, NoContainerOwnsTheHostsCgroups) {
  for (const std::string& path : std::vector<std::string>{
           "", "/", "/system.slice/ssh.service", "/user.slice/user-0.slice/session-3.scope",
           "/libpod_parent/conmon/" + kId.substr(1),
           "/machine.slice/libpod-conmon-" + kId + ".scope",
           "/system.slice/crio-conmon-" + kId + ".scope", "/libpod-" + kId.substr(1),
           "/docker/x" + kId, "/kubepods.slice/kubepods-pod1.slice:cri-containerd:nohex"}) {
    EXPECT_EQ(owner_of_cgroup(path), std::nullopt) << path;
  }
}

TEST(CgroupPath, EachRuntimeWritesItsIdInItsWay) {
  const std::pair<std::string, Runtime> cases[] = {
      {"/libpod_parent/libpod-" + kId, Runtime::kPodman},
      {"/machine.slice/libpod-" + kId + ".scope", Runtime::kPodman},
      {"/machine.slice/libpod-" + kId + ".scope/container", Runtime::kPodman},
      {"/machine.slice/libpod-" + kId + ".scope/libpod-payload-" + kId, Runtime::kPodman},
      {"/docker/" + kId, Runtime::kDocker},
      {"/system.slice/docker-" + kId + ".scope", Runtime::kDocker},
      {"/kubepods/burstable/pod12-3/" + kId, Runtime::kUnknown},
      {"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod12_3.slice/"
       "cri-containerd-" +
           kId + ".scope",
       Runtime::kContainerd},
      {"/kubepods.slice/kubepods-pod12_3.slice/crio-" + kId + ".scope", Runtime::kCrio},
      {"/system.slice/kubepods-pod1.slice:cri-containerd:" + kId, Runtime::kContainerd},
      {"/../libpod_parent/libpod-" + kId, Runtime::kPodman},       // From another cgroup namespace.
      {"/docker/" + kOther + "/docker/" + kId, Runtime::kDocker},  // A container in a container.
  };
  for (const auto& [path, runtime] : cases) {
    EXPECT_EQ(owner_of_cgroup(path), (CgroupOwner{runtime, kId})) << path;
  }
}

TEST(CgroupPath, LinesThatAreNoneAreLeftOut) {
  EXPECT_EQ(parse_cgroup_file("x\n1:\n2:cpu\n3:cpu:relative\n\n0::/a:b\n"),
            (std::vector<CgroupLine>{{"", "/a:b"}}));
  std::string many;
  for (int i = 0; i < 1000; ++i) many += "1:cpu:/x\n";
  EXPECT_EQ(parse_cgroup_file(many).size(), limits::kCgroupLinesMax);
}

TEST(CgroupPath, ThePathThatTellsMostComesFirst) {
  const auto ranked = [](const std::string& text) {
    return ranked_cgroup_paths(parse_cgroup_file(text));
  };
  using Paths = std::vector<std::string>;
  EXPECT_EQ(ranked(""), Paths());
  EXPECT_EQ(ranked("3:cpu:/x\n4:memory:/user\n0::/\n2:pids:/x\n"), (Paths{"/", "/user", "/x"}));
  // A hybrid host whose runtime knows version 1 only.
  EXPECT_EQ(ranked("4:memory:/docker/" + kId + "\n0::/\n"), (Paths{"/docker/" + kId, "/"}));
}

}  // namespace
}  // namespace vigil::sensor
