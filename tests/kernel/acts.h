// Things that processes do, for a sensor to see. Each runs in a child of its own, most of them in a
// mount namespace of their own, so that whatever they touch is a first sighting.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

namespace vigil::kernel_test {

// A folder that goes with what is in it.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const std::string& path() const { return path_; }
  std::string file(const std::string& name, const std::string& content = "x") const;

 private:
  std::string path_;
};

// A child that runs `act`; its exit status is 0 where the act returns true.
class Child {
 public:
  explicit Child(const std::function<bool()>& act);
  ~Child() { end(); }
  void end();  // Kills it where it was not waited for.
  uint32_t pid() const { return static_cast<uint32_t>(pid_); }
  bool wait();

 private:
  int pid_ = -1;
};

bool own_mounts();   // A mount namespace of its own, private.
bool own_network();  // A network namespace of its own, with a loopback.
bool mount_overlay(const std::string& lower, const std::string& upper, const std::string& work,
                   const std::string& place);

// Files are opened to be read only, and a byte of each is read.
bool read_a_byte(int fd);
bool read_at(const std::string& path);
bool read_through_ring(const std::string& path);  // io_uring opens it.
bool has_file_handles(const std::string& folder);
bool read_by_handle(const std::string& path);
bool touch(const void* mapping);  // Reads its first byte; false where it is none.
bool map_code(const std::string& path);
bool map_then_protect(const std::string& path);

struct StatOf {
  uint64_t device = 0, inode = 0;
  explicit StatOf(const std::string& path);
};

}  // namespace vigil::kernel_test
