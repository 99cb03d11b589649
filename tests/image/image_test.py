#!/usr/bin/env python3
"""A real Debian image in every form it can have, against what dpkg inside it says.

usage: tests/image/image_test.py [-v] FIXTURE      FIXTURE: a folder that make_image wrote

The program tested is build/release/vigil.
"""
import copy
import json
import os
import subprocess
import sys
import tempfile
import unittest

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")
VIGIL = os.path.join(ROOT, "build/release/vigil")
FEEDS = os.path.join(ROOT, "../shared/feeds")
CREATED_BY = ["debootstrap {}", "apt-get install tools", "apt-get remove tools"]
fixture = ""


def forms():
    """Every form of the image: the name of a test, and the target."""
    return {
        "dir": f"dir:{fixture}/rootfs",
        "docker_archive": f"docker-archive:{fixture}/docker-archive.tar",
        "oci_dir_gzip": f"oci-dir:{fixture}/oci-gzip:image",
        "oci_dir_zstd": f"oci-dir:{fixture}/oci-zstd:image",
        "oci_archive": f"oci-archive:{fixture}/oci-archive.tar",
    }


def run(*arguments):
    """What the program writes; any exit code but 0 is an error of the test."""
    environment = {"PATH": os.environ["PATH"], "SOURCE_DATE_EPOCH": "1700000000"}
    done = subprocess.run([VIGIL, *arguments], env=environment, capture_output=True)
    if done.returncode != 0:
        raise AssertionError(f"vigil {' '.join(arguments)}: exit code {done.returncode}\n"
                             + done.stderr.decode(errors="replace"))
    return done.stdout


def sbom(target, *flags):
    return run("sbom", "-o", "json", "--no-cache", *flags, target)


def scan(target, *flags):
    return run("scan", "-o", "json", "--no-cache", "-q", *flags, target)


def read_rows(name):
    with open(os.path.join(fixture, name)) as file:
        return [line.rstrip("\n").split("\t") for line in file]


def package_rows(document):
    """The packages as dpkg-query would list them."""
    rows = []
    for package in document["packages"]:
        source = package.get("source") or {}
        rows.append([package["name"], package["version"], package["arch"],
                     source.get("name") or package["name"],
                     source.get("version") or package["version"]])
    return sorted(rows)


def owner_key(document, index):
    package = document["packages"][index]
    return f"{package['name']}:{package['arch']}"


def owned_paths(document):
    """NAME:ARCH to the paths it owns, each with its digest."""
    owned = {}
    for file in document["files"]:
        key = owner_key(document, file["package"])
        owned.setdefault(key, {})["/" + file["path"]] = file.get("digest", "")
    return owned


def dpkg_paths():
    """NAME:ARCH to what dpkg -L says, diverted paths where they are."""
    arches = {row[5]: f"{row[0]}:{row[2]}" for row in read_rows("packages.tsv")}
    listed = {}
    with open(os.path.join(fixture, "files.txt")) as file:
        for block in file.read().split("\n\n"):
            lines = block.splitlines()
            if not lines:
                continue
            paths = []
            for line in lines[1:]:
                if line.startswith("/"):
                    paths.append(line)
                elif line.startswith(("diverted by ", "locally diverted to: ")):
                    paths[-1] = line.split("to: ", 1)[1]
            listed[arches[lines[0]]] = [p for p in paths if p != "/."]
    return listed


def md5sums():
    """NAME:ARCH to the digests in its .md5sums."""
    sums = {}
    info = os.path.join(fixture, "rootfs/var/lib/dpkg/info")
    for row in read_rows("packages.tsv"):
        path = os.path.join(info, row[5] + ".md5sums")
        if not os.path.exists(path):
            path = os.path.join(info, f"{row[0]}:{row[2]}.md5sums")
        if not os.path.exists(path):
            continue
        with open(path) as file:
            for line in file:
                digest, name = line.rstrip("\n").split("  ", 1)
                sums.setdefault(f"{row[0]}:{row[2]}", {})["/" + name] = "md5:" + digest
    return sums


def without_form(document):
    """The document without what the form of the image decides: target, layers, and gaps that say a
    docker-archive's layers were not verified."""
    out = copy.deepcopy(document)
    for name in ("target", "layers", "gaps", "summary"):
        out.pop(name, None)
    for package in out["packages"]:
        package["location"].pop("layer", None)
    return out


class ImageTest(unittest.TestCase):
    maxDiff = 4000

    @classmethod
    def setUpClass(cls):
        cls.texts = {name: sbom(target, "--files") for name, target in forms().items()}
        cls.documents = {name: json.loads(text) for name, text in cls.texts.items()}
        cls.layered = {n: d for n, d in cls.documents.items() if n != "dir"}

    def test_packages_are_those_of_dpkg_query(self):
        expected = sorted(row[:5] for row in read_rows("packages.tsv"))
        self.assertGreater(len(expected), 80)
        for name, document in self.documents.items():
            with self.subTest(name):
                self.assertEqual(package_rows(document), expected)

    def test_two_architectures_and_what_was_removed(self):
        names = [f"{row[0]}:{row[2]}" for row in package_rows(self.documents["oci_archive"])]
        self.assertIn("zlib1g:i386", names)
        self.assertIn("curl:amd64", names)  # On hold.
        self.assertNotIn("cron:amd64", names)  # Its configuration is still there.
        self.assertNotIn("less:amd64", names)

    def test_owned_files_are_those_of_dpkg_list_files(self):
        listed = dpkg_paths()
        # A list names folders too, and links to them; those are folders that lists name more of.
        folders = {os.path.dirname(path) for paths in listed.values() for path in paths}
        expected = {package: set(paths) - folders for package, paths in listed.items()}
        self.assertGreater(sum(map(len, expected.values())), 5000)
        for name, document in self.documents.items():
            with self.subTest(name):
                owned = owned_paths(document)
                for package, paths in expected.items():
                    self.assertEqual(set(owned.pop(package, {})), paths, package)
                self.assertEqual(owned, {})

    def test_digests_are_those_of_md5sums(self):
        for name, document in self.documents.items():
            with self.subTest(name):
                owned = owned_paths(document)
                compared = 0
                for package, sums in md5sums().items():
                    for path, digest in sums.items():
                        got = owned.get(package, {}).get(path)
                        if got is None:
                            # A diverted file has its other name.
                            self.assertIn(path, DIVERTED, package)
                            continue
                        self.assertEqual(got, digest, f"{package} {path}")
                        compared += 1
                self.assertGreater(compared, 5000)

    def test_a_diverted_file_is_where_it_was_put(self):
        for name, document in self.documents.items():
            with self.subTest(name):
                paths = owned_paths(document)["libxml2-utils:amd64"]
                self.assertIn("/usr/bin/xmllint.distrib", paths)
                self.assertNotIn("/usr/bin/xmllint", paths)

    def test_aliases_through_merged_folders(self):
        # Releases up to bookworm list /lib/..., which is a link to usr/lib.
        root = os.path.join(fixture, "rootfs")
        for name, document in self.documents.items():
            with self.subTest(name):
                checked = 0
                for file in document["files"]:
                    if not file["path"].startswith(("lib/", "bin/", "sbin/")):
                        continue
                    self.assertIn("usr/" + file["path"], file.get("aliases", []))
                    self.assertTrue(os.path.lexists(os.path.join(root, "usr", file["path"])))
                    checked += 1
                if os.path.basename(fixture) in ("bullseye", "bookworm"):
                    self.assertGreater(checked, 100)

    def test_every_layer_and_its_instruction(self):
        release = os.path.basename(fixture)
        for name, document in self.layered.items():
            with self.subTest(name):
                self.assertEqual([layer["created_by"] for layer in document["layers"]],
                                 [text.format(release) for text in CREATED_BY])

    def test_packages_belong_to_the_layer_that_brought_them(self):
        base = {tuple(row[:3]) for row in read_rows("packages-base.tsv")}
        for name, document in self.layered.items():
            with self.subTest(name):
                wrong = []
                for package in document["packages"]:
                    key = (package["name"], package["version"], package["arch"])
                    expected = 0 if key in base else 1
                    if package["location"]["layer"] != expected:
                        wrong.append((*key, package["location"]["layer"]))
                self.assertEqual(wrong, [])

    def test_all_forms_say_the_same(self):
        first = without_form(self.documents["dir"])
        for name, document in self.documents.items():
            with self.subTest(name):
                self.assertEqual(without_form(document), first)

    def test_layers_are_the_same_in_all_forms(self):
        ids = {name: [layer["diff_id"] for layer in document["layers"]]
               for name, document in self.layered.items()}
        for name, diff_ids in ids.items():
            self.assertEqual(diff_ids, ids["oci_archive"], name)

    def test_the_number_of_threads_changes_nothing(self):
        for name, target in forms().items():
            for threads in ("1", "2", "8"):
                with self.subTest(name, threads=threads):
                    self.assertTrue(self.texts[name] == sbom(target, "--files", "--threads",
                                                             threads))

    def test_the_cache_changes_nothing(self):
        with tempfile.TemporaryDirectory() as cache:
            for name, target in forms().items():
                with self.subTest(name):
                    flags = ["-o", "json", "--files", "--cache-dir", cache]
                    cold = run("sbom", *flags, target)
                    self.assertTrue(cold == self.texts[name])
                    self.assertTrue(run("sbom", *flags, target) == cold)

    def test_scans_of_all_forms_find_the_same(self):
        results = {}
        with tempfile.TemporaryDirectory() as database:
            flags = []  # Where the feeds are not there, the starter has to do.
            if os.path.isdir(FEEDS):
                run("db", "build", "-q", "--feeds", FEEDS, "--out", database)
                flags = ["--db", database]
            for name, target in forms().items():
                text = scan(target, *flags)
                self.assertTrue(text == scan(target, *flags, "--threads", "8"), name)
                results[name] = without_form(json.loads(text))
        if os.path.basename(fixture) != "trixie":  # It is as new as all fixes that the feeds know.
            self.assertGreater(len(results["dir"]["findings"]), 0)
        for name, result in results.items():
            with self.subTest(name):
                self.assertEqual(result, results["dir"])


# Files of the fixture that another package, or the administrator, has diverted.
DIVERTED = {"/usr/bin/xmllint"}


if __name__ == "__main__":
    fixture = os.path.abspath(sys.argv.pop())
    unittest.main()
