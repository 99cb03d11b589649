#include "sensor/process_connector.h"

#include <gtest/gtest.h>
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/netlink.h>

#include <string>

namespace vigil::sensor {
namespace {

using Kind = ProcessNotice::Kind;

std::string message(const proc_event& event) {
  nlmsghdr header{};
  cn_msg body{};
  header.nlmsg_len = sizeof header + sizeof body + sizeof event;
  body.len = sizeof event;
  std::string bytes(reinterpret_cast<const char*>(&header), sizeof header);
  bytes.append(reinterpret_cast<const char*>(&body), sizeof body);
  bytes.append(reinterpret_cast<const char*>(&event), sizeof event);
  bytes.resize(NLMSG_ALIGN(bytes.size()));
  return bytes;
}

std::string exec_of(int pid) {
  proc_event event{};
  event.what = proc_event::PROC_EVENT_EXEC;
  event.event_data.exec.process_pid = event.event_data.exec.process_tgid = pid;
  return message(event);
}

std::string exit_of(int thread, int pid) {
  proc_event event{};
  event.what = proc_event::PROC_EVENT_EXIT;
  event.event_data.exit.process_pid = thread;
  event.event_data.exit.process_tgid = pid;
  return message(event);
}

std::vector<ProcessNotice> decoded(const std::string& datagram) {
  return decode_notices(as_bytes(datagram));
}

TEST(ProcessConnector, ProgramsBegunAndProcessesEnded) {
  const std::vector<ProcessNotice> expected = {{Kind::kExec, 7}, {Kind::kExit, 7}};
  EXPECT_EQ(decoded(exec_of(7) + exit_of(8, 7) + exit_of(7, 7)), expected);
}

TEST(ProcessConnector, OtherNoticesAreLeftOut) {
  proc_event event{};
  event.what = proc_event::PROC_EVENT_FORK;
  EXPECT_EQ(decoded(message(event)).size(), 0u);
  EXPECT_EQ(decoded("").size(), 0u);
}

TEST(ProcessConnector, WhatIsCutShortIsNothing) {
  const std::string whole = exec_of(7);
  for (size_t bytes = 0; bytes + NLMSG_ALIGNTO < whole.size(); bytes++) {
    EXPECT_EQ(decoded(whole.substr(0, bytes)).size(), 0u) << bytes;
  }
}

}  // namespace
}  // namespace vigil::sensor
