#include "sensor/container_index.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

namespace vigil::sensor {
namespace {

namespace fs = std::filesystem;

constexpr uint32_t kHostMounts = 4026531840;
constexpr uint32_t kMounts = 4026532177;
const std::string kId(64, 'a');

// A host made of folders: runtimes' notes below `root`, processes below `proc`. Its cgroups are
// those that /proc/PID/cgroup tells; looking one up by its number needs a kernel's own
// (tests/containers).
class ContainerIndexTest : public testing::Test {
 protected:
  ContainerIndexTest() {
    std::string made = fs::canonical(fs::temp_directory_path()) / "vigil-index-XXXXXX";
    root_ = ::mkdtemp(made.data());
    fs::create_directories(root_ + "/proc");
    // What a descriptor's path says begins at the test's own root, not at this host's.
    fs::create_directories(fs::path(root_ + root_).parent_path());
    fs::create_directory_symlink(root_, root_ + root_);
    add_process(1, kHostMounts, "0::/init.scope\n", root_);
  }
  ~ContainerIndexTest() override { fs::remove_all(root_); }

  void write(const std::string& path, const std::string& text) const {
    fs::create_directories(fs::path(root_ + path).parent_path());
    std::ofstream(root_ + path) << text;
  }

  void add_process(uint32_t pid, uint32_t mounts, const std::string& cgroups,
                   const std::string& its_root, const std::string& root_mount = "",
                   uint64_t ticks = 500) const {
    const std::string folder = "/proc/" + std::to_string(pid);
    write(folder + "/cgroup", cgroups);
    write(folder + "/mountinfo", root_mount);
    write(folder + "/stat", std::to_string(pid) +
                                " (a (b) c) S 1 1 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 " + "1 0 " +
                                std::to_string(ticks) + " 0 0\n");
    fs::create_directories(root_ + folder + "/ns");
    fs::create_symlink("mnt:[" + std::to_string(mounts) + "]", root_ + folder + "/ns/mnt");
    fs::create_directory_symlink(its_root, root_ + folder + "/root");
  }
  void end_process(uint32_t pid) const { fs::remove_all(root_ + "/proc/" + std::to_string(pid)); }

  // A container's process, with an overlay of two layers below `storage`.
  void add_container(uint32_t pid, const std::string& cgroups, const std::string& storage) const {
    for (const char* folder : {"/one/diff", "/two/diff", "/up/diff", "/up/merged"}) {
      fs::create_directories(root_ + storage + folder);
    }
    add_process(pid, kMounts, cgroups, root_ + storage + "/up/merged",
                "73 48 0:40 / / rw - overlay overlay rw,lowerdir=" + storage + "/two/diff:" +
                    storage + "/one/diff,upperdir=" + storage + "/up/diff,workdir=/w\n");
  }

  ContainerIndex index() const {
    HostFolders host;
    host.root = root_;
    host.proc = root_ + "/proc";
    host.mount_namespace = kHostMounts;
    struct stat status{};
    ::stat(root_.c_str(), &status);
    host.root_device = status.st_dev;
    host.root_inode = status.st_ino;
    return ContainerIndex(std::move(host));
  }

  static ProcessFacts process(uint32_t pid, uint32_t mounts = kMounts, uint64_t cgroup = 77) {
    ProcessFacts facts;
    facts.pid = pid;
    facts.mount_namespace = mounts;
    facts.cgroup_id = cgroup;
    return facts;
  }

  bool is_folder(const std::string& found, const std::string& wanted) const {
    std::error_code error;
    return fs::equivalent(found, root_ + wanted, error);
  }

  void expect_layers(const Workload& workload, const std::string& storage) const {
    ASSERT_EQ(workload.lower_folders.size(), 2u);
    EXPECT_TRUE(is_folder(workload.lower_folders[0], storage + "/two/diff"));
    EXPECT_TRUE(is_folder(workload.lower_folders[1], storage + "/one/diff"));
    EXPECT_TRUE(is_folder(workload.upper_folder, storage + "/up/diff"));
  }

  std::string root_;
};

// One cgroup2 hierarchy, version 1 alone, and both side by side.
std::string unified(const std::string& path) {
  return "0::" + path + "\n";
}
std::string version1(const std::string& path) {
  return "11:devices:" + path + "\n4:memory:" + path + "\n1:name=systemd:" + path + "\n";
}
std::string hybrid(const std::string& path) {
  return version1(path) + unified("/");
}

TEST_F(ContainerIndexTest, Podman) {
  const std::string storage = "/var/lib/containers/storage";
  for (const std::string& cgroups :
       {unified("/machine.slice/libpod-" + kId + ".scope/container"),
        version1("/libpod_parent/libpod-" + kId), hybrid("/libpod_parent/libpod-" + kId)}) {
    SCOPED_TRACE(cgroups);
    end_process(7);
    add_container(7, cgroups, storage + "/overlay");
    write(storage + "/overlay-containers/containers.json",
          R"([{"id":")" + kId + R"(","names":["web"],"image":")" + std::string(64, 'b') +
              R"(","layer":"up","metadata":"{\"image-name\":\"docker.io/library/nginx:1\"}"}])");
    ContainerIndex index = this->index();
    const Workload& workload = index.find(process(7));
    EXPECT_EQ(workload.id, kId);
    EXPECT_EQ(workload.runtime, Runtime::kPodman);
    EXPECT_EQ(workload.name, "web");
    EXPECT_EQ(workload.image, "docker.io/library/nginx:1");
    EXPECT_EQ(workload.image_digest, "sha256:" + std::string(64, 'b'));
    EXPECT_EQ(workload.init_pid, 7u);
    expect_layers(workload, storage + "/overlay");
    EXPECT_EQ(&index.find(process(7)), &workload);
  }
}

TEST_F(ContainerIndexTest, Docker) {
  const std::string data = "/data/docker";  // Not where it usually is: the layers tell.
  for (const std::string& cgroups : {unified("/system.slice/docker-" + kId + ".scope"),
                                     version1("/docker/" + kId), hybrid("/docker/" + kId)}) {
    SCOPED_TRACE(cgroups);
    end_process(7);
    add_container(7, cgroups, data + "/overlay2");
    fs::remove_all(root_ + data + "/containers");
    ContainerIndex index = this->index();
    const Workload& workload = index.find(process(7));
    EXPECT_EQ(workload.id, kId);
    EXPECT_EQ(workload.runtime, Runtime::kDocker);
    EXPECT_EQ(workload.name, "");
    expect_layers(workload, data + "/overlay2");
    // Docker writes it when the container has started.
    write(data + "/containers/" + kId + "/config.v2.json",
          R"({"Name":"/web","Config":{"Image":"nginx:1"},"State":{"Pid":7}})");
    EXPECT_THAT(index.refresh(1), testing::ElementsAre(&workload));
    EXPECT_EQ(workload.name, "web");
    EXPECT_EQ(workload.image, "nginx:1");
    EXPECT_TRUE(index.refresh(2).empty());
  }
}

TEST_F(ContainerIndexTest, Containerd) {
  const std::string snapshots =
      "/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots";
  const std::string pod = "/kubepods/besteffort/pod12-34/";
  for (const std::string& cgroups :
       {unified("/kubepods.slice/kubepods-pod12.slice/cri-containerd-" + kId + ".scope"),
        version1(pod + kId), hybrid(pod + kId),
        unified("/system.slice/kubepods-pod12.slice:cri-containerd:" + kId)}) {
    SCOPED_TRACE(cgroups);
    end_process(7);
    add_container(7, cgroups, snapshots);
    write("/run/containerd/runc/k8s.io/" + kId + "/state.json", R"({"init_process_pid":7})");
    write("/run/containerd/io.containerd.runtime.v2.task/k8s.io/" + kId + "/config.json",
          R"({"annotations":{"io.kubernetes.cri.image-name":"nginx:1",
              "io.kubernetes.cri.container-name":"web","io.kubernetes.cri.sandbox-name":"pod",
              "io.kubernetes.cri.sandbox-namespace":"shop"}})");
    ContainerIndex index = this->index();
    const Workload& workload = index.find(process(7));
    EXPECT_EQ(workload.id, kId);
    EXPECT_EQ(workload.runtime, Runtime::kContainerd);
    EXPECT_EQ(workload.name, "shop/pod/web");
    EXPECT_EQ(workload.image, "nginx:1");
    expect_layers(workload, snapshots);
  }
}

TEST_F(ContainerIndexTest, CriO) {
  const std::string storage = "/var/lib/containers/storage";
  for (const std::string& cgroups :
       {unified("/kubepods.slice/kubepods-pod12.slice/crio-" + kId + ".scope"),
        version1("/kubepods/pod12/crio-" + kId), hybrid("/kubepods/pod12/crio-" + kId)}) {
    SCOPED_TRACE(cgroups);
    end_process(7);
    add_container(7, cgroups, storage + "/overlay");
    write(storage + "/overlay-containers/containers.json",
          R"([{"id":")" + kId + R"(","layer":"up","names":["k8s_web_pod_shop_f00d_0"],)" +
              R"("metadata":"{\"image-name\":\"nginx:1\",\"metadata-name\":\"web\"}"}])");
    ContainerIndex index = this->index();
    const Workload& workload = index.find(process(7));
    EXPECT_EQ(workload.id, kId);
    EXPECT_EQ(workload.runtime, Runtime::kCrio);
    EXPECT_EQ(workload.name, "shop/pod/web");
    EXPECT_EQ(workload.image, "nginx:1");
    expect_layers(workload, storage + "/overlay");
  }
}

TEST_F(ContainerIndexTest, BareRunc) {
  for (const std::string& cgroups : {unified("/shop"), version1("/user.slice/shop"),
                                     hybrid("/shop"), unified("/system.slice/runc-shop.scope")}) {
    SCOPED_TRACE(cgroups);
    end_process(7);
    write("/bundle/rootfs/etc/passwd", "root");
    add_process(7, kMounts, cgroups, root_ + "/bundle/rootfs",
                "9 8 254:0 /x / rw - ext4 /dev/a rw\n");
    write("/run/runc/shop/state.json",
          R"({"init_process_pid":7,"config":{"rootfs":"/bundle/rootfs"}})");
    ContainerIndex index = this->index();
    const Workload& workload = index.find(process(7));
    EXPECT_EQ(workload.id, "shop");
    EXPECT_EQ(workload.runtime, Runtime::kRunc);
    EXPECT_EQ(workload.name, "shop");
    ASSERT_EQ(workload.lower_folders.size(), 1u);
    EXPECT_TRUE(is_folder(workload.lower_folders[0], "/bundle/rootfs"));
  }
}

TEST_F(ContainerIndexTest, WhatIsTheHosts) {
  add_process(5, kHostMounts, unified("/system.slice/ssh.service"), root_);
  add_process(6, kMounts, unified("/system.slice/nginx.service"), root_);  // PrivateTmp.
  ContainerIndex index = this->index();
  EXPECT_EQ(index.find(process(5, kHostMounts)).id, kHostId);
  EXPECT_EQ(index.find(process(6)).id, kHostId);
  EXPECT_EQ(index.known(kHostId)->runtime, Runtime::kHost);
  EXPECT_TRUE(index.refresh(1).empty());
}

TEST_F(ContainerIndexTest, ARuntimesProcessIsTheHostsUntilItHasItsRoot) {
  add_process(7, kMounts, unified("/system.slice/docker-" + kId + ".scope"), root_);
  ContainerIndex index = this->index();
  EXPECT_EQ(index.find(process(7)).id, kHostId);
  fs::remove(root_ + "/proc/7/root");
  fs::create_directories(root_ + "/merged");
  fs::create_directory_symlink(root_ + "/merged", root_ + "/proc/7/root");
  EXPECT_EQ(index.find(process(7)).id, kId);
}

TEST_F(ContainerIndexTest, WhatNoRuntimeKnowsIsAWorkloadAllTheSame) {
  fs::create_directories(root_ + "/jail");
  add_process(7, kMounts, unified("/user.slice"), root_ + "/jail");
  ContainerIndex index = this->index();
  const Workload& jail = index.find(process(7));
  EXPECT_EQ(jail.id, "mount:" + std::to_string(kMounts));
  EXPECT_EQ(jail.runtime, Runtime::kUnknown);
  // Gone before it was looked at.
  EXPECT_EQ(index.find(process(8, kMounts + 1, 99)).id, "cgroup:99");
  // In the root cgroup it could be anybody's: the host's.
  EXPECT_EQ(index.find(process(9, kMounts + 2, 1)).id, kHostId);
}

TEST_F(ContainerIndexTest, EndsAndStartsAgain) {
  const std::string cgroups = unified("/system.slice/docker-" + kId + ".scope");
  const std::string storage = "/var/lib/docker/overlay2";
  add_container(7, cgroups, storage);
  ContainerIndex index = this->index();
  ProcessFacts first = process(7);
  first.started_at = 1'000;
  const Workload& workload = index.find(first);
  const Result<Fd> root = index.open_root(workload);
  ASSERT_TRUE(root) << root.error().text();
  EXPECT_THAT(index.running_processes(),
              testing::UnorderedElementsAre(testing::Pair(1u, index.known(kHostId)),
                                            testing::Pair(7u, &workload)));
  index.refresh(1);
  EXPECT_EQ(workload.ended_at, 0);
  end_process(7);
  EXPECT_THAT(index.refresh(5'000), testing::ElementsAre(&workload));
  EXPECT_EQ(workload.ended_at, 5'000);
  EXPECT_EQ(index.open_root(workload).error().code, ErrorCode::kNotFound);
  // An event that comes late is of the one that ended.
  EXPECT_EQ(index.find(first).ended_at, 5'000);
  add_container(8, cgroups, storage);
  ProcessFacts second = process(8, kMounts, 78);
  second.started_at = 6'000;
  const Workload& again = index.find(second);
  EXPECT_EQ(again.id, kId);
  EXPECT_EQ(again.ended_at, 0);
  EXPECT_EQ(again.init_pid, 8u);
  index.forget(kId);
  EXPECT_EQ(index.known(kId), nullptr);
  EXPECT_EQ(index.all().size(), 1u);
}

// What `exec` of a runtime starts and ends before it is looked at has the cgroup of that runtime.
TEST_F(ContainerIndexTest, AProcessThatIsGoneBelongsWhereItsMountsAre) {
  const std::string cgroups = unified("/system.slice/docker-" + kId + ".scope");
  add_container(7, cgroups, "/var/lib/docker/overlay2");
  ContainerIndex index = this->index();
  EXPECT_EQ(index.find(process(8, kMounts, 1)).id, kHostId);
  EXPECT_EQ(index.find(process(7)).id, kId);
  index.refresh(1);
  EXPECT_EQ(index.find(process(9, kMounts, 1)).id, kId);
  EXPECT_EQ(index.find(process(9, kMounts + 1, 1)).id, kHostId);
  EXPECT_TRUE(index.could_be_anybodys(process(9, kMounts + 1, 1)));
  EXPECT_FALSE(index.could_be_anybodys(process(9, kHostMounts, 1)));
  EXPECT_FALSE(index.could_be_anybodys(process(7, kMounts, 1)));
  end_process(7);
  index.refresh(5'000);
  EXPECT_EQ(index.find(process(10, kMounts + 2, 1)).id, kHostId);
}

TEST_F(ContainerIndexTest, HostileNotesNameNothing) {
  add_container(7, unified("/system.slice/docker-" + kId + ".scope"), "/var/lib/docker/overlay2");
  write("/var/lib/docker/containers/" + kId + "/config.v2.json", "{\"Name\":[1,");
  write("/run/docker/runtime-runc/moby/" + kId + "/state.json", "\0\xff");
  write("/var/lib/containers/storage/overlay-containers/containers.json", "[[[[");
  ContainerIndex index = this->index();
  const Workload& workload = index.find(process(7));
  EXPECT_EQ(workload.id, kId);
  EXPECT_EQ(workload.name, "");
  expect_layers(workload, "/var/lib/docker/overlay2");
}

}  // namespace
}  // namespace vigil::sensor
