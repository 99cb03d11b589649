#!/usr/bin/env python3
"""What a scan shows and what it fails for: filters, gates, ignore rules, progress.

usage: tests/cli/results_test.py PROGRAM [-v]
"""
import json
import os
import pty
import re
import select
import shutil
import subprocess
import sys
import tempfile
import unittest

import alpine_database

# Of Alpine 3.12: zlib with two known issues, both fixed, and busybox with one.
PURLS = ("pkg:apk/alpine/zlib@1.2.11-r3?arch=x86_64&distro=alpine-3.12\n"
         "pkg:apk/alpine/busybox@1.31.1-r19?arch=x86_64&distro=alpine-3.12\n")
PROFILE = ["CVE-2018-25032", "CVE-2022-37434"]

program = ""


def environment(**more):
    return {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "XDG_CACHE_HOME": "",
            "SOURCE_DATE_EPOCH": "1795000000", **more}


class Case(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        folder = tempfile.mkdtemp(prefix="vigil_results_db_")
        cls.addClassCleanup(shutil.rmtree, folder)
        cls.db = alpine_database.build(program, folder)

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="vigil_results_")
        self.addCleanup(shutil.rmtree, self.folder)

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def scan(self, *words, target="purl:-"):
        return subprocess.run([program, "scan", target, "--db", self.db, *words], input=PURLS,
                              capture_output=True, text=True, cwd=self.folder, timeout=60,
                              env=environment(), check=False)

    def report(self, *words):
        result = self.scan("-o", "json", *words)
        self.assertEqual(result.returncode, 0, result.stderr)
        return json.loads(result.stdout)

    def ids(self, *words):
        return sorted(one["id"] for one in self.report(*words)["findings"]
                      if one["package"]["name"] == "zlib")


class FilterTest(Case):
    def test_filters_choose_what_is_shown_and_count_the_rest(self):
        total = len(self.report()["findings"])
        self.assertGreaterEqual(total, 2)
        self.assertEqual(self.ids(), PROFILE)
        self.assertEqual(self.ids("--only-fixed"), PROFILE)
        self.assertEqual(self.ids("--severity", "unknown,high"), PROFILE)
        for words in (("--only-notfixed",), ("--severity", "CRITICAL"),
                      ("--ignore-states", "wont-fix,fixed")):
            report = self.report(*words)
            self.assertEqual(report["findings"], [], words)
            self.assertEqual(report["summary"]["not_shown"], total, words)
            self.assertEqual(sum(report["summary"]["findings"].values()), 0, words)
        self.assertIn(f"{total} more filtered out\n",
                      self.scan("--severity", "critical").stdout)

    def test_gates_see_what_is_not_shown(self):
        result = self.scan("--severity", "critical", "--fail-on", "fixable")
        self.assertEqual(result.returncode, 2)
        self.assertNotIn("CVE-2018-25032", result.stdout)
        self.assertRegex(result.stderr, r"(\d+) of \1 findings fail the gate --fail-on fixable")

    def test_exit_code(self):
        self.assertEqual(self.scan("--exit-code", "7").returncode, 7)
        self.assertEqual(self.scan("--exit-code", "0").returncode, 0)
        self.assertEqual(self.scan("--exit-code", "7", "--severity", "critical").returncode, 0)
        self.assertEqual(self.scan("--exit-code", "9", "--fail-on", "any").returncode, 9)
        self.assertEqual(self.scan("--exit-code", "9", "--fail-on", "kev").returncode, 0)

    def test_wrong_words_are_refused_before_the_work(self):
        for words, message in (
                (("--exit-code", "256"), "--exit-code wants a number from 0 to 255"),
                (("--exit-code", "x"), "--exit-code wants a whole number"),
                (("--severity", "high,severe"), "--severity: 'severe' is no severity; there are: "),
                (("--ignore-states", "open"), "--ignore-states: 'open' is no state of a fix"),
                (("--only-fixed", "--only-notfixed"), "together show nothing")):
            result = self.scan(*words)
            self.assertEqual((result.returncode, result.stdout), (1, ""), words)
            self.assertIn(message, result.stderr)

    def test_a_saved_result_is_filtered_too(self):
        saved = self.write("saved.json", self.scan("-o", "json").stdout)
        result = subprocess.run([program, "convert", saved, "-o", "json", "--only-notfixed"],
                                capture_output=True, text=True, env=environment(), check=True)
        self.assertEqual(json.loads(result.stdout)["findings"], [])


class IgnoreTest(Case):
    RULES = ("rules:\n  - id: CVE-2018-25032\n    package: zlib\n"
             "    reason: nothing is compressed here\n    expires: 2030-01-01\n")

    def test_rules_leave_display_and_gate_and_are_counted(self):
        path = self.write("rules.yaml", self.RULES)
        before = self.report()
        report = self.report("--ignorefile", path)
        self.assertEqual(len(report["findings"]), len(before["findings"]) - 1)
        self.assertEqual(report["summary"]["suppressed"], 1)
        expected = next(one for one in before["findings"] if one["id"] == "CVE-2018-25032")
        expected["suppression"] = {"rule": path + ":2", "reason": "nothing is compressed here",
                                   "expires_at": "2030-01-01T00:00:00Z"}
        self.assertEqual(report["suppressed"], [expected])
        both = self.write("both.yaml", "rules:\n  - package: [zlib, busybox]\n    reason: x\n")
        self.assertEqual(self.scan("--ignorefile", both, "--fail-on", "any").returncode, 0)
        self.assertEqual(self.scan("--ignorefile", both, "--exit-code", "2").returncode, 0)

    def test_what_is_set_aside_is_shown_where_asked(self):
        path = self.write("rules.yaml", self.RULES)
        hidden = self.scan("--ignorefile", path)
        self.assertIn("1 more set aside by rules (--show-suppressed)\n", hidden.stdout)
        self.assertNotIn("CVE-2018-25032", hidden.stdout)
        shown = self.scan("--ignorefile", path, "--show-suppressed").stdout
        self.assertRegex(shown, r"CVE-2018-25032 .*nothing is compressed here \(until 2030-01-01\)")
        for words, count in (((), 0), (("--show-suppressed",), 1)):
            text = self.scan("-o", "sarif", "--ignorefile", path, *words).stdout
            results = json.loads(text)["runs"][0]["results"]
            kept = [one for one in results if one.get("suppressions")]
            self.assertEqual([one["ruleId"] for one in kept], ["CVE-2018-25032"] * count)

    def test_formats_of_others_have_a_place_for_it(self):
        path = self.write("rules.yaml", self.RULES)
        grype = json.loads(self.scan("-o", "grype-json", "--ignorefile", path).stdout)
        self.assertEqual([(one["vulnerability"]["id"], one["appliedIgnoreRules"][0]["reason"])
                          for one in grype["ignoredMatches"]],
                         [("CVE-2018-25032", "nothing is compressed here")])
        trivy = json.loads(self.scan("-o", "trivy-json", "--ignorefile", path).stdout)
        self.assertEqual([(one["Status"], one["Source"], one["Finding"]["VulnerabilityID"])
                          for one in trivy["Results"][0]["ExperimentalModifiedFindings"]],
                         [("ignored", path + ":2", "CVE-2018-25032")])

    def test_files_of_others_are_read_as_they_are(self):
        files = {".trivyignore": "# accepted\nCVE-2018-25032 exp:2030-01-01\n",
                 "trivy.yaml": "vulnerabilities:\n  - id: CVE-2018-25032\n    purls:\n"
                               "      - pkg:apk/alpine/zlib\n    statement: accepted\n",
                 "grype.yaml": "ignore:\n  - vulnerability: CVE-2018-25032\n    package:\n"
                               "      name: z.*\n      type: apk\n"}
        for name, text in files.items():
            path = self.write("named-" + name, text)
            self.assertEqual(self.ids("--ignorefile", path), PROFILE[1:], name)

    def test_files_in_the_working_folder_count_and_are_told(self):
        self.write(".vigilignore.yaml", self.RULES)
        self.write(".trivyignore", "CVE-2022-37434\n")
        self.assertEqual(self.ids(), [])
        self.assertIn("ignore rules of .vigilignore.yaml in the working folder: 1",
                      self.scan().stderr)
        self.assertEqual(self.ids("--no-ignorefile"), PROFILE)
        self.assertEqual(self.ids("--ignorefile", ".trivyignore"), PROFILE[:1])

    def test_an_expired_rule_no_longer_applies_and_is_told(self):
        path = self.write("rules.yaml", self.RULES.replace("2030", "2026"))
        result = self.scan("--ignorefile", path, "-o", "json")
        self.assertEqual(json.loads(result.stdout)["suppressed"], [])
        self.assertIn(f"{path}:2: this rule expired on 2026-01-01 and no longer applies",
                      result.stderr)

    def test_a_file_that_cannot_be_read_is_an_error(self):
        broken = self.write("broken.yaml", "rules:\n  - id: CVE-1\n")
        for words, message in ((("--ignorefile", "none.yaml"), "none.yaml"),
                               (("--ignorefile", broken), broken + ":2: a rule wants a reason")):
            result = self.scan(*words)
            self.assertEqual((result.returncode, result.stdout), (1, ""), words)
            self.assertIn(message, result.stderr)
        self.write(".trivyignore", "CVE-1 exp:soon\n")
        result = self.scan()
        self.assertEqual(result.returncode, 1)
        self.assertIn(".trivyignore:1: 'soon' is no date", result.stderr)


class TerminalTest(Case):
    def on_terminal(self, *words, columns=80):
        """The scan with standard output and error on a terminal; its input comes when the terminal
        has said `Reading`, so that it lasts as long as that takes."""
        master, slave = pty.openpty()
        with subprocess.Popen([program, "scan", "purl:-", "--db", self.db, *words],
                              stdin=subprocess.PIPE, stdout=slave, stderr=slave, cwd=self.folder,
                              env=environment(TERM="xterm", COLUMNS=str(columns))) as child:
            os.close(slave)
            said = b""
            is_fed = False
            waits = "-q" not in words
            while True:
                if not is_fed and (not waits or b"Reading: 1 s" in said):
                    child.stdin.write(PURLS.encode())
                    child.stdin.close()
                    is_fed = True
                if not select.select([master], [], [], 30)[0]:
                    child.kill()
                    self.fail("nothing is said: " + repr(said))
                try:
                    piece = os.read(master, 65536)
                except OSError:  # The other side is closed.
                    break
                said += piece
            child.wait()
        os.close(master)
        return said.decode()

    def test_progress_is_one_line_that_goes_away(self):
        said = self.on_terminal()
        drawn, _, rest = said.rpartition("\r\x1b[K")
        self.assertRegex(drawn, r"\A(\r(Reading|Matching): [^\n\r]*\x1b\[K)+\Z")
        self.assertTrue(re.sub(r"\x1b\[[0-9;]*m", "", rest).startswith("Target "), rest)
        self.assertNotIn("Reading", rest)

    def test_there_is_none_where_it_is_not_wanted(self):
        self.assertNotIn("Reading", self.on_terminal("-q"))
        self.assertNotIn("Reading", self.scan().stderr)

    def test_a_narrow_terminal_cuts_nothing(self):
        for columns in (40, 80, 120):
            said = re.sub(r"\x1b\[[0-9;]*[mK]", "", self.on_terminal("-q", columns=columns))
            lines = said.replace("\r", "").splitlines()
            self.assertLessEqual(max(map(len, lines)), columns)
            self.assertNotIn("…", said)
            self.assertIn("CVE-2018-25032", said)


class StatsTest(Case):
    def test_stats_say_what_was_done(self):
        root = os.path.join(self.folder, "root")
        os.makedirs(os.path.join(root, "lib/apk/db"))
        os.makedirs(os.path.join(root, "etc"))
        text = "P:zlib\nV:1.2.11-r3\nA:x86_64\no:zlib\n\n"
        release = "ID=alpine\nVERSION_ID=3.12.12\n"
        self.write("root/lib/apk/db/installed", text)
        self.write("root/etc/os-release", release)
        said = self.scan("--stats", "--no-cache", target=root).stderr
        self.assertRegex(said, r"vigil: parse: [0-9.]+ ms \(layers read after [0-9.]+, "
                         r"packages found after [0-9.]+\)\n")
        for phase in ("open database", "match", "write"):
            self.assertRegex(said, rf"vigil: {phase}: [0-9.]+ ms\n")
        self.assertRegex(said, r"read: [0-9]+ bytes, unpacked 0 bytes, [0-9]+ files, 1 packages\n")
        read = int(re.search(r"read: ([0-9]+) bytes", said).group(1))
        self.assertGreaterEqual(read, len(text) + len(release))
        self.assertRegex(said, r"peak memory: [0-9.]+ MiB here, [0-9.]+ MiB in the parsing child\n")
        self.assertRegex(said, r"protections of the parsing child: .*seccomp")


if __name__ == "__main__":
    program = os.path.abspath(sys.argv.pop(1))
    unittest.main()
