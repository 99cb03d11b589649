#!/usr/bin/env python3
"""What is in use in containers of Docker and containerd, and in pods; their daemons come and go.

usage: tests/containers/runtimes_test.py [-v] PROGRAM

Needs root and build/fixtures/containers (tests/containers/make_images). Each daemon has all that it
keeps in a folder of its own, and is gone with it.
"""
import glob
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

import containers_test
import cri
from containers_test import (FIXTURE, PODMAN, TREE, AgentInContainer, Case, mapped_code, owners,
                             package, run, used, wait_for)

RUNTIMES = os.path.join(FIXTURE, "runtimes")
CRIO = os.path.join(TREE, "build/fixtures/crio")
IMAGE = "localhost/vigil-debian:1"
# What daemons and shims make wherever they are told to keep things.
FIXED_FOLDERS = ("/run/containerd/runc/vigil-test", "/run/containerd/runc/k8s.io",
                 "/run/containerd/runc", "/run/containerd/s",
                 "/run/containerd/fifo", "/run/containerd", "/run/docker/plugins", "/run/docker")
ENVIRONMENT = {**os.environ, "PATH": ":".join((RUNTIMES + "/usr/bin", RUNTIMES + "/usr/sbin", CRIO,
                                              os.environ["PATH"]))}


def image_digest():
    return "sha256:" + run(*PODMAN, "image", "inspect", "-f", "{{.Id}}", IMAGE).strip()


def mount_points():
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        return [line.split()[4] for line in file]


def command_lines():
    for name in os.listdir("/proc"):
        try:
            with open(f"/proc/{name}/cmdline", encoding="utf-8", errors="replace") as file:
                yield int(name), file.read()
        except (OSError, ValueError):
            pass


class Daemon:
    """A runtime's daemon, what it has started and the folders of both."""

    CGROUPS = ()

    def __init__(self):
        # Sockets' names have a hundred letters at most.
        self.folder = tempfile.mkdtemp(prefix="vigil_")
        self.there_before = {path for path in self.shared_folders() if os.path.exists(path)}
        self.processes = {}

    def shared_folders(self):
        roots = ["/sys/fs/cgroup", *glob.glob("/sys/fs/cgroup/*/")]
        return [*FIXED_FOLDERS, *(os.path.join(root, name) for root in roots
                                  for name in self.CGROUPS)]

    def start_all(self):
        raise NotImplementedError

    def remove_containers(self):
        raise NotImplementedError

    def start_one(self, name, *words, is_ready):
        log_path = f"{self.folder}/{name}.log"
        with open(log_path, "ab") as log:
            process = subprocess.Popen([name, *words], stdin=subprocess.DEVNULL, stdout=log,
                                       stderr=log, env=ENVIRONMENT, start_new_session=True)
        self.processes[name] = process
        wait_for(f"{name} is ready", lambda: process.poll() is not None or is_ready(), 60)
        if process.poll() is not None:
            with open(log_path, encoding="utf-8", errors="replace") as log:
                raise AssertionError(f"{name} ended\n{log.read()[-4000:]}")

    def stop(self, name, how=signal.SIGTERM):
        self.processes[name].send_signal(how)
        self.processes.pop(name).wait(timeout=60)

    def remove(self):
        try:
            self.remove_containers()
        finally:
            for name in list(reversed(self.processes)):
                self.stop(name)
            # Shims outlive the daemon; each names its folder.
            for pid, words in command_lines():
                if self.folder + "/" in words:
                    os.kill(pid, signal.SIGKILL)
            for path in reversed(mount_points()):
                if path.startswith(self.folder + "/"):
                    run("umount", "-l", path, check=False)
            shutil.rmtree(self.folder)
            for path in self.shared_folders():
                if path not in self.there_before and os.path.isdir(path):
                    wait_for(f"{path} can go", lambda one=path: is_removed(one))


def is_removed(cgroup):
    """Removes it; one whose last process has just ended may be busy yet."""
    try:
        os.rmdir(cgroup)
    except OSError as error:
        if error.errno != errno.EBUSY:
            raise
        return False
    return True


class Containerd(Daemon):
    RUNTIME = "containerd"  # As the agent calls it.
    NAMESPACE = "vigil-test"
    CGROUPS = (NAMESPACE,)
    # Kubernetes' part: with an image of our own for the pods themselves, and no right that root of
    # a container may not have.
    CONFIG = f"""version = 2
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{IMAGE}"
restrict_oom_score_adj = true
"""

    def start_all(self):
        self.start("containerd")

    def start(self, name):
        assert name == "containerd", name
        with open(self.folder + "/config", "w", encoding="ascii") as file:
            file.write(self.CONFIG)
        self.start_one("containerd", "--config", self.folder + "/config", "--root",
                       self.folder + "/root", "--state", self.folder + "/state", "--address",
                       self.address(),
                       is_ready=lambda: self.ctr("plugins", "ls", check=False))

    def address(self):
        return self.folder + "/containerd.sock"

    def ctr(self, *words, check=True):
        return run("ctr", "-a", self.address(), "-n", self.NAMESPACE, *words, check=check,
                   env=ENVIRONMENT).strip()

    def load(self, archive):
        self.ctr("images", "import", archive)

    def full_name(self, name):
        return name

    def mount_option(self, folder):
        return ["--mount", f"type=bind,src={folder},dst=/flags,options=rbind"]

    def run(self, name, *words, options=()):
        self.ctr("run", "-d", "--null-io", *options, IMAGE, name, *words)

    def pids(self, name):
        return [int(line.split()[0]) for line in self.ctr("tasks", "ps", name).splitlines()[1:]]

    def remove_one(self, name):
        self.ctr("tasks", "kill", "-s", "KILL", name, check=False)
        wait_for("the task is gone",
                 lambda: name not in self.ctr("tasks", "ls", "-q").split()
                 or self.ctr("tasks", "rm", name, check=False))
        self.ctr("containers", "rm", name)

    def remove_containers(self):
        if "containerd" in self.processes:
            for one in self.ctr("containers", "ls", "-q").split():
                self.remove_one(one)


class Pods(Containerd):
    """As a kubelet uses containerd."""

    NAMESPACE = "k8s.io"
    GROUP = "kubepods/besteffort/podvigil-test"
    CGROUPS = (GROUP, "kubepods/besteffort", "kubepods")

    def __init__(self):
        self.sandboxes = {}
        super().__init__()

    def config(self, pod):
        return cri.sandbox_config("shop", pod, "/" + self.GROUP)

    def mount_option(self, folder):
        return [("/flags", folder)]

    def full_name(self, name):
        return f"shop/{name}-0/{name}"

    def run(self, name, *words, options=()):
        """A container `name` in a pod NAME-0; its id."""
        config = self.config(name + "-0")
        self.sandboxes[name] = cri.run_pod(self.address(), config)
        return cri.run_container(self.address(), self.sandboxes[name], config, name, IMAGE, words,
                                 options)

    def remove_one(self, name):
        cri.remove_pod(self.address(), self.sandboxes.pop(name))

    def remove_containers(self):
        for name in list(self.sandboxes):
            self.remove_one(name)


class Docker(Containerd):
    """As Debian runs it: beside containerd, each a service of its own."""

    CGROUPS = ("docker",)

    def start_all(self):
        self.start("containerd")
        self.start("dockerd")

    def start(self, name):
        if name == "containerd":
            super().start(name)
            if "dockerd" in self.processes:
                # It finds containerd again when it next looks.
                wait_for("Docker starts containers again", lambda: self.docker(
                    "run", "--rm", "--network", "none", IMAGE, "echo", "yes", check=False))
            return
        with open(self.folder + "/docker.json", "w", encoding="ascii") as file:
            file.write("{}")
        self.start_one("dockerd", "--iptables=false", "--bridge=none", "--live-restore",
                       "--containerd", self.address(), "--config-file",
                       self.folder + "/docker.json", "--data-root", self.folder + "/data",
                       "--exec-root", self.folder + "/exec", "--pidfile", self.folder + "/pid",
                       "-H", f"unix://{self.folder}/docker.sock",
                       is_ready=lambda: self.docker("version", "-f", "{{.Server.Version}}",
                                                    check=False))

    def words(self):
        return [RUNTIMES + "/usr/bin/docker", "-H", f"unix://{self.folder}/docker.sock"]

    def docker(self, *words, check=True):
        return run(*self.words(), *words, check=check).strip()

    def load(self, archive):
        self.docker("load", "-q", "-i", archive)

    def mount_option(self, folder):
        return ["-v", folder + ":/flags"]

    def run(self, name, *words, options=()):
        return self.docker("run", "-d", "--network", "none", "--name", name, *options, IMAGE,
                           *words)

    def pids(self, name):
        return [int(pid) for pid in self.docker("top", name, "-o", "pid").split()[1:]]

    def remove_containers(self):
        if "dockerd" in self.processes:
            for one in self.docker("ps", "-aq").split():
                self.docker("rm", "-f", one)


class RuntimeCase(Case):
    """One daemon for all tests of a class, which leave it running and empty."""

    KIND = None

    @classmethod
    def setUpClass(cls):
        folder = tempfile.mkdtemp(prefix="vigil_image_")
        cls.addClassCleanup(shutil.rmtree, folder)
        run(*PODMAN, "save", "-q", "-o", folder + "/image.tar", IMAGE)
        cls.runtime = cls.KIND()
        cls.addClassCleanup(cls.runtime.remove)
        cls.runtime.start_all()
        cls.runtime.load(folder + "/image.tar")

    def setUp(self):
        self.addCleanup(self.runtime.remove_containers)

    def check_use(self, exposure, *more):
        """What is used is what the kernel has mapped, and `more` that has ended."""
        expected = owners(mapped_code(self.runtime.pids(exposure["workload"]["id"])))
        self.assertLessEqual({"perl-base", "libc6"}, expected)
        self.assertEqual(used(exposure), expected | set(more))
        self.assertEqual(used(exposure, "unknown"), set())
        self.assertEqual(exposure["coverage"]["attach"], "from_start")

    def check_daemon_gone_and_back(self, daemon, how):
        """Names, images and evidence while a daemon is away, and after."""
        runtime = self.runtime
        agent = self.agent()
        flags = tempfile.mkdtemp(prefix="vigil_flags_")
        self.addCleanup(shutil.rmtree, flags)
        wait = "until [ -e /flags/go ]; do sleep 0.1; done; exec perl -e 'sleep 1000'"
        through, then = runtime.full_name("through"), runtime.full_name("later")
        runtime.run("through", "sh", "-c", wait, options=runtime.mount_option(flags))
        before = agent.with_inventory(through, lambda one: "coreutils" in used(one)
                                      and "image" in one["workload"])
        self.assertNotIn("perl-base", used(before))
        runtime.stop(daemon, how)
        with open(flags + "/go", "wb"):
            pass
        away = agent.with_inventory(through, lambda one: "perl-base" in used(one))
        self.assertEqual(away["workload"], before["workload"])
        runtime.start(daemon)
        runtime.run("later", "perl", "-e", "sleep 1000")
        later = agent.with_inventory(then, lambda one: "perl-base" in used(one)
                                     and "image" in one["workload"])
        self.check_use(later)
        self.assertEqual(later["workload"]["image"], IMAGE)
        after = agent.exposure(through)
        self.check_use(after, "dash", "coreutils")
        self.assertEqual(after["workload"], before["workload"])
        self.assertEqual(after["coverage"]["gaps"], [])


class DockerTest(RuntimeCase):
    KIND = Docker

    def test_a_container_is_named_and_its_packages_found(self):
        docker = self.runtime
        agent = self.agent()
        identity = docker.run("named", "perl", "-e", "sleep 1000")
        exposure = agent.with_inventory("named", lambda one: "perl-base" in used(one))
        workload = exposure["workload"]
        self.assertEqual([workload[one] for one in ("id", "runtime", "name", "image")],
                         [identity, "docker", "named", IMAGE])
        self.assertEqual(workload["image_digest"],
                         docker.docker("inspect", "-f", "{{.Image}}", "named"))
        self.check_use(exposure)
        docker.docker("exec", "named", "gzip", "--version")
        exposure = agent.with_inventory("named", lambda one: "gzip" in used(one))
        self.assertEqual(package(exposure, "gzip")["tier"], "executed")
        docker.docker("stop", "-t", "0", "named")
        wait_for("its end is seen", lambda: "ended_at" in agent.exposure("named")["workload"])

    def test_the_agent_in_a_container_sees_its_neighbours(self):
        docker = self.runtime
        folder = self.folder()
        self.addCleanup(AgentInContainer.remove, docker.words())
        agent = AgentInContainer(folder, docker.words())
        identity = docker.run("neighbour", "perl", "-e", "sleep 1000")
        exposure = agent.with_inventory("neighbour", lambda one: "perl-base" in used(one))
        self.assertEqual([exposure["workload"][one] for one in ("id", "runtime", "image")],
                         [identity, "docker", IMAGE])
        self.check_use(exposure)
        self.assertEqual(agent.stop(), 0)

    def test_one_that_ran_before_is_named_and_scanned(self):
        self.runtime.run("before", "perl", "-e", "sleep 1000")
        agent = self.agent()
        exposure = agent.with_inventory("before")
        self.assertEqual((exposure["workload"]["name"], exposure["workload"]["image"]),
                         ("before", IMAGE))
        self.assertEqual(exposure["coverage"]["attach"], "snapshot")
        self.assertEqual(used(exposure), owners(mapped_code(self.runtime.pids("before"))))
        told = run(containers_test.program, "sbom", "-q", "-o", "json", "container:before")
        self.assertIn('"perl-base"', told)

    def test_the_daemon_is_stopped_and_started(self):
        self.check_daemon_gone_and_back("dockerd", signal.SIGTERM)

    def test_the_daemon_is_killed_and_started(self):
        self.check_daemon_gone_and_back("dockerd", signal.SIGKILL)

    def test_the_daemon_beneath_is_killed_and_started(self):
        self.check_daemon_gone_and_back("containerd", signal.SIGKILL)


class ContainerdTest(RuntimeCase):
    KIND = Containerd

    def test_a_container_is_named_and_its_packages_found(self):
        agent = self.agent()
        self.runtime.run("named", "perl", "-e", "sleep 1000")
        exposure = agent.with_inventory("named", lambda one: "perl-base" in used(one)
                                        and "image" in one["workload"])
        workload = exposure["workload"]
        self.assertEqual([workload[one] for one in ("id", "runtime", "name", "image")],
                         ["named", "containerd", "named", IMAGE])
        self.assertEqual(workload["image_digest"], image_digest())
        self.check_use(exposure)
        self.runtime.remove_one("named")
        wait_for("its end is seen", lambda: "ended_at" in agent.exposure("named")["workload"])

    def test_the_daemon_is_stopped_and_started(self):
        self.check_daemon_gone_and_back("containerd", signal.SIGTERM)

    def test_the_daemon_is_killed_and_started(self):
        self.check_daemon_gone_and_back("containerd", signal.SIGKILL)


class PodChecks:
    def test_a_container_of_a_pod_is_named(self):
        agent = self.agent()
        identity = self.runtime.run("web", "perl", "-e", "sleep 1000")
        exposure = agent.with_inventory("shop/web-0/web", lambda one: "perl-base" in used(one)
                                        and "image" in one["workload"])
        workload = exposure["workload"]
        self.assertEqual([workload[one] for one in ("id", "runtime", "name", "image")],
                         [identity, self.KIND.RUNTIME, "shop/web-0/web", IMAGE])
        self.assertEqual(workload["image_digest"], image_digest())
        self.check_use(exposure)
        self.runtime.remove_one("web")
        wait_for("its end is seen", lambda: "ended_at" in agent.exposure(identity)["workload"])


class PodTest(PodChecks, RuntimeCase):
    KIND = Pods

    def test_what_holds_the_pod_is_named(self):
        agent = self.agent()
        self.runtime.run("web", "perl", "-e", "sleep 1000")
        pod = agent.with_inventory("shop/web-0", lambda one: "image" in one["workload"])
        self.assertEqual(pod["workload"]["id"], self.runtime.sandboxes["web"])
        self.assertEqual(pod["workload"]["image_digest"], image_digest())
        self.assertNotIn("perl-base", used(pod))


if __name__ == "__main__":
    containers_test.program = os.path.abspath(sys.argv.pop())
    containers_test.check_machine()
    unittest.main()
