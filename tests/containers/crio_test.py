#!/usr/bin/env python3
"""What is in use in pods of CRI-O, as runtimes_test.py has it of the other runtimes.

usage: tests/containers/crio_test.py [-v] PROGRAM

Needs root, build/fixtures/containers (tests/containers/make_images) and build/fixtures/crio
(tests/containers/get_crio).
"""
import json
import os
import signal
import sys
import unittest

import containers_test
import cri
import runtimes_test
from containers_test import run


class Crio(runtimes_test.Pods):
    """Its storage is podman's in form, and podman loads the image into it."""

    RUNTIME = "cri-o"
    CONFIG = """[crio]
root = "{folder}/storage"
runroot = "{folder}/run"
storage_driver = "overlay"
log_dir = "{folder}/logs"
version_file = "{folder}/version"
clean_shutdown_file = "{folder}/clean"
[crio.api]
listen = "{folder}/crio.sock"
[crio.runtime]
cgroup_manager = "cgroupfs"
conmon_cgroup = "pod"
pinns_path = "{programs}/pinns"
namespaces_dir = "{folder}/ns"
container_exits_dir = "{folder}/exits"
container_attach_socket_dir = "{folder}/attach"
default_runtime = "runc"
[crio.runtime.runtimes.runc]
runtime_root = "{folder}/runc"
[crio.image]
pause_image = "{image}"
pause_command = "/usr/bin/sleep"
signature_policy = "{folder}/policy.json"
[crio.network]
network_dir = "{folder}/net"
plugin_dirs = ["{folder}/cni"]
"""

    def start_all(self):
        for one in ("net", "cni"):
            os.mkdir(f"{self.folder}/{one}")
        with open(self.folder + "/policy.json", "w", encoding="ascii") as file:
            file.write('{"default":[{"type":"insecureAcceptAnything"}]}')
        with open(self.folder + "/config", "w", encoding="ascii") as file:
            file.write(self.CONFIG.format(folder=self.folder, programs=runtimes_test.CRIO,
                                          image=runtimes_test.IMAGE))
        self.start("crio")

    def start(self, name):
        self.start_one(name, "--config", self.folder + "/config", "--config-dir", "",
                       is_ready=self.answers)

    def answers(self):
        try:
            return cri.call(self.address(), "Version", b"")
        except OSError:
            return False

    def address(self):
        return self.folder + "/crio.sock"

    def load(self, archive):
        run("podman", "--root", self.folder + "/storage", "--runroot", self.folder + "/run",
            "load", "-q", "-i", archive)

    def pids(self, name):
        return json.loads(run("runc", "--root", self.folder + "/runc", "ps", "-f", "json", name))


class CrioTest(runtimes_test.PodChecks, runtimes_test.RuntimeCase):
    KIND = Crio

    def test_the_daemon_is_stopped_and_started(self):
        self.check_daemon_gone_and_back("crio", signal.SIGTERM)

    def test_the_daemon_is_killed_and_started(self):
        self.check_daemon_gone_and_back("crio", signal.SIGKILL)


if __name__ == "__main__":
    containers_test.program = os.path.abspath(sys.argv.pop())
    containers_test.check_machine()
    unittest.main()
