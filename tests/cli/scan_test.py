#!/usr/bin/env python3
"""Scans as users run them: targets, results, messages, exit codes.

usage: tests/cli/scan_test.py PROGRAM [-v]
"""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

import alpine_database
import fake_image
from alpine_database import SHARED
PURL = "pkg:apk/alpine/zlib@1.2.11-r3?arch=x86_64&distro=alpine-3.12"
OS_RELEASE = "ID=alpine\nVERSION_ID=3.12.12\n"
INSTALLED = "P:zlib\nV:1.2.11-r3\nA:x86_64\no:zlib\n\nP:musl\nV:1.1.24-r10\nA:x86_64\no:musl\n\n"
VERSIONS = ("3.8.5", "3.12.12", "3.17.10", "3.20.3")

program = ""


def run(*words, stdin=subprocess.DEVNULL, env=None, **options):
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "XDG_CACHE_HOME": "",
                   "SOURCE_DATE_EPOCH": "1795000000", **(env or {})}
    text = options.pop("text", True)
    if isinstance(stdin, (str, bytes)):
        options["input"] = stdin
    else:
        options["stdin"] = stdin
    return subprocess.run([program, *words], capture_output=True, env=environment, text=text,
                          timeout=120, **options)


def apk_packages(root):
    """Name and version of each package, as apk's own database says it."""
    with open(os.path.join(root, "lib/apk/db/installed"), encoding="utf-8") as file:
        stanzas = file.read().split("\n\n")
    found = []
    for stanza in stanzas:
        fields = dict(line.split(":", 1) for line in stanza.splitlines() if line[1:2] == ":"
                      and line[0] in "PV")
        if fields:
            found.append((fields["P"], fields["V"]))
    return sorted(found)


class Case(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="vigil_cli_")
        self.addCleanup(shutil.rmtree, self.folder)

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, data):
        path = self.path(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(data.encode() if isinstance(data, str) else data)
        return path

    def scan(self, *words, **options):
        return run("scan", *words, "--no-cache", **options)

    def sbom(self, *words, **options):
        return run("sbom", *words, "--no-cache", **options)

    def assert_refused(self, result, *parts):
        self.assertEqual(result.returncode, 1, result.stderr)
        self.assertEqual(result.stdout, "")
        self.assertTrue(result.stderr.startswith("vigil: "), result.stderr)
        for part in parts:
            self.assertIn(part, result.stderr)


class FlagTest(Case):
    def test_every_command_has_help(self):
        names = [one["name"] for one in json.loads(run("list", "commands", "-o", "json").stdout)]
        self.assertIn("scan", names)
        for name in names:
            result = run(*name.split(), "--help")
            self.assertEqual((result.returncode, result.stderr), (0, ""), name)
            self.assertIn("Usage: vigil " + name, result.stdout)
            self.assertLessEqual(max(map(len, result.stdout.splitlines())), 100, name)

    def test_every_list(self):
        for kind in ("catalogers", "commands", "feeds", "formats", "matchers", "schemes",
                     "sources"):
            rows = json.loads(run("list", kind, "-o", "json").stdout)
            table = run("list", kind).stdout.splitlines()
            self.assertEqual(len(table), len(rows) + 1, kind)
            self.assertTrue(rows, kind)
        self.assert_refused(run("list", "nonsense"), "catalogers, commands, feeds")

    def test_what_was_typed_wrong_is_said_before_the_work_begins(self):
        self.assert_refused(self.scan(), "a target is missing")
        self.assert_refused(self.scan(PURL, "--nonsense"), "--nonsense")
        self.assert_refused(self.scan(PURL, "--format=json"), "here it is -o FORMAT[=FILE]")
        for beginning in ("--fail", "--fail=high", "--file"):
            self.assert_refused(self.scan(PURL, beginning, "high"), "unknown flag " + beginning)
        self.assert_refused(run("-v"), "unknown flag -v")
        self.assert_refused(self.scan(PURL, "-o", "nonsense"), "no format 'nonsense'", "table")
        self.assert_refused(self.scan(PURL, "-o", "json", "-o", "table"), "FORMAT=FILE")
        self.assert_refused(self.scan(PURL, "--fail-on", "severe"), "--fail-on", "'severe'")
        self.assert_refused(self.scan(PURL, "--threads", "x"), "--threads")
        self.assert_refused(self.scan(PURL, "--max-db-age", "-1"), "--max-db-age")
        self.assert_refused(self.scan(PURL, "--db", self.path("none")), self.path("none"))
        self.assert_refused(self.scan("image", "alpine:3"), "vigil scan alpine:3")
        self.assert_refused(self.scan("docker:alpine:3"), "docker save -o app.tar alpine:3")
        self.assert_refused(run("explain", "CVE-2022-37434"), "ID and a TARGET")
        self.assert_refused(self.scan(self.write("empty", "")), "it is empty")
        self.assert_refused(self.scan(self.folder, "--platform", "linux/arm64"),
                            "a root filesystem", "leave --platform out")
        self.assert_refused(self.scan(PURL, "--platform", "linux/arm64"), "no image")


    def test_an_archive_that_cannot_be_read_is_told_why(self):
        layer = fake_image.layer_of({"etc/os-release": OS_RELEASE})
        path = fake_image.Image([layer]).docker_archive(self.path("app.tar"))
        with open(path, "rb") as file:
            data = file.read()
        cut = self.write("cut.tar", data[:len(data) // 2])
        self.assert_refused(self.scan(cut), "cut short")
        with open(path, encoding="latin-1") as file:
            self.assert_refused(self.scan("-", stdin=file), "not read from standard input",
                                "docker save -o app.tar")


    def test_help(self):
        for asked, by in ((("help", "scan"), ("scan", "--help")), (("help",), ("--help",)),
                          (("help", "db"), ("db", "--help"))):
            self.assertEqual(run(*asked).stdout, run(*by).stdout)
            self.assertEqual(run(*by).returncode, 0)
        self.assertIn("db build", run("db", "--help").stdout)
        self.assert_refused(run("db"), "needs one of: db build")


class TargetTest(Case):
    def names(self, *words, **options):
        result = self.sbom(*words, "-o", "json", **options)
        self.assertEqual((result.returncode, result.stderr), (0, ""))
        return [one["purl"] for one in json.loads(result.stdout)["packages"]]

    def test_every_form_of_an_image_has_the_same_packages(self):
        layers = [fake_image.layer_of({"etc/os-release": OS_RELEASE}),
                  fake_image.layer_of({"lib/apk/db/installed": INSTALLED})]
        self.write("root/etc/os-release", OS_RELEASE)
        self.write("root/lib/apk/db/installed", INSTALLED)
        expected = ["pkg:apk/alpine/musl@1.1.24-r10?arch=x86_64&distro=alpine-3.12.12",
                    "pkg:apk/alpine/zlib@1.2.11-r3?arch=x86_64&distro=alpine-3.12.12"]
        self.assertEqual(self.names(self.path("root")), expected)
        for compression in fake_image.COMPRESSIONS:
            image = fake_image.Image(layers, compression)
            name = "app" + compression
            targets = [image.oci_dir(self.path(name)), image.oci_archive(self.path(name + ".tar"))]
            if not compression:
                targets.append(image.docker_archive(self.path("docker.tar")))
            for target in targets:
                self.assertEqual(self.names(target), expected, target)

    def test_standard_input(self):
        self.assertEqual(self.names("purl:-", stdin=PURL + "\n"), [PURL])
        self.assertEqual(self.names("-", stdin=PURL + "\n"), [PURL])
        document = json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.6", "components": [
            {"type": "library", "name": "zlib", "version": "1.2.11-r3", "purl": PURL}]})
        self.assertEqual(self.names("sbom:-", stdin=document), [PURL])
        self.assertEqual(self.names("-", stdin=document), [PURL])
        self.assert_refused(self.sbom("sbom:-", stdin=""))
        self.assert_refused(self.sbom("purl:-", "--platform", "linux/arm64", stdin=PURL + "\n"),
                            "is no image: leave --platform out")

    def test_a_bad_line_of_a_list_is_a_gap(self):
        result = self.sbom("purl:-", "-o", "json", "--fail-on-gaps", stdin=f"{PURL}\nnonsense\n")
        self.assertEqual(result.returncode, 3)
        document = json.loads(result.stdout)
        self.assertEqual([one["purl"] for one in document["packages"]], [PURL])
        self.assertEqual([one["path"] for one in document["gaps"]], ["line 2"])
        self.assert_refused(self.sbom("purl:-", stdin="nonsense\n"), "line 1")

    def test_real_alpine_roots_have_the_packages_apk_says(self):
        if not os.path.isdir(os.path.join(SHARED, "images")):
            self.skipTest("the Alpine images are not beside the tree")
        for version in VERSIONS:
            root = self.path(version)
            archive = os.path.join(SHARED, "images", f"alpine-minirootfs-{version}-x86_64.tar.gz")
            unpack(archive, root)
            packages = json.loads(self.sbom(root, "-o", "json").stdout)["packages"]
            found = sorted((one["name"], one["version"]) for one in packages)
            self.assertEqual(found, apk_packages(root), version)


def unpack(archive, root):
    os.mkdir(root)
    subprocess.run(["tar", "-C", root, "-xzf", archive], check=True, timeout=60)


class ScanTest(Case):
    """Against a database made of Alpine 3.12's feed alone."""

    @classmethod
    def setUpClass(cls):
        folder = tempfile.mkdtemp(prefix="vigil_cli_db_")
        cls.addClassCleanup(shutil.rmtree, folder)
        cls.db = alpine_database.build(program, folder)

    def scan(self, *words, **options):
        return super().scan(*words, "--db", self.db, **options)

    def alpine(self, version):
        archive = os.path.join(SHARED, "images", f"alpine-minirootfs-{version}-x86_64.tar.gz")
        root = self.path("alpine-" + version)
        unpack(archive, root)
        return root

    def test_alpine_3_12_12_has_one_finding(self):
        result = self.scan(self.alpine("3.12.12"), "-o", "json")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(
            [(one["id"], one["package"]["name"], one["fix"]["versions"])
             for one in json.loads(result.stdout)["findings"]],
            [("CVE-2022-37434", "zlib", ["1.2.12-r2"])])

    def test_alpine_3_20_3_has_no_feed_and_is_never_clean(self):
        root = self.alpine("3.20.3")
        result = self.scan(root, "-o", "json")
        report = json.loads(result.stdout)
        self.assertEqual(report["findings"], [])
        counts = report["summary"]["packages"]
        self.assertEqual(counts["not_checkable"], len(apk_packages(root)))
        self.assertEqual((counts["clean"], counts["matched"]), (0, 0))
        self.assertIn("not checkable", self.scan(root).stdout.replace("_", " ").lower())

    def test_gates_and_exit_codes(self):
        old = PURL
        self.assertEqual(self.scan(old).returncode, 0)
        self.assertEqual(self.scan(old, "--fail-on", "any").returncode, 2)
        self.assertEqual(self.scan(old, "--fail-on", "fixable").returncode, 2)
        self.assertEqual(self.scan(old, "--fail-on", "kev").returncode, 0)
        self.assertEqual(self.scan(old, "--fail-on", "kev,unknown").returncode, 2)
        self.assertEqual(self.scan(old, "--fail-on", "critical").returncode, 0)
        self.assertEqual(self.scan(old, "--max-db-age", "1").returncode, 4)
        self.assertEqual(self.scan(old, "--max-db-age", "99999").returncode, 0)
        unknown = self.scan("pkg:deb/nowhere/x@1?distro=nowhere-1", "--max-db-age", "99999")
        self.assertEqual(unknown.returncode, 4)
        empty = self.path("empty")
        os.mkdir(empty)
        self.assertEqual(self.scan(empty).returncode, 0)
        self.assertEqual(self.scan(empty, "--fail-on-gaps").returncode, 3)

    def test_a_gate_that_cannot_be_answered_is_no_pass(self):
        empty = self.path("empty")
        os.mkdir(empty)
        nowhere = "pkg:deb/nowhere/x@1?distro=nowhere-1"
        for gate in (("--fail-on", "kev"), ("--exit-code", "7")):
            for target, why in ((empty, "no gate can be answered: no package was found"),
                                (nowhere, "none of 1 packages could be checked")):
                result = self.scan(target, *gate, "-q")
                self.assertEqual(result.returncode, 1, target)
                self.assertIn(why, result.stderr)
        self.assertIn("not known: no package was found", self.scan(empty).stdout)
        self.write("list", f"{PURL}\n{nowhere}\n")
        result = self.scan("purl:" + self.path("list"), "--fail-on", "kev")
        self.assertEqual(result.returncode, 0)
        self.assertIn("no gate failed; 1 of 2 packages could not be checked", result.stderr)

    def test_too_old_counts_more_than_a_gate_and_that_more_than_gaps(self):
        self.write("root/etc/os-release", OS_RELEASE)
        self.write("root/lib/apk/db/installed", INSTALLED + "P:broken\n\n")
        self.write("root/var/lib/dpkg/status", "\x00\x01 no status file\n")
        root = self.path("root")
        gaps = ("--fail-on-gaps",)
        gate = ("--fail-on", "any")
        old = ("--max-db-age", "1")
        self.assertEqual(self.scan(root, *gaps).returncode, 3)
        self.assertEqual(self.scan(root, *gaps, *gate).returncode, 2)
        result = self.scan(root, *gaps, *gate, *old, "-o", "json")
        self.assertEqual(result.returncode, 4)
        said = "\n".join(result.stderr.splitlines())
        self.assertRegex(said, r"not signed\n.*oldest advisories.*\n.*fail the gate.*\n.*3 gaps")
        self.assertTrue(json.loads(result.stdout)["findings"], "written all the same")

    def test_standard_output_holds_the_result_alone(self):
        result = self.scan(PURL, "-o", "json", "--fail-on", "any", "--stats")
        json.loads(result.stdout)
        self.assertIn("fail the gate", result.stderr)
        quiet = self.scan(PURL, "-o", "json", "--fail-on", "any", "-q")
        self.assertEqual((quiet.returncode, quiet.stderr), (2, ""))
        self.assertEqual(quiet.stdout, result.stdout)

    def test_several_results_in_one_run(self):
        result = self.scan(PURL, "-o", "table", "-o", "json=" + self.path("a.json"),
                           "-o", "json=" + self.path("b.json"))
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("CVE-", result.stdout)
        for name in ("a.json", "b.json"):
            with open(self.path(name), encoding="utf-8") as file:
                json.load(file)
        os.symlink("/dev/stdout", self.path("out"))
        through = self.scan(PURL, "-o", "json=" + self.path("out"))
        json.loads(through.stdout)
        self.assertTrue(os.path.islink(self.path("out")))
        unwritable = self.scan(PURL, "-o", "json=" + self.path("none/x.json"))
        self.assertEqual(unwritable.returncode, 1)
        self.assertIn(self.path("none/x.json"), unwritable.stderr)

    def test_output_does_not_depend_on_threads_or_runs(self):
        root = self.alpine("3.12.12")
        for form in [one["name"] for one in json.loads(run("list", "formats", "-o", "json").stdout)
                     if one["scan"] == "yes"]:
            outputs = {self.scan(root, "-o", form, "--threads", str(threads), text=False).stdout
                       for threads in (1, 2, 8, 1)}
            self.assertEqual(len(outputs), 1, form)

    def test_the_distribution_typed_counts_more_than_the_document(self):
        result = self.scan(PURL, "--distro", "alpine:3.3", "-o", "json")
        self.assertEqual(json.loads(result.stdout)["findings"], [])
        bare = "pkg:apk/alpine/zlib@1.2.11-r3"
        unknown = json.loads(self.scan(bare, "-o", "json").stdout)
        self.assertEqual(unknown["summary"]["packages"]["not_checkable"], 1)
        typed = json.loads(self.scan(bare, "--distro", "alpine-3.12", "-o", "json").stdout)
        self.assertTrue(typed["findings"])
        other = self.scan(bare, "--distro", "debian-12")
        self.assertIn("debian 12 has no apk packages", other.stdout)

    def test_explain(self):
        root = self.alpine("3.12.12")
        result = run("explain", "CVE-2022-37434", root, "--db", self.db, "--no-cache")
        self.assertEqual(result.returncode, 0, result.stderr)
        for part in ("lib/apk/db/installed", "1.2.12-r0 < 1.2.12-r2, by the order of alpine",
                     "fixed in 1.2.12-r2", "× severity"):
            self.assertIn(part, result.stdout)
        typed = run("explain", "cve-2022-37434", root, "--db", self.db, "--no-cache")
        self.assertEqual(typed.stdout, result.stdout)
        fixed = PURL.replace("1.2.11-r3", "1.2.12-r2")
        result = run("explain", "CVE-2022-37434", fixed, "--db", self.db, "--no-cache")
        self.assertEqual(result.returncode, 1)
        self.assertIn("zlib 1.2.12-r2 x86_64", result.stdout)
        self.assertIn("no finding CVE-2022-37434", result.stderr)
        result = run("explain", "CVE-2022-37434", "pkg:deb/nowhere/x@1?distro=nowhere-1", "--db",
                     self.db)
        self.assertEqual(result.returncode, 1)
        self.assertIn("is not known: none of 1 packages could be checked: no advisories for "
                      "nowhere 1 in the database", result.stderr)

    def test_cache(self):
        image = fake_image.Image([fake_image.layer_of({"etc/os-release": OS_RELEASE,
                                                       "lib/apk/db/installed": INSTALLED})])
        target = image.oci_archive(self.path("app.tar"))
        words = ("scan", target, "--db", self.db, "-o", "json", "--stats")
        first = run(*words, "--cache-dir", self.path("cache"))
        self.assertIn("seccomp", first.stderr)
        runs = [subprocess.Popen([program, *words, "--cache-dir", self.path("cache")],
                                 stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                 env={"SOURCE_DATE_EPOCH": "1795000000"}) for _ in range(8)]
        for one in runs:
            self.assertEqual(one.communicate()[0].decode(), first.stdout)
        self.assertIn("from the cache", run(*words, "--cache-dir", self.path("cache")).stderr)
        self.assertEqual(len(os.listdir(self.path("cache/inventory"))), 1)


class TroubleTest(Case):
    def test_closed_standard_descriptors_are_not_taken_for_other_files(self):
        root = os.path.dirname(os.path.dirname(os.path.dirname(
            self.write("root/lib/apk/db/installed", INSTALLED))))
        for target, numbers, message in (("-", (0,), "Bad file descriptor"),
                                         (root, (0, 1), "cannot write to standard output")):
            result = self.scan(target, preexec_fn=lambda numbers=numbers: list(map(os.close,
                                                                                  numbers)))
            self.assertEqual(result.returncode, 1)
            self.assertIn(message, result.stderr)
        result = self.scan(root, "-q", preexec_fn=lambda: list(map(os.close, (0, 2))))
        self.assertEqual(result.returncode, 0)

    def test_a_time_that_is_none_is_refused(self):
        for text in ("yesterday", "-1", "1.5", "99999999999999"):
            self.assert_refused(self.scan(PURL, env={"SOURCE_DATE_EPOCH": text}),
                                "SOURCE_DATE_EPOCH wants seconds since 1970, not '" + text)
        self.assertEqual(self.scan(PURL, env={"SOURCE_DATE_EPOCH": ""}).returncode, 0)

    def test_a_closed_pipe_ends_it_quietly(self):
        with subprocess.Popen([program, "list", "schemes"], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE) as child:
            child.stdout.close()
            self.assertEqual(child.stderr.read(), b"")
            self.assertEqual(child.wait(), 0)

    def test_a_full_disk_is_an_error(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            result = subprocess.run([program, "list", "schemes"], stdout=full,
                                    stderr=subprocess.PIPE, text=True, check=False)
        self.assertEqual(result.returncode, 1)
        self.assertIn("No space left", result.stderr)

    def test_a_killed_parsing_child_is_never_a_clean_result(self):
        with subprocess.Popen([program, "sbom", "sbom:-"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as parent:
            children = f"/proc/{parent.pid}/task/{parent.pid}/children"
            child = []
            while not child and parent.poll() is None:
                with open(children, encoding="ascii") as file:
                    child = file.read().split()
            os.kill(int(child[0]), signal.SIGKILL)
            out, err = parent.communicate()
        self.assertEqual((parent.returncode, out), (1, ""))
        self.assertIn("the parsing child was killed", err)

    def test_control_characters_of_a_target_do_not_reach_the_terminal(self):
        layer = fake_image.layer_of({"etc/os-release": OS_RELEASE, "lib/apk/db/installed":
                                     "P:a\x1b[31mb\nV:1-r0\nA:x86_64\nL:\x1b]0;title\x07\n\n"})
        target = fake_image.Image([layer]).oci_archive(self.path("app.tar"))
        for result in (self.sbom(target), self.sbom(self.path("\x1b[2Jnone"))):
            for text in (result.stdout, result.stderr):
                self.assertNotIn("\x1b", text)
                self.assertNotIn("\x07", text)


class SmallCommandTest(Case):
    def test_compare_versions(self):
        self.assertEqual(run("compare-versions", "debian", "1.0~rc1", "1.0", "2", "2").stdout,
                         "1.0~rc1 < 1.0\n2 = 2\n")
        self.assertEqual(run("compare-versions", "rpm", stdin="1:1 2\n\n# no\n  1\t1 \n").stdout,
                         "1:1 > 2\n1 = 1\n")
        pairs = self.write("pairs", "1.0_rc1 1.0\n1.0\n")
        result = run("compare-versions", "alpine", pairs)
        self.assertEqual((result.returncode, result.stdout), (1, "1.0_rc1 < 1.0\n"))
        self.assertIn(pairs + ": line 2: ", result.stderr)
        self.assertNotIn("\x1b", run("compare-versions", "debian", "1\x1b[2J", "1").stdout)
        self.assert_refused(run("compare-versions", "nonsense", "1", "2"), "alpine, ")
        self.assert_refused(run("compare-versions", "debian", "1", "2", "3"), "3 has nothing")

    def test_sixty_thousand_lines_are_quick(self):
        lines = "".join(f"1.{i}-r{i % 7} 1.{i + 1}-r0\n" for i in range(60_000))
        result = run("compare-versions", "alpine", stdin=lines)
        self.assertEqual(result.stdout.count(" < "), 60_000)

    def test_cvss(self):
        vector = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
        self.assertEqual(run("cvss", vector).stdout, vector + " 9.8 critical\n")
        result = run("cvss", "-", stdin=f"{vector}\nnonsense\nAV:N/AC:L/Au:N/C:P/I:P/A:P\n")
        self.assertEqual(result.returncode, 1)
        self.assertEqual(result.stdout,
                         f"{vector} 9.8 critical\nAV:N/AC:L/Au:N/C:P/I:P/A:P 7.5 high\n")
        self.assertIn("nonsense", result.stderr)
        nothing = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N"
        self.assertEqual(run("cvss", nothing).stdout, nothing + " 0.0 none\n")


if __name__ == "__main__":
    program = os.path.abspath(sys.argv.pop(1))
    unittest.main()
