#!/usr/bin/env python3
"""What is in use, on real containers: podman with runc, and bare runc.

usage: tests/containers/containers_test.py [-v] PROGRAM

Needs root and build/fixtures/containers (tests/containers/make_images). What the agent says is
compared with /proc/PID/maps and dpkg -S.
"""
import contextlib
import glob
import json
import os
import re
import shlex
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest

TREE = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
FIXTURE = os.path.join(TREE, "build/fixtures/containers")
ROOTFS = os.path.join(FIXTURE, "rootfs")
PODMAN = ["podman", "--root", FIXTURE + "/storage", "--runroot", FIXTURE + "/run"]
ULIMITS = ["--runtime", "runc", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"]
LIMITS = [*ULIMITS, "--network", "none"]
WEB, MORE, SMALL = "localhost/vigil-web:1", "localhost/vigil-more:1", "localhost/vigil-small:1"
PATIENCE_SECONDS = 60
FUNNEL = ("all", "fixable", "in_use", "in_use_exploitable", "in_use_exploitable_exposed")

program = ""


def run(*words, check=True, **options):
    done = subprocess.run(words, capture_output=True, text=True, timeout=120,
                          stdin=subprocess.DEVNULL, **options)
    if check and done.returncode != 0:
        raise AssertionError(f"{words}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def wait_for(what, told, seconds=PATIENCE_SECONDS):
    """The first answer of told() that is not empty."""
    end = time.monotonic() + seconds
    while True:
        answer = told()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"{what}: not within {seconds} s")
        time.sleep(0.02)


def tracker(**affected):
    """A Debian tracker: source package to ids that its version in bookworm has."""
    return {source: {one: {"releases": {"bookworm": {"status": "open", "urgency": "high",
                                                     "repositories": {}}}}
                     for one in ids} for source, ids in affected.items()}


def install_database(folder, issues):
    """When it was there, on the monotonic clock."""
    with tempfile.TemporaryDirectory() as feeds:
        os.makedirs(feeds + "/debian")
        with open(feeds + "/debian/tracker.json", "w", encoding="ascii") as file:
            json.dump(issues, file)
        built = tempfile.mkdtemp(dir=os.path.dirname(folder))
        run(program, "db", "build", "-q", "--feeds", feeds, "--out", built)
    # As `db update` does: new shards beside the old ones, then the manifest.
    os.makedirs(folder + "/shards", exist_ok=True)
    for shard in os.listdir(built + "/shards"):
        shutil.copy(built + "/shards/" + shard, folder + "/shards/" + shard)
    shutil.copy(built + "/manifest.json", folder + "/manifest.new")
    installed = time.monotonic()
    os.rename(folder + "/manifest.new", folder + "/manifest.json")
    shutil.rmtree(built)
    return installed


ISSUES = tracker(nginx=["CVE-2099-0001", "CVE-2099-0002"], git=["CVE-2099-0003"],
                 glibc=["CVE-2099-0004"], sqlite3=["CVE-2099-0005"])


class Agent:
    """A running `vigil watch`, its lines and its messages."""

    def __init__(self, folder, *words):
        self.folder = folder
        self.lines_path, self.messages_path = folder + "/lines", folder + "/messages"
        self.start(*words)

    def start(self, *words):
        with open(self.lines_path, "ab") as lines, open(self.messages_path, "ab") as messages:
            before = messages.tell()
            self.process = subprocess.Popen(
                [program, "watch", "--state", self.folder + "/state", "--db", self.folder + "/db",
                 "--window", "1s", *words], stdout=lines, stderr=messages,
                stdin=subprocess.DEVNULL)
        wait_for("the agent is ready",
                 lambda: self.process.poll() is None and "ready" in self.messages()[before:])

    def messages(self):
        with open(self.messages_path, encoding="utf-8") as file:
            return file.read()

    def lines(self):
        with open(self.lines_path, encoding="utf-8") as file:
            return [json.loads(line) for line in file if line.endswith("\n")]

    def stop(self, how=signal.SIGTERM):
        self.process.send_signal(how)
        return self.process.wait(timeout=30)

    def exposure(self, workload, window="1s"):
        done = subprocess.run(
            [program, "exposure", workload, "--state", self.folder + "/state", "--db",
             self.folder + "/db", "--window", window, "-o", "json"], capture_output=True, text=True,
            timeout=60)
        return json.loads(done.stdout) if done.returncode == 0 else {}

    def with_inventory(self, workload, ready=lambda exposure: True, window="1s"):
        """Its exposure, once its packages are known and ready() says so."""
        def look():
            exposure = self.exposure(workload, window)
            return exposure if exposure.get("packages") and ready(exposure) else None
        return wait_for(f"the exposure of {workload}", look)


def used(exposure, *verdicts):
    return {package["name"] for package in exposure["packages"]
            if package["verdict"] in (verdicts or ("in_use",))}


def package(exposure, name):
    return next(one for one in exposure["packages"] if one["name"] == name)


def paths(evidence):
    return {"/" + one["path"].lstrip("/") for one in evidence}


def owners(files):
    """dpkg's own answer, inside the image; merged /usr is told by its older names."""
    names = set()
    for path in files:
        asked = [path, path.removeprefix("/usr"), "/usr" + path]
        for one in asked:
            told = run("chroot", ROOTFS, "dpkg", "-S", one, check=False)
            if told:
                names.update(name.split(":")[0].strip() for name in told.split(": /")[0].split(","))
                break
    return names


def mapped_code(pids):
    files = set()
    for pid in pids:
        with open(f"/proc/{pid}/maps", encoding="utf-8") as maps:
            for line in maps:
                words = line.split(maxsplit=5)
                if len(words) == 6 and "x" in words[1] and words[5].startswith("/"):
                    files.add(words[5].strip())
    return files


def is_in_chroot():
    """Whether / is a folder of this mount namespace and not its root, which is where those who
    enter the namespace get."""
    root = os.stat("/")
    return run("nsenter", "--mount=/proc/self/ns/mnt", "stat", "-c", "%d:%i",
               "/").strip() != f"{root.st_dev}:{root.st_ino}"


def check_machine():
    """Ends the program where containers cannot be run, or not without harm."""
    if os.geteuid() != 0:
        print("skipped: the container tests need root")
        sys.exit(0)
    if is_in_chroot():
        # runc changes the root of a container's processes only, not that of its namespace: what
        # `exec` starts in there would act on the files of the machine itself.
        print("skipped: in a chroot, commands in a container would run on the machine's own root")
        sys.exit(0)


class Case(unittest.TestCase):
    maxDiff = None

    def folder(self):
        folder = tempfile.mkdtemp(prefix="vigil_containers_")
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        install_database(folder + "/db", ISSUES)
        return folder

    def agent(self, *words, folder=None):
        agent = Agent(folder or self.folder(), *words)
        self.addCleanup(lambda: agent.process.poll() is None and agent.stop(signal.SIGKILL))
        return agent

    def container(self, name, *words, image=WEB, options=()):
        """Starts it; it is removed at the end of the test. Its id."""
        run(*PODMAN, "rm", "-f", "-t", "0", name, check=False)
        self.addCleanup(run, *PODMAN, "rm", "-f", "-t", "0", name, check=False)
        return run(*PODMAN, "run", "-d", "--name", name, *LIMITS, *options, image, *words).strip()

    def pids(self, name):
        told = run(*PODMAN, "top", name, "hpid").split()[1:]
        return [int(pid) for pid in told]

    def need_small(self):
        if subprocess.run([*PODMAN, "image", "exists", SMALL], timeout=60).returncode != 0:
            self.skipTest("there was no Alpine root in ../shared/images")

    def inside(self, name, *words, check=True):
        return run(*PODMAN, "exec", name, *words, check=check)


class UseTest(Case):
    def test_a_web_server_among_a_hundred_packages(self):
        agent = self.agent()
        self.container("web", "nginx", "-g", "daemon off;")
        ask = "import urllib.request as web; print(web.urlopen('http://127.0.0.1/').read())"
        wait_for("nginx serves", lambda: "nginx" in run(
            "nsenter", "-n", "-t", str(self.pids("web")[0]), sys.executable, "-c", ask,
            check=False))
        exposure = agent.with_inventory("web", lambda one: package(one, "nginx")["facets"])
        # The oracle: what the kernel has mapped, and whose dpkg says that is.
        expected = owners(mapped_code(self.pids("web")))
        self.assertGreater(len(expected), 5)
        self.assertEqual(used(exposure), expected)
        with open(FIXTURE + "/packages_count", encoding="ascii") as file:
            count = int(file.read())
        self.assertGreater(count, 100)
        self.assertEqual(len(exposure["packages"]), count)
        self.assertEqual(used(exposure, "unknown"), set())
        self.assertEqual(len(used(exposure, "not_observed")), count - len(expected))
        nginx = package(exposure, "nginx")
        self.assertEqual(nginx["tier"], "executed")
        self.assertLessEqual({"listening", "exposed"}, set(nginx["facets"]))
        self.assertEqual(package(exposure, "libc6")["tier"], "loaded")
        self.assertIn("exposed", package(exposure, "libc6")["facets"])
        self.assertEqual(exposure["coverage"]["attach"], "from_start")
        # Seen for seconds says nothing of a day.
        day = agent.exposure("web", "24h")
        self.assertEqual(used(day), expected)
        self.assertEqual(used(day, "not_observed"), set())
        funnel = exposure["funnel"]
        # Of ISSUES, each id once for each package of its source: three of nginx, two of the others.
        self.assertEqual(sorted((one["id"], one["package"]["name"])
                                for one in exposure["findings"]
                                if one["package"]["name"] in expected),
                         [("CVE-2099-0001", "nginx"), ("CVE-2099-0002", "nginx"),
                          ("CVE-2099-0004", "libc6")])
        self.assertEqual({step: funnel[step] for step in FUNNEL}, {
            "all": 12, "fixable": 0, "in_use": 3, "in_use_exploitable": 0,
            "in_use_exploitable_exposed": 0})
        self.assertEqual(funnel["unknown"]["in_use"], 0)
        self.assertEqual(agent.stop(), 0)


class ManyKindsTest(Case):
    def test_before_the_sensor_and_a_library_upgraded_beneath(self):
        self.container("early", "sleep", "1000")
        self.container("patched", "sleep", "1000")
        self.inside("patched", "sh", "-c",
                    "cd /lib/x86_64-linux-gnu && cp libc.so.6 new && mv new libc.so.6")
        agent = self.agent()
        exposure = agent.with_inventory("early")
        self.assertEqual(exposure["coverage"]["attach"], "snapshot")
        self.assertEqual(used(exposure), owners(mapped_code(self.pids("early"))))
        libc = package(agent.with_inventory("patched"), "libc6")
        self.assertEqual(libc["verdict"], "in_use")
        self.assertTrue(any(one.get("is_deleted") for one in libc["evidence"]), libc)
        self.assertIn("replaced on disk", libc["reason"])

    def test_a_container_of_300_ms(self):
        agent = self.agent()
        name = self.container("brief", "sh", "-c", "xz --version > /dev/null; sleep 0.3")
        run(*PODMAN, "wait", name)
        run(*PODMAN, "rm", name)
        exposure = agent.with_inventory(name)
        self.assertEqual(package(exposure, "xz-utils")["tier"], "executed")
        self.assertEqual(used(exposure), {"dash", "coreutils", "libc6", "xz-utils", "liblzma5"})
        self.assertEqual(exposure["workload"]["name"], "brief")

    def test_two_containers_of_one_image(self):
        agent = self.agent()
        self.container("with", "sh", "-c", "git --version; sleep 1000")
        self.container("without", "sh", "-c", "sleep 1000")
        uses = agent.with_inventory("with", lambda one: "git" in used(one))
        self.assertEqual(used(agent.with_inventory("without")), {"dash", "coreutils", "libc6"})
        self.assertLess({"dash", "coreutils", "libc6", "git"}, used(uses))
        with contextlib.closing(sqlite3.connect(agent.folder + "/state/evidence.db")) as store:
            inventories = store.execute(
                "SELECT DISTINCT inventory FROM workload WHERE name IN ('with', 'without')")
            self.assertEqual(len(inventories.fetchall()), 1)

    def test_a_volume_and_a_shared_layer(self):
        agent = self.agent()
        with tempfile.TemporaryDirectory() as volume:
            shutil.copy(ROOTFS + "/usr/bin/git", volume + "/tool")
            self.container("volume", "sh", "-c", "/data/tool --version; sleep 1000",
                           options=["-v", volume + ":/data"])
            self.container("layered", "sh", "-c", "/opt/more/unowned; sleep 1000", image=MORE)
            exposure = agent.with_inventory("volume", lambda one: one["drift"])
            self.assertEqual(paths(exposure["drift"]), {"/data/tool"})
            self.assertNotIn("git", used(exposure))
            exposure = agent.with_inventory("layered", lambda one: one["unowned"])
            self.assertEqual(paths(exposure["unowned"]), {"/opt/more/unowned"})
            self.assertEqual(exposure["drift"], [])
            self.assertEqual(used(exposure), {"dash", "coreutils", "libc6"})

    def test_one_file_with_many_names(self):
        self.need_small()
        agent = self.agent()
        self.container("small", "sh", "-c", "ls > /dev/null; sleep 1000", image=SMALL)
        exposure = agent.with_inventory("small", lambda one: used(one) >= {"busybox"})
        self.assertEqual(used(exposure), {"busybox", "musl"})

    def test_a_change_of_owner_credits_the_package(self):
        agent = self.agent()
        self.container("owner", "sh", "-c", "chown -R 33 /usr/bin; xz --version; sleep 1000")
        exposure = agent.with_inventory("owner", lambda one: "xz-utils" in used(one))
        self.assertEqual(exposure["drift"], [])
        self.assertEqual(package(exposure, "xz-utils")["tier"], "executed")

    def test_drift_is_credited_to_nobody(self):
        agent = self.agent()
        self.container("drift", "sh", "-c",
                       "cp /bin/true /usr/local/bin/dropped; dropped;"
                       "cp /usr/bin/git /usr/bin/new; mv /usr/bin/new /usr/bin/sqlite3;"
                       "sqlite3 --version; sleep 1000")
        exposure = agent.with_inventory("drift", lambda one: len(one["drift"]) == 2)
        self.assertEqual(paths(exposure["drift"]), {"/usr/local/bin/dropped", "/usr/bin/sqlite3"})
        self.assertNotIn("git", used(exposure))
        sqlite = package(exposure, "sqlite3")
        self.assertEqual(sqlite["verdict"], "unknown")
        self.assertIn("not the file that the package brought", sqlite["reason"])

    def test_without_programs_in_the_kernel(self):
        agent = self.agent("--sensor", "proc")
        self.container("sampled", "nginx", "-g", "daemon off;")
        exposure = agent.with_inventory("sampled", lambda one: "nginx" in used(one))
        self.assertLessEqual({"nginx", "libc6"}, used(exposure))
        # It ends long before it could be sampled.
        self.inside("sampled", "sqlite3", "--version")
        exposure = agent.with_inventory("sampled", lambda one: "sqlite3" in used(one))
        self.assertEqual(package(exposure, "sqlite3")["tier"], "executed")
        self.assertEqual(package(exposure, "libsqlite3-0")["tier"], "loaded")
        self.assertEqual({line["workload"]["name"] for line in agent.lines()
                          if line.get("path", "").endswith("/sqlite3")}, {"sampled"})
        self.assertEqual(used(exposure, "not_observed"), set(), "connections are not seen")


class ScanTest(Case):
    def test_a_running_container_by_name_and_id(self):
        self.need_small()
        identity = self.container("scanned", "sleep", "1000")
        installed = self.inside("scanned", "dpkg-query", "-W", "-f", "${Package} ${Version}\n")
        for name in ("scanned", identity, identity[:10]):
            told = json.loads(run(program, "sbom", "-q", "-o", "json", "container:" + name))
            self.assertEqual(sorted(f"{one['name']} {one['version']}" for one in told["packages"]),
                             sorted(installed.splitlines()))
        self.container("small", "sleep", "1000", image=SMALL)
        tables = run(program, "scan", "-q", "--running")
        # Whatever else has a root of its own on this machine has no name.
        self.assertEqual(re.findall(r"^Target +(?!container:mount:)(\S+)", tables, re.MULTILINE),
                         ["container:scanned", "container:small"])
        wrong = subprocess.run([program, "sbom", "container:scan"], capture_output=True, text=True,
                               timeout=60)
        self.assertEqual(wrong.returncode, 1)
        self.assertIn("no container 'scan' runs here; there are: ", wrong.stderr)


class ReadersTest(Case):
    def test_who_reads_everything_uses_nothing_more(self):
        agent = self.agent()
        libraries = re.findall(r"(/\S+) \(0x", run("ldd", program))
        with tempfile.TemporaryDirectory() as tools:
            for path in (*libraries, program):
                shutil.copy(path, tools)
            self.container("readers", "sleep", "1000", options=["-v", tools + ":/tools:ro"])
            before = used(agent.with_inventory("readers"))
            self.inside("readers", "dpkg", "-V", check=False)
            self.inside("readers", "sh", "-c", "find / -xdev -type f -exec cat {} + > /dev/null")
            self.inside("readers", "sh", "-c", "tar -C / --one-file-system -cf - . > /dev/null")
            loader = next(os.path.basename(path) for path in libraries if "ld-linux" in path)
            self.inside("readers", f"/tools/{loader}", "--library-path", "/tools",
                        "/tools/" + os.path.basename(program), "scan", "-q", "--no-cache", "dir:/")
            self.inside("readers", "less", "--version")  # The last of all.
            exposure = agent.with_inventory("readers", lambda one: "less" in used(one))
        # What the programs load beside themselves is told by the same loader.
        expected = {"dpkg", "dash", "findutils", "coreutils", "tar", "less"}
        for name in ("dpkg", "find", "cat", "tar", "less", "sh"):
            told = run("chroot", ROOTFS, "ldd", "/usr/bin/" + name)
            expected |= owners(set(re.findall(r"(/\S+) \(0x", told)))
        self.assertEqual(used(exposure), before | expected)
        opened = {one["name"] for one in exposure["packages"] if one["tier"] == "opened"}
        self.assertGreater(len(opened), 50)


class TroubleTest(Case):
    def test_killed_and_started_again(self):
        agent = self.agent()
        self.container("lasting", "sh", "-c", "xz --version; sleep 1000")
        agent.with_inventory("lasting", lambda one: "xz-utils" in used(one))
        agent.stop(signal.SIGKILL)
        time.sleep(1.5)
        agent.start()
        exposure = agent.with_inventory("lasting", window="100s")
        self.assertIn("xz-utils", used(exposure))
        reasons = {gap["reason"] for gap in exposure["coverage"]["gaps"]}
        self.assertTrue(any("not running" in reason for reason in reasons), reasons)
        self.assertGreater(len(used(exposure, "unknown")), 50)

    def test_a_container_started_again(self):
        agent = self.agent()
        self.container("again", "sh", "-c", "xz --version; sleep 1000")
        first = agent.with_inventory("again", lambda one: "xz-utils" in used(one))["workload"]
        run(*PODMAN, "restart", "-t", "0", "again")
        second = agent.with_inventory("again", lambda one: "xz-utils" in used(one)
                                      and one["workload"]["started_at"] != first["started_at"])
        self.assertEqual(second["workload"]["id"], first["id"])
        self.assertNotIn("ended_at", second["workload"])
        self.assertEqual(second["coverage"]["attach"], "from_start")

    def test_a_second_agent_is_refused(self):
        agent = self.agent()
        done = subprocess.run([program, "watch", "--state", agent.folder + "/state"],
                              capture_output=True, text=True, timeout=30)
        self.assertEqual(done.returncode, 1)
        self.assertIn("another agent", done.stderr)

    def test_a_full_disk(self):
        folder = self.folder()
        os.mkdir(folder + "/state")
        run("mount", "-t", "tmpfs", "-o", "size=24m", "none", folder + "/state")
        self.addCleanup(run, "umount", "-l", folder + "/state")
        agent = self.agent(folder=folder)
        self.container("full", "sleep", "1000")
        agent.with_inventory("full")
        ballast = os.open(folder + "/state/ballast", os.O_WRONLY | os.O_CREAT)
        try:
            while True:
                os.write(ballast, b"\0" * 4096)
        except OSError:
            os.close(ballast)
        self.inside("full", "xz", "--version")
        wait_for("trouble is told", lambda: "cannot be written" in agent.messages())
        os.unlink(folder + "/state/ballast")
        exposure = agent.with_inventory("full", lambda one: "xz-utils" in used(one))
        self.assertIn("xz-utils", used(exposure))
        self.assertIn("is written again", agent.messages())

    def test_losses_make_the_rest_unknown(self):
        agent = self.agent("--sensor-buffer", "4096")
        self.container("lossy", "sh", "-c",
                       "find / -xdev -type f -exec cat {} + > /dev/null; sleep 1000")
        exposure = agent.with_inventory("lossy", lambda one: one["coverage"]["events_lost"], "100s")
        self.assertGreater(exposure["coverage"]["events_lost"], 0)
        self.assertEqual(used(exposure, "not_observed"), set())
        self.assertGreater(len(used(exposure, "unknown")), 50)
        self.assertIn("lost", package(exposure, "gcc")["reason"])


class AgentInContainer(Agent):
    """The agent made and started by the very commands of docs/watch.md."""

    IMAGE, NAME = "localhost/vigil-agent:1", "agent"

    def __init__(self, folder, engine=PODMAN):
        self.engine = engine
        super().__init__(folder)

    def build(self, command):
        context = self.folder + "/context"
        os.mkdir(context)
        shutil.copy(program, context + "/vigil")
        # What the image needs of the archive is in the storage already.
        run(*PODMAN, "build", *ULIMITS, "--network", "none", "--build-arg",
            "BASE=localhost/vigil-debian:1", "-t", self.IMAGE, *command[3:-1], context, cwd=TREE)
        if self.engine != PODMAN:
            run(*PODMAN, "save", "-q", "-o", self.folder + "/image.tar", self.IMAGE)
            run(*self.engine, "load", "-q", "-i", self.folder + "/image.tar")

    def start(self, *words):
        with open(TREE + "/docs/watch.md", encoding="utf-8") as file:
            commands = re.findall(r"^    podman ((?:build|run) .*?[^\\])$", file.read(),
                                  re.MULTILINE | re.DOTALL)
        build, start = (shlex.split(one.replace("\\\n", " ")) for one in commands)
        self.build(build)
        state = self.folder + "/state"
        os.mkdir(state, 0o700)
        places = {"vigil": self.NAME, "/var/lib/vigil:/var/lib/vigil": state + ":/var/lib/vigil"}
        options = [places.get(word, word) for word in start[1:-1]]
        run(*self.engine, "run", *ULIMITS, *options, self.IMAGE)
        wait_for("the agent is ready", lambda: "ready" in self.messages())

    def messages(self):
        done = subprocess.run([*self.engine, "logs", self.NAME], capture_output=True, text=True,
                              timeout=60)
        return done.stderr

    def inside(self, *words):
        return run(*self.engine, "exec", self.NAME, *words)

    def stop(self, how=signal.SIGTERM):
        run(*self.engine, "stop", self.NAME)
        return int(run(*self.engine, "inspect", "-f", "{{.State.ExitCode}}", self.NAME))

    @classmethod
    def remove(cls, engine=PODMAN):
        run(*engine, "rm", "-f", cls.NAME, check=False)
        run(*engine, "rmi", "-f", cls.IMAGE, check=False)
        run(*PODMAN, "rmi", "-f", cls.IMAGE, check=False)


class AgentInContainerTest(Case):
    def test_it_sees_its_neighbours(self):
        folder = self.folder()
        self.addCleanup(AgentInContainer.remove)
        self.container("early", "perl", "-e", "sleep 1000", image=MORE)
        agent = AgentInContainer(folder)
        self.container("neighbour", "sh", "-c", "xz --version; exec perl -e 'sleep 1000'",
                       image=MORE)
        exposure = agent.with_inventory("neighbour", lambda one: "perl-base" in used(one))
        self.assertEqual([exposure["workload"][one] for one in ("runtime", "name", "image")],
                         ["podman", "neighbour", MORE])
        self.assertEqual(exposure["coverage"]["attach"], "from_start")
        self.assertEqual(used(exposure), owners(mapped_code(self.pids("neighbour"))) |
                         {"dash", "xz-utils", "liblzma5"})
        self.assertEqual(used(exposure, "unknown"), set())
        exposure = agent.with_inventory("early")
        self.assertEqual(used(exposure), owners(mapped_code(self.pids("early"))))
        host = agent.with_inventory("host")
        self.assertIn("libc6", used(host))
        # Said by the program in the container itself, of the store that it keeps.
        told = agent.inside("vigil", "exposure", "neighbour", "--window", "1s", "-o", "json")
        self.assertEqual(used(json.loads(told)), used(agent.exposure("neighbour")))
        for line in agent.messages().splitlines():
            self.assertRegex(line, "^vigil: (watching with bpf|blind spot: |ready: )")
        self.assertEqual(agent.stop(), 0)
        self.assertIn("ended: ", agent.messages())


class LiveRootTest(Case):
    """`vigil scan container:` against what the image began with, without an agent."""

    CONTROL = "Package: {}\nVersion: {}\nArchitecture: amd64\nMaintainer: tests\nDescription: x\n"

    def report(self, target):
        return json.loads(run(program, "scan", target, "--db", self.db, "--no-cache", "-o", "json"))

    def live_root(self, target):
        report = self.report(target)
        self.assertEqual(report["gaps"], [])
        return report["live_root"]

    def setUp(self):
        self.db = self.folder() + "/db"

    def install(self, name, package, version):
        """With the container's own dpkg, as an entry point may do."""
        control = self.CONTROL.format(package, version)
        self.inside(name, "sh", "-c",
                    f"mkdir -p /tmp/d/DEBIAN && printf '%s' '{control}' > /tmp/d/DEBIAN/control &&"
                    " dpkg-deb -b /tmp/d /tmp/d.deb && dpkg -i --force-all /tmp/d.deb &&"
                    " rm -r /tmp/d /tmp/d.deb")

    def test_as_it_was_started(self):
        self.container("fresh", "sleep", "1000")
        root = self.live_root("container:fresh")
        self.assertEqual(root["workload"]["name"], "fresh")
        self.assertEqual((root["packages"], root["packages_removed"], root["deleted_code"]),
                         ([], [], []))
        self.assertEqual({kind: root["drift"][kind] for kind in ("changed", "removed", "added")},
                         {"changed": 0, "removed": 0, "added": 0}, root["drift"])

    def test_what_was_done_to_it(self):
        self.container("done", "sleep", "1000")
        before = run("chroot", ROOTFS, "dpkg-query", "-W", "-f", "${Version}", "less")
        self.install("done", "vigil-test", "1.0")
        self.install("done", "less", "999:1")
        self.inside("done", "dpkg", "--purge", "--force-all", "sqlite3")
        self.inside("done", "sh", "-c",
                    "cp /bin/true /opt/tool; cp /bin/true $(printf '/opt/\\033[2J');"
                    "echo '# x' >> /etc/nginx/nginx.conf;"
                    "rm /usr/bin/wget; chown -R www-data /usr/share/nginx; echo data > /srv/data;"
                    "cd /lib/x86_64-linux-gnu && cp libc.so.6 new && mv new libc.so.6")
        root = self.live_root("container:done")
        self.assertEqual({one["package"]["name"]: one.get("image_version")
                          for one in root["packages"]}, {"vigil-test": None, "less": before})
        self.assertEqual([one["name"] for one in root["packages_removed"]], ["sqlite3"])
        self.assertEqual([one["id"] for one in root["findings_gone"]
                          if one["package"] == "sqlite3"], ["CVE-2099-0005"])
        self.assertEqual(root["findings_come"], [])
        drift = {(one["drift"], one["path"], one.get("package", {}).get("name"))
                 for one in root["drift"]["files"]}
        self.assertEqual(drift, {("changed", "etc/nginx/nginx.conf", "nginx-common"),
                                 ("removed", "usr/bin/wget", "wget"),
                                 ("added", "opt/tool", None), ("added", "opt/\x1b[2J", None)})
        tool = next(one for one in root["drift"]["files"] if one["path"] == "opt/tool")
        self.assertEqual(tool["digest"], "sha256:" + run("sha256sum", ROOTFS + "/bin/true")[:64])
        self.assertGreater(root["drift"]["other_files"], 0)
        # The oracle: what the kernel calls deleted.
        pid = self.pids("done")[0]
        deleted = {path.removesuffix(" (deleted)") for path in mapped_code([pid])
                   if path.endswith(" (deleted)")}
        self.assertEqual({"/" + one["path"] for one in root["deleted_code"]}, deleted)
        libc = root["deleted_code"][0]
        self.assertEqual((libc["package"], libc["version"]), ("libc6", libc["image_version"]))
        self.assertEqual([one["pid"] for one in libc["processes"]], [pid])
        # The process's own number is as good as the name.
        by_pid = self.live_root(f"pid:{pid}")
        self.assertEqual(by_pid.pop("workload")["id"], root.pop("workload")["id"])
        self.assertEqual(by_pid, root)
        page = run(program, "scan", "container:done", "--db", self.db)
        for part in ("Changes", "1 package installed", "/opt/tool", "libc.so.6", "999:1"):
            self.assertIn(part, page)
        self.assertNotIn("\x1b", page)

    def test_every_running_one(self):
        self.container("one", "sleep", "1000")
        self.container("two", "sh", "-c", "cp /bin/true /opt/x; sleep 1000", image=MORE)
        wait_for("the file", lambda: self.inside("two", "ls", "/opt").split() == ["more", "x"])
        page = run(program, "scan", "--running", "--db", self.db)
        self.assertRegex(page, r"Target +container:one")
        self.assertRegex(page, r"Changes +nothing was changed since its start")
        self.assertRegex(page, r"added +/opt/x")
        self.assertNotIn("/opt/more", page)

    def test_without_a_store(self):
        """Bare runc on an overlay that no runtime made, and on a plain folder."""
        folder = tempfile.mkdtemp(prefix="vigil_overlay_")
        self.addCleanup(shutil.rmtree, folder)
        for name in ("lower", "upper", "work", "merged"):
            os.makedirs(f"{folder}/{name}")
        os.makedirs(folder + "/lower/opt")
        shutil.copy("/bin/true", folder + "/lower/opt/of-the-image")
        run("mount", "-t", "overlay", "none", folder + "/merged", "-o",
            f"lowerdir={folder}/lower:{ROOTFS},upperdir={folder}/upper,workdir={folder}/work")
        self.addCleanup(run, "umount", "-l", folder + "/merged")
        for name, root in (("vigil-overlay", folder + "/merged"), ("vigil-plain", ROOTFS)):
            run_bundle(self, folder, name, ["sleep", "1000"], root)
        shutil.copy("/bin/true", folder + "/merged/opt/added")
        pid = json.loads(run("runc", "state", "vigil-overlay"))["pid"]
        root = self.live_root(f"pid:{pid}")
        self.assertNotIn("not_compared", root)
        self.assertEqual([one["path"] for one in root["drift"]["files"]], ["opt/added"])
        self.assertEqual(root["packages"], [])
        plain = self.live_root("container:vigil-plain")
        self.assertIn("no overlay", plain["not_compared"])
        # A layer that is there no more: what can be told is told, the rest is a gap.
        os.rename(folder + "/lower", folder + "/elsewhere")
        report = self.report(f"pid:{pid}")
        self.assertEqual([one["path"] for one in report["live_root"]["drift"]["files"]],
                         ["opt/added"])
        self.assertNotIn("image_findings_count", report["live_root"])
        self.assertEqual([gap["reason"] for gap in report["gaps"]],
                         ["1 of the 2 layers of its image cannot be reached from here: packages "
                          "are not compared"])


def run_bundle(case, folder, name, command, root):
    """Starts a container by bare runc on this root."""
    place = f"{folder}/{name}"
    os.mkdir(place)
    run("runc", "spec", "--bundle", place)
    with open(place + "/config.json", encoding="utf-8") as file:
        config = json.load(file)
    config["process"]["terminal"] = False
    config["process"]["args"] = command
    config["root"] = {"path": root, "readonly": True}
    config["mounts"] = [one for one in config["mounts"] if one["type"] != "cgroup"]
    with open(place + "/config.json", "w", encoding="utf-8") as file:
        json.dump(config, file)
    case.addCleanup(run, "runc", "delete", "--force", name, check=False)
    # The container keeps what it is given as its output.
    subprocess.run(["runc", "run", "-d", "--bundle", place, name], check=True,
                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                   timeout=30)


class FiftyTest(Case):
    COUNT = 50

    def test_fifty_containers_and_a_new_advisory(self):
        agent = self.agent("--metrics", "127.0.0.1:0")
        bundles = tempfile.mkdtemp(prefix="vigil_bundles_")
        self.addCleanup(shutil.rmtree, bundles)
        names = [f"vigil-test-{number}" for number in range(self.COUNT)]
        for name in names:
            command = "sleep 1000" if name != names[7] else "sleep 1000 | xz > /dev/null"
            run_bundle(self, bundles, name, ["sh", "-c", command], ROOTFS)
        agent.with_inventory(names[7], lambda one: "liblzma5" in used(one))
        agent.with_inventory(names[-1])
        wait_for("the first match", lambda: [
            one for one in glob.glob(agent.folder + "/state/inventory/*.findings")
            if os.path.getsize(one) > 0])
        with open(f"/proc/{agent.process.pid}/status", encoding="ascii") as file:
            resident_kb = int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1))
        self.assertLess(resident_kb, 60 << 10)

        installed = install_database(agent.folder + "/db",
                                     {**ISSUES, **tracker(**{"xz-utils": ["CVE-2099-1000"]})})

        def told():
            return [line for line in agent.lines() if line.get("id") == "CVE-2099-1000"
                    and line["package"]["name"] == "liblzma5"
                    and line["workload"]["runtime"] == "runc"]
        wait_for("all are named", lambda: len(told()) == self.COUNT)
        seconds = time.monotonic() - installed
        print(f"[{seconds:.2f} s to name {self.COUNT} containers, agent {resident_kb} kB] ", end="",
              file=sys.stderr)
        self.assertLess(seconds, 1.0)
        lines = told()
        self.assertEqual([line["kind"] for line in lines], ["affected"] * self.COUNT)
        # Who uses it comes first, with the proof.
        self.assertEqual((lines[0]["workload"]["id"], lines[0]["verdict"]), (names[7], "in_use"))
        self.assertIn("liblzma", lines[0]["proof"]["path"])
        self.assertEqual({line["verdict"] for line in lines[1:]}, {"not_observed"})
        self.assertEqual({line["workload"]["id"] for line in lines}, set(names))

        install_database(agent.folder + "/db", ISSUES)
        wait_for("it is taken back", lambda: sum(
            line["kind"] == "no_longer_affected" for line in told()) == self.COUNT)
        for name in names:
            run("runc", "delete", "--force", name)
        ended = wait_for("all ends are seen", lambda: ({
            line["workload"]["id"] for line in agent.lines()
            if line["kind"] == "workload" and "ended_at" in line} >= set(names)))
        self.assertTrue(ended)
        for name in (names[0], names[7], names[-1]):
            self.assertLessEqual({"dash", "libc6"}, used(agent.exposure(name)))


if __name__ == "__main__":
    program = os.path.abspath(sys.argv.pop())
    check_machine()
    unittest.main()
