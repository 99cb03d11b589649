#!/usr/bin/env python3
"""`vigil exposure` as users run it, on an agent's folder made by hand.

usage: tests/cli/exposure_test.py PROGRAM [-v]
"""
import json
import os
import pty
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

from fake_state import ACCEPT, HOUR, LISTEN, SECOND, State

NOW = 1795000000 * SECOND
FEED = {"distroversion": "v3.12", "reponame": "main", "packages": [
    {"pkg": {"name": "zlib", "secfixes": {"1.2.12-r2": ["CVE-2022-37434"]}}}]}
INSTALLED = """P:zlib
V:1.2.11-r3
A:x86_64
o:zlib
F:lib
R:libz.so.1.2.11
Z:Q1AAAAAAAAAAAAAAAAAAAAAAAAAAA=

P:musl
V:1.1.24-r10
A:x86_64
o:musl
F:lib
R:ld-musl-x86_64.so.1
Z:Q1AAAAAAAAAAAAAAAAAAAAAAAAAAA=

"""

program = ""


def run(*words, **options):
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent",
                   "SOURCE_DATE_EPOCH": str(NOW // SECOND)}
    return subprocess.run([program, *words], capture_output=True, text=True, timeout=60,
                          env=environment, stdin=subprocess.DEVNULL, **options)


class ExposureTest(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        folder = tempfile.mkdtemp(prefix="vigil_exposure_db_")
        cls.addClassCleanup(shutil.rmtree, folder)
        feed = os.path.join(folder, "feeds", "alpine", "v3.12", "main.json")
        os.makedirs(os.path.dirname(feed))
        with open(feed, "w", encoding="utf-8") as file:
            json.dump(FEED, file)
        cls.db = os.path.join(folder, "db")
        built = run("db", "build", "--feeds", os.path.join(folder, "feeds"), "--out", cls.db)
        assert built.returncode == 0, built.stderr

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="vigil_exposure_")
        self.addCleanup(shutil.rmtree, self.folder)
        root = self.root = os.path.join(self.folder, "root")
        for name, text in (("etc/os-release", "ID=alpine\nVERSION_ID=3.12.12\n"),
                           ("lib/apk/db/installed", INSTALLED), ("lib/libz.so.1.2.11", "z"),
                           ("lib/ld-musl-x86_64.so.1", "m")):
            os.makedirs(os.path.dirname(os.path.join(root, name)), exist_ok=True)
            with open(os.path.join(root, name), "w", encoding="utf-8") as file:
                file.write(text)
        self.state = State(os.path.join(self.folder, "state"), NOW - SECOND)
        self.inventory = self.state.inventory(program, root, "alpine")

    def exposure(self, *words):
        return run("exposure", *words, "--state", self.state.folder, "--db", self.db)

    def json(self, *words):
        result = self.exposure(*words, "-o", "json")
        self.assertEqual(result.returncode, 0, result.stderr)
        return json.loads(result.stdout)

    def use_of(self, name, *words):
        document = self.json(*words)
        (package,) = [one for one in document["packages"] if one["name"] == name]
        return package

    def busy(self):
        """A workload that runs zlib and musl, and serves."""
        key = self.state.workload("web", self.inventory)
        self.state.use(key, "lib/libz.so.1.2.11", "loaded")
        self.state.use(key, "lib/ld-musl-x86_64.so.1", "executed")
        self.state.socket(key, LISTEN, address="0.0.0.0")
        self.state.socket(key, ACCEPT, peer="10.0.0.9")
        return key

    def test_what_is_in_use_has_its_proof(self):
        self.busy()
        document = self.json("web")
        self.assertEqual((document["kind"], document["workload"]["name"]), ("exposure", "web"))
        funnel = document["funnel"]
        self.assertEqual([funnel[step] for step in
                          ("all", "fixable", "in_use", "in_use_exploitable")], [1, 1, 1, 0])
        self.assertEqual(set(funnel["unknown"].values()), {0})
        package = self.use_of("zlib", "web")
        self.assertEqual((package["tier"], package["verdict"]), ("loaded", "in_use"))
        self.assertEqual(package["facets"], ["listening", "exposed", "accepted"])
        proof = package["evidence"][0]
        self.assertEqual((proof["path"], proof["process"]["pid"], proof["process"]["name"],
                          proof["command_line"]),
                         ("lib/libz.so.1.2.11", 4711, "nginx", "nginx -g daemon off;"))
        self.assertEqual(document["findings"][0]["use"], {"verdict": "in_use", "tier": "loaded"})
        text = self.exposure("web").stdout
        for part in ("CVE-2022-37434", "nginx, pid 4711: nginx -g daemon off;",
                     "/lib/libz.so.1.2.11", "nothing was lost"):
            self.assertIn(part, text)

    def test_what_was_not_observed(self):
        self.state.workload("idle", self.inventory)
        self.assertEqual(self.use_of("zlib", "idle")["verdict"], "not_observed")
        self.assertIn("Not observed in use in 24 h: 1 finding in 1 package",
                      self.exposure("idle").stdout)

    def test_what_is_unknown_and_why(self):
        key = self.state.workload("lossy", self.inventory)
        self.state.gap(key, HOUR, HOUR, "ring buffer full", 12)
        self.state.workload("young", self.inventory, age=HOUR)
        self.assertEqual(self.use_of("zlib", "lossy")["reason"],
                         "12 events were lost (ring buffer full)")
        self.assertEqual(self.json("lossy")["coverage"]["events_lost"], 12)
        self.assertIn("Unknown, which counts as in use: 1 finding in 1 package",
                      self.exposure("lossy").stdout)
        young = self.use_of("zlib", "young")
        self.assertEqual((young["verdict"], young["reason"]),
                         ("unknown", "watched for 60 min, less than the window of 24 h"))
        self.assertEqual(self.use_of("zlib", "young", "--window", "30m")["verdict"],
                         "not_observed")

    def test_gates(self):
        self.busy()
        self.state.workload("idle", self.inventory)
        self.state.workload("young", self.inventory, age=HOUR)
        for name, gate, code in (("web", "in-use:unknown", 2), ("web", "in-use:kev", 0),
                                 ("idle", "in-use:unknown", 0), ("idle", "unknown", 2),
                                 ("young", "in-use", 2)):
            result = self.exposure(name, "--fail-on", gate)
            self.assertEqual(result.returncode, code, (name, gate, result.stderr))
        self.assertEqual(self.exposure("--fail-on", "in-use").returncode, 2)
        result = run("scan", "pkg:apk/alpine/zlib@1.2.11-r3?distro=alpine-3.12", "--fail-on",
                     "in-use", "-o", "json", "--db", self.db)
        self.assertEqual(result.returncode, 2)
        self.assertIn("nothing was watched", result.stderr)

    def test_no_gate_holds_for_what_runs_where_nobody_looks(self):
        old = State(os.path.join(self.folder, "old"), NOW - HOUR)
        old.workload("idle", old.inventory(program, self.root, "alpine"))
        result = run("exposure", "--state", old.folder, "--db", self.db, "--fail-on", "in-use:kev")
        self.assertEqual(result.returncode, 1)
        self.assertIn("no gate can be answered: the agent is not running", result.stderr)

    def test_without_an_inventory_nothing_looks_clean(self):
        self.state.workload("gone", "", note="its root was gone before it could be read")
        document = self.json("gone")
        self.assertEqual(document["gaps"][0]["reason"],
                         "there is no inventory of it: its root was gone before it could be read")
        self.assertIn("its root was gone", self.exposure("gone").stdout)
        self.assertEqual(self.exposure("gone", "--fail-on", "in-use").returncode, 1)

    def test_all_workloads(self):
        self.busy()
        self.state.workload("gone", "", ended=NOW - HOUR)
        self.state.workload("host", self.inventory, runtime="host")
        rows = self.exposure().stdout.splitlines()
        self.assertEqual(len(rows), 4)
        self.assertEqual(rows[-1].split()[:3], ["gone", "podman", "ended"])
        all_of_them = self.json()["workloads"]
        self.assertEqual(sorted(one["workload"]["name"] for one in all_of_them),
                         ["gone", "host", "web"])
        self.assertEqual([one["funnel"]["in_use"] for one in all_of_them
                          if one["workload"]["name"] == "web"], [1])
        self.assertEqual(self.json("--host")["workload"]["runtime"], "host")

    def test_a_workload_is_found_by_name_id_and_its_beginning(self):
        self.busy()
        self.state.workload("web", self.inventory, container="ab" * 32, ended=NOW - HOUR)
        container = self.json("web")["workload"]["id"]
        self.assertTrue(container.startswith("01"), "the one that runs")
        self.assertEqual(self.json(container[:6])["workload"]["id"], container)
        self.assertEqual(self.json("ab" * 32)["workload"]["id"], "ab" * 32)
        for words, part in ((("none",), "no workload is called none; there are: web, web"),
                            (("--host",), "does not watch the host"),
                            (("--pid", "x"), "--pid wants a process id"),
                            (("web", "--host"), "one workload at a time"),
                            (("web", "--window", "1y"), "wants a length up to 366d"),
                            (("web", "--why", "CVE-1999-0001"), "no finding CVE-1999-0001"),
                            (("--why", "CVE-2022-37434"), "--why wants a WORKLOAD"),
                            (("web", "--why", "CVE-2022-37434", "--fail-on", "kev"),
                             "--fail-on goes with neither"),
                            (("web", "--live"), "--live wants a terminal")):
            result = self.exposure(*words)
            self.assertEqual((result.returncode, result.stdout), (1, ""), words)
            self.assertIn(part, result.stderr)
        result = run("exposure", "--state", self.folder)
        self.assertEqual(result.returncode, 1)
        self.assertIn("'vigil watch' collects it", result.stderr)

    def test_why(self):
        self.busy()
        text = self.exposure("web", "--why", "CVE-2022-37434").stdout
        for part in ("zlib 1.2.11-r3", "1.2.12-r2", "in_use: loaded, listening, exposed, accepted",
                     "/lib/libz.so.1.2.11", "pid 4711"):
            self.assertIn(part, text)

    def test_every_format_carries_it(self):
        self.busy()
        self.state.workload("idle", self.inventory)
        vex = json.loads(self.exposure("web", "-o", "openvex").stdout)["statements"][0]
        self.assertEqual(vex["status"], "affected")
        self.assertIn("/lib/libz.so.1.2.11 by nginx", vex["impact_statement"])
        self.assertIn("24 h of the last 24 h", vex["status_notes"])
        vex = json.loads(self.exposure("idle", "-o", "openvex").stdout)["statements"][0]
        self.assertEqual(vex["status"], "under_investigation")
        sarif = json.loads(self.exposure("web", "-o", "sarif").stdout)["runs"][0]
        self.assertEqual(sarif["results"][0]["properties"]["useVerdict"], "in_use")
        trivy = json.loads(self.exposure("web", "-o", "trivy-json").stdout)
        self.assertEqual(trivy["Results"][0]["Vulnerabilities"][0]["Custom"]["vigil"]["verdict"],
                         "in_use")
        grype = json.loads(self.exposure("web", "-o", "grype-json").stdout)
        self.assertIn("/lib/libz.so.1.2.11 by nginx",
                      grype["matches"][0]["artifact"]["metadata"]["vigil"]["evidence"])
        bom = json.loads(self.exposure("web", "-o", "cyclonedx").stdout)
        self.assertEqual(bom["vulnerabilities"][0]["analysis"]["state"], "exploitable")
        saved = os.path.join(self.folder, "saved.json")
        self.assertEqual(self.exposure("web", "-o", "json=" + saved).returncode, 0)
        self.assertEqual(run("convert", saved).stdout, self.exposure("web").stdout)
        self.assertEqual(run("convert", saved, "-o", "json").stdout,
                         self.exposure("web", "-o", "json").stdout)

    def test_filters_and_ignore_rules_as_in_a_scan(self):
        self.busy()
        rules = os.path.join(self.folder, "rules.yaml")
        with open(rules, "w", encoding="ascii") as file:
            file.write("rules:\n  - id: CVE-2022-37434\n    reason: shielded by the proxy\n")
        document = self.json("web", "--ignorefile", rules)
        self.assertEqual((document["findings"], document["funnel"]["all"]), ([], 0))
        self.assertEqual(document["suppressed"][0]["suppression"]["reason"],
                         "shielded by the proxy")
        page = self.exposure("web", "--ignorefile", rules, "--show-suppressed").stdout
        self.assertIn("1 more set aside by rules", page)
        self.assertIn("shielded by the proxy", page)
        why = self.exposure("web", "--ignorefile", rules, "--why", "CVE-2022-37434").stdout
        self.assertIn("shielded by the proxy", why)
        # A rule binds the gate, a filter does not.
        for words, code in ((("--ignorefile", rules), 0), (("--severity", "critical"), 2),
                            (("--only-notfixed",), 2)):
            result = self.exposure("web", "--fail-on", "in-use", *words)
            self.assertEqual(result.returncode, code, (words, result.stderr))
            self.assertEqual(self.exposure("--fail-on", "in-use", *words).returncode, code)
        document = self.json("web", "--only-notfixed")
        self.assertEqual((document["findings"], document["summary"]["not_shown"]), ([], 1))
        self.assertIn("1 more filtered out", self.exposure("web", "--only-notfixed").stdout)
        page = self.exposure("--ignorefile", rules).stdout
        self.assertEqual(page.splitlines()[1].split()[3], "0")
        self.assertIn("Not counted: 1 set aside by ignore rules, 0 filtered out", page)
        self.assertEqual([(one["suppressed"], one["not_shown"]) for one in
                          self.json("--only-notfixed")["workloads"]], [(0, 1)])
        # One in the working folder counts, and is told.
        os.rename(rules, os.path.join(self.folder, ".vigilignore.yaml"))
        result = run("exposure", "web", "--state", self.state.folder, "--db", self.db, "-o", "json",
                     cwd=self.folder)
        self.assertEqual(json.loads(result.stdout)["findings"], [])
        self.assertIn("ignore rules of .vigilignore.yaml in the working folder: 1", result.stderr)

    def test_no_openvex_without_a_finding(self):
        self.busy()
        target = os.path.join(self.folder, "web.vex.json")
        self.assertEqual(self.exposure("web", "-o", "openvex=" + target).returncode, 0)
        self.assertTrue(os.path.exists(target))
        result = self.exposure("web", "--only-notfixed", "-o", "openvex=" + target)
        self.assertEqual((result.returncode, result.stdout), (0, ""))
        self.assertIn("nothing is written", result.stderr)
        self.assertFalse(os.path.exists(target))

    def test_live_shows_it_again_until_q(self):
        self.busy()
        child, terminal = pty.fork()
        if child == 0:
            os.execv(program, [program, "exposure", "web", "--live", "--state", self.state.folder,
                               "--db", self.db])
        shown = b""
        deadline = time.monotonic() + 30
        while shown.count(b"\x1b[H\x1b[2J") < 2 and time.monotonic() < deadline:
            shown += os.read(terminal, 65536)
        os.write(terminal, b"q\n")
        try:
            while os.read(terminal, 65536):
                pass
        except OSError:
            pass  # The terminal is gone when the program is.
        _, status = os.waitpid(child, 0)
        self.assertEqual(os.waitstatus_to_exitcode(status), 0)
        self.assertGreaterEqual(shown.count(b"\x1b[H\x1b[2J"), 2)

    def test_the_store_of_a_killed_agent_is_read(self):
        self.busy()
        self.assertTrue(os.path.exists(self.state.folder + "/evidence.db-wal"))
        copy = os.path.join(self.folder, "copy")
        shutil.copytree(self.state.folder, copy)
        result = run("exposure", "web", "--state", copy, "--db", self.db, "-o", "json")
        self.assertEqual(json.loads(result.stdout)["funnel"]["in_use"], 1)


if __name__ == "__main__":
    program = os.path.abspath(sys.argv.pop(1))
    unittest.main()
