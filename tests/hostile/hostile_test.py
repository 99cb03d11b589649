#!/usr/bin/env python3
"""Runs the program on every hostile input of cases.py, each in a folder of its own, and holds it
to: at most 20 seconds; at most 256 MiB in all its processes (512 MiB where it builds a database);
nothing written outside its cache folder; a message of its own; exit code 1, or a result that says
what is missing; no control characters on a terminal; and a good image scanned at the same time,
with the same cache, gives the same answer.

  hostile_test.py VIGIL [-k TEXT] [-v]    only the cases whose names hold TEXT; a line for each
--sanitized asks for neither time nor memory: a sanitizer takes more of both.
VIGIL_HOSTILE_FULL=1 makes the largest inputs ten times as large.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from cases import CASES, Gaps, Reads, Refused
from feed_cases import FEED_CASES, Builds
from images import Image, alpine, apk_stanza

SECONDS_MAX = 20
SANITIZED_SECONDS_MAX = 120
SCAN_MIB_MAX = 256
BUILD_MIB_MAX = 512
# Those of ASCII but tab and newline, those of Latin-1, and what turns the direction of writing.
CONTROL = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]"
                     rb"|\xe2\x80[\xaa-\xae]|\xe2\x81[\xa6-\xa9]")


def memory_kib(pid):
    """The peak of a process and its children, the sum of each one's own."""
    total = 0
    try:
        status = Path(f"/proc/{pid}/status").read_text()
        total += int(re.search(r"VmHWM:\s+(\d+)", status)[1])
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            total += memory_kib(child)
    except (OSError, TypeError):
        pass  # It has just ended.
    return total


class Run:
    """One run of the program, its time and its memory."""

    def __init__(self, words, cwd, environment, seconds_max):
        start = time.monotonic()
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            process = subprocess.Popen(words, cwd=cwd, env=environment, stdin=subprocess.DEVNULL,
                                       stdout=out, stderr=err)
            self.peak_kib = 0
            self.is_late = False
            while True:
                pid, status = os.waitpid(process.pid, os.WNOHANG)
                if pid != 0:
                    break
                self.peak_kib = max(self.peak_kib, memory_kib(process.pid))
                if time.monotonic() - start > seconds_max and not self.is_late:
                    self.is_late = True
                    process.kill()
                time.sleep(0.002)
            process.returncode = self.code = os.waitstatus_to_exitcode(status)
            self.seconds = time.monotonic() - start
            out.seek(0)
            err.seek(0)
            self.out, self.err = out.read(), err.read()


def listing(folder):
    """Every file below with its size and time of change."""
    found = {}
    for path in sorted(Path(folder).rglob("*")):
        status = path.lstat()
        found[str(path)] = (status.st_mode, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    return found


class Place:
    """The folders of one case, and what must not change in them."""

    def __init__(self, top, cache):
        self.top = top
        self.input, self.outside, self.home, self.cwd, self.tmp, self.result = (
            top / name for name in ("input", "outside", "home", "cwd", "tmp", "result"))
        for folder in (self.input, self.outside, self.home, self.cwd, self.tmp, self.result):
            folder.mkdir(parents=True)
        (self.outside / "canary").write_text("untouched")
        self.cache = cache

    def environment(self):
        return {"PATH": os.environ["PATH"], "HOME": str(self.home), "TMPDIR": str(self.tmp),
                "XDG_CACHE_HOME": str(self.home / "cache"), "LC_ALL": "C.UTF-8",
                "SOURCE_DATE_EPOCH": "1767225600"}

    def watched(self):
        return {name: listing(getattr(self, name))
                for name in ("input", "outside", "home", "cwd", "tmp")}


class Hostile:
    def __init__(self, vigil, top, is_sanitized):
        self.vigil = os.path.abspath(vigil)
        self.is_sanitized = is_sanitized
        self.seconds_max = SANITIZED_SECONDS_MAX if is_sanitized else SECONDS_MAX
        self.top = top
        self.cache = top / "cache"
        self.cache.mkdir()

    def scan(self, place, target, flags=()):
        words = [self.vigil, "scan", "--fail-on-gaps", "-o", "table", "-o",
                 f"json={place.result}/report.json", "--cache-dir", str(self.cache), *flags, target]
        return Run(words, place.cwd, place.environment(), self.seconds_max)

    def build(self, place):
        words = [self.vigil, "db", "build", "--feeds", str(place.input), "--out",
                 f"{place.result}/database"]
        return Run(words, place.cwd, place.environment(), self.seconds_max)

    def good(self, number):
        """The answer for an image with nothing wrong with it."""
        place = Place(self.top / f"good{number}", self.cache)
        upper = alpine(installed=apk_stanza("upper"))
        target = Image(alpine().bytes(), upper.bytes()).layout(place.input)
        run = self.scan(place, target)
        report = (place.result / "report.json").read_text().replace(str(place.top), "")
        out = run.out.decode().replace(str(place.top), "")
        shutil.rmtree(place.top)
        return run.code, out, report

    def run(self, number, case, good_answer):
        place = Place(self.top / f"case{number}", self.cache)
        target = case.make(place.input)
        before = place.watched()
        beside = {}
        thread = threading.Thread(target=lambda: beside.update(answer=self.good(number)))
        thread.start()
        is_feed = case in FEED_CASES
        run = self.build(place) if is_feed else self.scan(place, target, case.flags)
        thread.join()
        troubles = list(self.troubles(run, BUILD_MIB_MAX if is_feed else SCAN_MIB_MAX))
        if not troubles:
            troubles = list(self.wrong_answers(case, run, place))
        for name, found in place.watched().items():
            if found != before[name]:
                changed = {k for k in found.keys() | before[name].keys()
                           if found.get(k) != before[name].get(k)}
                troubles.append(f"files changed: {sorted(changed)[:5]}")
        if beside.get("answer") != good_answer:
            troubles.append("a good image's answer beside it changed")
        shutil.rmtree(place.top)
        return run, troubles

    def troubles(self, run, mib_max):
        if run.is_late:
            yield f"it took more than {self.seconds_max} seconds"
            return
        if run.peak_kib > mib_max << 10 and not self.is_sanitized:
            yield f"it took {run.peak_kib >> 10} MiB of memory"
        error = run.err.decode(errors="replace")
        for line in error.splitlines():
            if not line.startswith("vigil: "):
                yield f"a message that is not its own: {line[:200]!r}"
        for name, output in (("output", run.out), ("messages", run.err)):
            control = CONTROL.search(output)
            if control:
                yield f"{name} with a control character at {output[control.start() - 40:][:80]!r}"

    def wrong_answers(self, case, run, place):
        error = run.err.decode(errors="replace")
        path = place.result / "report.json"
        if isinstance(case.expect, Refused):
            if run.code != 1:
                yield f"exit code {run.code}, not 1"
            if case.expect.text not in error or not error:
                yield f"the message does not tell {case.expect.text!r}: {error[:300]!r}"
            if path.exists() or (place.result / "database/manifest.json").exists():
                yield "there is a result"
            return
        if isinstance(case.expect, Builds):
            if run.code != 0 or not (place.result / "database/manifest.json").exists():
                yield f"exit code {run.code}, not 0: {error[:300]!r}"
            return
        want = 3 if isinstance(case.expect, Gaps) else 0
        if run.code != want:
            yield f"exit code {run.code}, not {want}: {error[:300]!r}"
        if not path.exists():
            return
        report = json.loads(path.read_bytes().decode("utf-8"))
        gaps = report["gaps"]
        if isinstance(case.expect, Reads) and gaps:
            yield f"gaps: {gaps[:2]}"
        if isinstance(case.expect, Gaps):
            texts = [f"{gap.get('path', '')} {gap['reason']} {gap.get('limit', '')}"
                     for gap in gaps]
            if not any(case.expect.text in text for text in texts):
                yield f"no gap tells {case.expect.text!r}: {texts[:3]}"
        names = sorted({package["name"] for package in report["packages"]})
        if case.expect.packages is not None and names != sorted(case.expect.packages):
            yield f"packages {names[:10]}, not {sorted(case.expect.packages)}"
        if not report["packages"] and not gaps:
            yield "a result with neither packages nor gaps"
        wrong = case.check and case.check(report)
        if wrong:
            yield wrong


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("vigil")
    parser.add_argument("-k", default="", help="only cases whose names hold this")
    parser.add_argument("-v", action="store_true", help="a line for each case")
    parser.add_argument("--sanitized", action="store_true", help="the program has a sanitizer")
    arguments = parser.parse_args()
    failed = 0
    chosen = [(i, case) for i, case in enumerate(CASES + FEED_CASES)
              if arguments.k in f"{case.number} {case.name}"]
    if not chosen:
        sys.exit(f"no case holds {arguments.k!r}")
    with tempfile.TemporaryDirectory(prefix="vigil-hostile-") as top:
        hostile = Hostile(arguments.vigil, Path(top), arguments.sanitized)
        good_answer = hostile.good("first")
        if good_answer[0] != 0:
            sys.exit(f"a good image gives exit code {good_answer[0]}: {good_answer[1]}")
        for i, case in chosen:
            run, troubles = hostile.run(i, case, good_answer)
            failed += bool(troubles)
            if troubles or arguments.v:
                print(f"{'FAILED' if troubles else 'ok':6} {case.number:2} {case.name}: "
                      f"exit {run.code}, {run.seconds:.2f} s, {run.peak_kib >> 10} MiB", flush=True)
            for trouble in troubles:
                print(f"          {trouble}", flush=True)
        if hostile.good("last") != good_answer:
            failed += 1
            print("FAILED    a good image's answer changed in the end")
    print(f"{len(chosen) - failed} of {len(chosen)} hostile inputs are survived as they must be")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
