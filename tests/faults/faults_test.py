#!/usr/bin/env python3
"""`vigil db update` under faults: the Nth read, write, fsync, rename, open or allocation fails, or
the process is killed before it, for every N until the update gets through. After each the old or
the new database opens whole, and an update without faults then brings the new one.

  faults_test.py VIGIL FAULT_LIBRARY
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

OLD_TIME, NEW_TIME = "1767225600", "1767312000"
# Calls are tried one by one up to here, then ever further apart: most allocations are alike.
EACH_MAX = 40


def feeds(folder, versions):
    path = folder / "alpine/v3.20/main.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"distroversion": "v3.20", "reponame": "main", "packages": [
        {"pkg": {"name": "musl", "secfixes": {v: [f"CVE-2020-{1000 + i}"]}}}
        for i, v in enumerate(versions)]}))
    return folder


class Trial:
    def __init__(self, vigil, library, top):
        self.vigil, self.library, self.top = vigil, library, top
        self.old, self.new = top / "old", top / "new"
        self.build(feeds(top / "feeds1", ["1.2.4-r0"]), self.old, OLD_TIME)
        self.build(feeds(top / "feeds2", ["1.2.4-r0", "1.2.5-r0"]), self.new, NEW_TIME)
        self.answers = {self.answer(self.old), self.answer(self.new)}
        assert len(self.answers) == 2, "the old and the new database must give other answers"

    def run(self, *words, **environment):
        clean = {"PATH": os.environ["PATH"], "HOME": str(self.top), "LC_ALL": "C.UTF-8"}
        return subprocess.run([self.vigil, *words], env={**clean, **environment},
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)

    def build(self, feeds_folder, out, time):
        done = self.run("db", "build", "--feeds", str(feeds_folder), "--out", str(out), "-q",
                        SOURCE_DATE_EPOCH=time)
        assert done.returncode == 0, done.stderr

    def answer(self, database):
        """What a whole database says; its bytes are verified first."""
        verified = self.run("db", "verify", "--db", str(database))
        if verified.returncode != 0:
            return verified.stderr.decode()
        scanned = self.run("scan", "--db", str(database), "-o", "json", "--no-cache",
                           "purl:pkg:apk/alpine/musl@1.2.3-r0?distro=alpine-3.20",
                           SOURCE_DATE_EPOCH=NEW_TIME)
        if scanned.returncode != 0:
            return scanned.stderr.decode()
        return " ".join(finding["id"] for finding in json.loads(scanned.stdout)["findings"])

    def update(self, database, **environment):
        return self.run("db", "update", "--from", str(self.new), "--db", str(database), "-q",
                        **environment)

    def one(self, kind, number, action):
        """Whether the fault struck, and what is wrong."""
        database, told = self.top / "db", self.top / "told"
        shutil.rmtree(database, ignore_errors=True)
        told.unlink(missing_ok=True)
        shutil.copytree(self.old, database, symlinks=True)
        done = self.update(database, LD_PRELOAD=str(self.library),
                           VIGIL_FAULT=f"{kind} {number} {action}", VIGIL_FAULT_TOLD=str(told))
        wrong = []
        answer = self.answer(database)
        if answer not in self.answers:
            wrong.append(f"the database is neither the old nor the new one: {answer[:300]!r}")
        if told.exists() and done.returncode == 0 and answer != self.answer(self.new):
            wrong.append("the update said that it was done")
        again = self.update(database)
        if again.returncode != 0 or self.answer(database) != self.answer(self.new):
            wrong.append(f"the next update fails: {again.stderr[:300]!r}")
        return told.exists(), wrong


def main():
    vigil, library = (os.path.abspath(word) for word in sys.argv[1:])
    # A library that is missing is only a warning to the loader, and nothing would be tried.
    if not os.path.exists(library):
        sys.exit(f"there is no {library}: build all first")
    failed = 0
    with tempfile.TemporaryDirectory(prefix="vigil-faults-") as top:
        trial = Trial(vigil, library, Path(top))
        for action in ("fail", "kill"):
            for kind in ("read", "write", "fsync", "rename", "open", "malloc"):
                number, tried = 1, 0
                while True:
                    struck, wrong = trial.one(kind, number, action)
                    for one in wrong:
                        failed += 1
                        print(f"FAILED {kind} {number} {action}: {one}", flush=True)
                    if not struck:
                        break
                    tried += 1
                    number += 1 if number < EACH_MAX else number // 10
                print(f"{kind} {action}: {tried} of {number - 1} calls", flush=True)
                if tried == 0:
                    failed += 1
                    print(f"FAILED {kind} {action}: no fault struck", flush=True)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
