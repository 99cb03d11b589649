#!/usr/bin/env python3
"""The advisory database as its users keep it: fetched, built, signed, served, updated, carried over
an air gap, and damaged on the way.

usage: tests/cli/db_test.py PROGRAM [-v]
"""
import functools
import http.server
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest

FEEDS = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../../shared/feeds"))
KEV = "kev/known_exploited_vulnerabilities.json"
OLD_KEV = "kev/2025-08-25/known_exploited_vulnerabilities.json"
OLD_TIME, NEW_TIME = 1760000000, 1770000000

program = ""


def run(*words, time=NEW_TIME, env=None):
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "XDG_DATA_HOME": "",
                   "SOURCE_DATE_EPOCH": str(time), **(env or {})}
    return subprocess.run([program, *words], capture_output=True, env=environment, text=True,
                          stdin=subprocess.DEVNULL, timeout=120)


def catalog(path):
    """What a KEV catalog says of each CVE, as far as the database keeps it."""
    with open(os.path.join(FEEDS, path), encoding="utf-8") as file:
        return {entry["cveID"]: (entry["dateAdded"], entry["knownRansomwareCampaignUse"],
                                 sorted(entry.get("cwes", [])))
                for entry in json.load(file)["vulnerabilities"]}


class Server:
    """Serves a folder on a loopback port that the kernel chooses."""

    def __init__(self, folder, handler=http.server.SimpleHTTPRequestHandler):
        class Quiet(handler):
            def log_message(self, *_):
                pass
        self.server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Case(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="vigil_db_")
        self.addCleanup(shutil.rmtree, self.folder)

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def serve(self, folder, *handler):
        server = Server(folder, *handler)
        self.addCleanup(server.close)
        return server.url

    def passes(self, *words, **options):
        done = run(*words, **options)
        self.assertEqual((done.returncode, done.stderr), (0, ""), words)
        return done.stdout

    def fails(self, *words, **options):
        done = run(*words, **options)
        self.assertEqual((done.returncode, done.stdout), (1, ""), words)
        return done.stderr


class KeygenTest(Case):
    def test_keys_are_private_and_never_replaced(self):
        out = self.passes("db", "keygen", "--out", self.path("key"), "--comment", "a test")
        with open(self.path("key.pub"), encoding="ascii") as file:
            self.assertRegex(file.read(), r"\Avigil-ed25519 [A-Za-z0-9+/]{43}= a test\n\Z")
        with open(self.path("key"), encoding="ascii") as file:
            private = file.read()
        self.assertRegex(private, r"\Avigil-ed25519-private [A-Za-z0-9+/]{43}= a test\n\Z")
        self.assertEqual(os.stat(self.path("key")).st_mode & 0o777, 0o600)
        self.assertRegex(out, r": key [0-9a-f]{16}\n\Z")
        self.assertIn("never replaced", self.fails("db", "keygen", "--out", self.path("key")))
        os.unlink(self.path("key.pub"))
        self.assertIn("never replaced", self.fails("db", "keygen", "--out", self.path("key")))
        self.assertEqual(os.listdir(self.folder), ["key"])
        with open(self.path("key"), encoding="ascii") as file:
            self.assertEqual(file.read(), private)
        os.chmod(self.path("key"), 0o640)
        self.assertIn("can be read by others", self.fails("db", "build", "--feeds", self.folder,
                                                          "--sign", self.path("key")))


@unittest.skipUnless(os.path.isdir(FEEDS), f"there are no feeds in {FEEDS}")
class FetchTest(Case):
    def test_a_mirror_fills_the_folder_once(self):
        mirror = self.serve(FEEDS)
        words = ("db", "fetch", "--out", self.path("feeds"), "--mirror", mirror, "--feed", "kev",
                 "--feed", "eol", "--feed", "wolfi", "--feed", "debian-lists")
        first = run(*words)
        # The mirror has neither Alpine's list nor Chainguard's file, which is no failure.
        self.assertEqual(first.returncode, 0)
        self.assertEqual(first.stderr, "".join(
            f"vigil: the mirror has not all of the feed {feed}: {path} is not there\n"
            for feed, path in (("eol", "eol/alpine.json"), ("wolfi", "chainguard/security.json"))))
        fetched = [line.split() for line in first.stdout.splitlines()]
        paths = ["coverage.json"] + [f"debian/security-tracker/data/{name}/list" for name in
                                     ("DLA", "DSA", "DTSA")]
        paths += ["eol/debian.csv", "eol/ubuntu.csv", KEV, "wolfi/security.json"]
        sizes = [str(os.path.getsize(os.path.join(FEEDS, path))) for path in paths]
        self.assertEqual(fetched, [["new", size, path] for size, path in zip(sizes, paths)])
        for path in paths:
            with open(os.path.join(FEEDS, path), "rb") as here:
                with open(self.path("feeds", path), "rb") as there:
                    self.assertEqual(here.read(), there.read(), path)
        again = [line.split() for line in run(*words).stdout.splitlines()]
        self.assertEqual(again, [["unchanged", size, path] for size, path in zip(sizes, paths)])

    def test_a_mirror_of_dated_files_becomes_a_database(self):
        feeds, database = self.path("feeds"), self.path("db")
        wanted = [word for feed in ("epss", "kev", "wolfi", "ubuntu-osv")
                  for word in ("--feed", feed)]
        fetched = run("db", "fetch", "--out", feeds, "--mirror", self.serve(FEEDS), *wanted)
        self.assertEqual(fetched.returncode, 0, fetched.stderr)
        self.assertIn("epss/epss_scores-2026-01-30.csv.gz", fetched.stdout)
        self.assertIn("the mirror has nothing of the feed ubuntu-osv: ubuntu/osv-all.tar.xz is not "
                      "there\n", fetched.stderr)
        built = run("db", "build", "--feeds", feeds, "--out", database, "-q")
        self.assertEqual(built.returncode, 0, built.stderr)
        found = run("scan", "pkg:apk/wolfi/openssl@3.0.7-r0?arch=x86_64", "--db", database, "-o",
                    "json", "--no-cache", "-q")
        self.assertEqual(found.returncode, 0, found.stderr)
        report = json.loads(found.stdout)
        self.assertEqual(report["database"]["epss_date"], "2026-01-30")
        self.assertIn("CVE-2023-0286", [one["id"] for one in report["findings"]])


class HalfHandler(http.server.SimpleHTTPRequestHandler):
    """Sends half of each shard, says so, and then keeps the client waiting."""
    half_sent = None
    released = None

    def do_GET(self):
        if "/shards/" not in self.path:
            return super().do_GET()
        with open(self.translate_path(self.path), "rb") as file:
            content = file.read()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[:len(content) // 2])
        self.wfile.flush()
        self.half_sent.set()
        self.released.wait(60)
        self.close_connection = True
        return None


@unittest.skipUnless(os.path.isdir(FEEDS), f"there are no feeds in {FEEDS}")
class UpdateTest(Case):
    """An old and a new database of a publisher: between them KEV grew from 1,404 to 1,501."""

    @classmethod
    def setUpClass(cls):
        cls.made = tempfile.mkdtemp(prefix="vigil_db_")
        cls.addClassCleanup(shutil.rmtree, cls.made)
        feeds = os.path.join(cls.made, "feeds")
        for path in ("alpine/v3.17/main.json", "eol/debian.csv", "eol/ubuntu.csv"):
            os.makedirs(os.path.dirname(os.path.join(feeds, path)), exist_ok=True)
            shutil.copy(os.path.join(FEEDS, path), os.path.join(feeds, path))
        os.makedirs(os.path.join(feeds, "kev"))
        for name in ("publisher", "other"):
            cls.made_by("db", "keygen", "--out", os.path.join(cls.made, name))
        cls.key = os.path.join(cls.made, "publisher")
        for name, kev, time in (("old", OLD_KEV, OLD_TIME), ("new", KEV, NEW_TIME)):
            shutil.copy(os.path.join(FEEDS, kev), os.path.join(feeds, KEV))
            cls.made_by("db", "build", "-q", "--feeds", feeds, "--out",
                        os.path.join(cls.made, name), "--sign", cls.key, time=time)

    @classmethod
    def made_by(cls, *words, **options):
        done = run(*words, **options)
        if done.returncode != 0:
            raise AssertionError(f"{words}: {done.stderr}")

    def setUp(self):
        super().setUp()
        self.served = self.path("served")
        self.db = self.path("db")
        shutil.copytree(os.path.join(self.made, "old"), self.served)
        self.url = self.serve(self.served)

    def publish(self, name):
        shutil.rmtree(self.served)
        shutil.copytree(os.path.join(self.made, name), self.served)

    def update_words(self, *more, key="publisher.pub"):
        return ("db", "update", "-q", "--db", self.db, "--from", self.url, "--key",
                os.path.join(self.made, key), *more)

    def serial(self):
        return json.loads(self.passes("db", "status", "--db", self.db, "-o", "json"))["serial"]

    def shard_file(self, folder, name):
        """The one file of that shard that the folder's manifest names."""
        status = self.passes("db", "status", "--db", folder, "-o", "json")
        for shard in json.loads(status)["shards"]:
            if shard["name"] == name:
                return os.path.join(folder, "shards", f"{name}-{shard['digest'][7:23]}.shard")
        raise AssertionError(f"no shard {name} in {folder}")

    def test_kev_grows_by_97(self):
        self.passes(*self.update_words())
        old = self.serial()
        self.publish("new")
        out = run("db", "update", "--db", self.db, "--from", self.url, "--key", self.key + ".pub")
        self.assertEqual(out.returncode, 0, out.stderr)
        self.assertIn(f"(before: {old})", out.stdout)
        self.assertIn("1 of 3 shards fetched", out.stdout)
        diff = json.loads(self.passes("db", "diff", os.path.join(self.made, "old"), self.db, "-o",
                                      "json"))
        self.assertEqual([shard["name"] for shard in diff["shards"]], ["facts"])
        facts = diff["shards"][0]
        self.assertEqual((len(facts["added"]), facts["removed"]), (97, []))
        self.assertEqual([record["id"] for record in facts["added"]], facts["newly_exploited"])
        now, before = catalog(KEV), catalog(OLD_KEV)
        self.assertEqual(facts["newly_exploited"], sorted(now.keys() - before.keys()))
        self.assertEqual({record["id"] for record in facts["changed"]},
                         {cve for cve in before if now[cve] != before[cve]})
        back = json.loads(self.passes("db", "diff", self.db, os.path.join(self.made, "old"), "-o",
                                      "json"))["shards"][0]
        self.assertEqual((back["removed"], back["added"], back["newly_exploited"]),
                         (facts["added"], [], []))
        table = self.passes("db", "diff", os.path.join(self.made, "old"), self.db)
        self.assertIn("97 more CVEs are known to be exploited\n", table)

    def test_only_the_publisher_is_believed(self):
        self.assertIn("signed by no key that is trusted",
                      self.fails(*self.update_words(key="other.pub")))
        keyless = self.fails("db", "update", "--db", self.db, "--from", self.url)
        self.assertIn("there is no trusted key", keyless)
        self.assertFalse(os.path.exists(self.db))
        self.passes(*self.update_words())
        status = json.loads(self.passes("db", "status", "--db", self.db, "--key",
                                        self.key + ".pub", "-o", "json"))
        self.assertTrue(status["is_signed"])
        status = json.loads(self.passes("db", "status", "--db", self.db, "--key",
                                        os.path.join(self.made, "other.pub"), "-o", "json"))
        self.assertFalse(status["is_signed"])

    def test_a_changed_manifest_is_not_signed(self):
        path = os.path.join(self.served, "manifest.json")
        with open(path, encoding="utf-8") as file:
            envelope = json.load(file)
        with open(os.path.join(self.made, "new", "manifest.json"), encoding="utf-8") as file:
            envelope["payload"] = json.load(file)["payload"]
        with open(path, "w", encoding="utf-8") as file:
            json.dump(envelope, file)
        self.assertIn("signed by no key that is trusted", self.fails(*self.update_words()))

    def test_rollback_needs_a_word(self):
        self.publish("new")
        self.passes(*self.update_words())
        new = self.serial()
        self.publish("old")
        self.assertIn("--allow-rollback", self.fails(*self.update_words()))
        self.assertEqual(self.serial(), new)
        done = run(*self.update_words("--allow-rollback", "--accept-shrink"))
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertLess(self.serial(), new)

    def test_damage_on_the_way_is_named_and_the_old_database_stays(self):
        self.passes(*self.update_words())
        old = self.serial()
        self.publish("new")
        path = self.shard_file(self.served, "facts")
        with open(path, "rb") as file:
            content = file.read()
        for damaged, message in ((content[:5000] + b"\0\1\2" + content[5003:], "is damaged"),
                                 (content[:-1], "cut short"), (b"", "cut short"),
                                 (content + b"\0", "bytes that are taken")):
            with open(path, "wb") as file:
                file.write(damaged)
            error = self.fails(*self.update_words())
            self.assertIn("shard facts: ", error)
            self.assertIn(message, error)
            self.assertEqual(self.serial(), old)
            self.passes("db", "verify", "--db", self.db)
        os.unlink(path)
        self.assertIn("the server answered 404", self.fails(*self.update_words()))
        with open(path, "wb") as file:
            file.write(content)
        self.passes(*self.update_words())
        self.passes("db", "verify", "--db", self.db, "--key", self.key + ".pub")

    def test_an_update_that_is_killed_goes_on_later(self):
        self.passes(*self.update_words())
        old = self.serial()
        self.publish("new")
        HalfHandler.half_sent, HalfHandler.released = threading.Event(), threading.Event()
        url = self.serve(self.served, HalfHandler)
        with subprocess.Popen([program, "db", "update", "--db", self.db, "--from", url, "--key",
                               self.key + ".pub"], stderr=subprocess.DEVNULL) as process:
            self.assertTrue(HalfHandler.half_sent.wait(60))
            busy = self.fails(*self.update_words())
            process.kill()
        HalfHandler.released.set()
        self.assertIn("another vigil is changing this database", busy)
        self.assertEqual(self.serial(), old)
        self.passes("db", "verify", "--db", self.db)
        self.passes(*self.update_words())
        self.assertGreater(self.serial(), old)
        self.passes("db", "verify", "--db", self.db)

    def test_damage_of_the_installed_database_is_found_and_repaired(self):
        self.passes(*self.update_words())
        path = self.shard_file(self.db, "alpine-3.17")
        with open(path, "r+b") as file:
            file.seek(3000)
            byte = file.read(1)
            file.seek(3000)
            file.write(bytes([byte[0] ^ 1]))
        self.assertIn("shard alpine-3.17", self.fails("db", "verify", "--db", self.db))
        repaired = run(*self.update_words())
        self.assertEqual((repaired.returncode, repaired.stderr),
                         (0, "vigil: the shard alpine-3.17 was damaged and is replaced\n"))
        self.passes("db", "verify", "--db", self.db)
        os.truncate(path, 100)
        status = run("db", "status", "--db", self.db)
        self.assertEqual(status.returncode, 1)
        self.assertIn("the shard alpine-3.17 has 100 bytes", status.stdout)

    def test_one_file_crosses_an_air_gap(self):
        file, far = self.path("vigil-db.tar.zst"), self.path("far")
        self.passes("db", "export", file, "--db", os.path.join(self.made, "new"))
        wrong = self.fails("db", "import", file, "--db", far, "--key",
                           os.path.join(self.made, "other.pub"))
        self.assertIn("signed by no key that is trusted", wrong)
        self.passes("db", "import", "-q", file, "--db", far, "--key", self.key + ".pub")
        self.passes("db", "verify", "--db", far, "--key", self.key + ".pub")
        self.assertEqual(sorted(os.listdir(os.path.join(far, "shards"))),
                         sorted(os.listdir(os.path.join(self.made, "new", "shards"))))
        self.assertIn("all shards are the same",
                      self.passes("db", "diff", far, os.path.join(self.made, "new")))
        # Without a key a local file is believed, and that is said.
        other = self.path("other")
        done = run("db", "import", "-q", file, "--db", other)
        self.assertEqual((done.returncode, done.stderr),
                         (0, "vigil: the database is signed by no key that is trusted; every "
                             "result will say so\n"))


if __name__ == "__main__":
    program = os.path.abspath(sys.argv.pop(1))
    unittest.main()
