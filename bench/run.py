#!/usr/bin/env python3
"""Measures vigil as whole processes, beside what the hardware can do and beside other scanners.

usage: bench/run.py [--rounds N] [--only CASE,...] [--feeds DIR] [--out FILE]

Builds the release program and the images (bench/make_images) where they are not there yet. Compares
each answer with what dpkg says before anything is timed. Then the contenders of a case run in turn,
N times (default 7); medians with smallest and largest value go to bench/results/DATE.md. Other
scanners are taken from build/bench/peers (bench/get_trivy) or from the path.
"""
import argparse
import datetime
import glob
import json
import os
import re
import shutil
import statistics
import subprocess
import sys

import peers
from measure import Contender, measure, ratios, run_once, spread

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
VIGIL = os.path.join(TOP, "build/release/vigil")
IMAGES = os.path.join(TOP, "build/bench/images")
SCRATCH = os.path.join(TOP, "build/bench/scratch")
DATABASE = os.path.join(SCRATCH, "database")
MIB = 1 << 20


class Case:
    """One row of the aims: what is measured, what is wanted, and what came out."""

    def __init__(self, name, work, aim, contenders, base=None):
        self.name, self.work, self.aim = name, work, aim
        self.contenders = contenders
        self.base = base  # The contender whose time is 1, where there is one.
        self.costs = {}
        self.notes = []


def vigil(*arguments):
    return [VIGIL, *arguments]


def sbom(target):
    return vigil("sbom", "-q", "-o", "json", "--cache-dir", f"{SCRATCH}/cache", target)


def forget():
    shutil.rmtree(f"{SCRATCH}/cache", ignore_errors=True)


def output_of(command):
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit code {done.returncode}\n{done.stderr[-2000:]}")
    return done.stdout


def layer_files(layout):
    with open(f"{layout}/index.json") as file:
        digest = json.load(file)["manifests"][0]["digest"]
    with open(f"{layout}/blobs/{digest.replace(':', '/')}") as file:
        layers = json.load(file)["layers"]
    return [f"{layout}/blobs/{layer['digest'].replace(':', '/')}" for layer in layers]


def drop_from_memory(path):
    """The file's pages leave the page cache; nothing else does."""
    with open(path, "rb") as file:
        os.fsync(file.fileno())
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def check_answers(target, truth, others):
    """vigil's packages must be dpkg's; how far the others are from them is noted."""
    with open(truth) as file:
        expected = {tuple(line.split("\t")[:2]) for line in file}
    forget()
    document = json.loads(output_of(sbom(target)))
    found = {(package["name"], package["version"]) for package in document["packages"]}
    if found != expected:
        sys.exit(f"{target}: vigil and dpkg differ: {sorted(found ^ expected)[:10]}")
    notes = [f"{len(found)} packages, as dpkg says."]
    for peer in others:
        peer.forget()
        found = peers.cyclonedx_packages(output_of(peer.command(target)))
        difference = (f"the same {len(found)} packages" if found == expected else
                      f"{len(expected - found)} of {len(expected)} packages missing, "
                      f"{len(found - expected)} others")
        notes.append(f"{peer.name}: {difference}.")
    return notes


def image_cases(others):
    """Images in every form: (case, checks)."""
    gzip, zstd = f"{IMAGES}/big-gzip", f"{IMAGES}/big-zstd"
    archive, root, one = f"{IMAGES}/big.tar", f"{IMAGES}/minbase", f"{IMAGES}/one"

    def contenders(target, peer_target=None):
        return [Contender("vigil", [sbom(target)], before=forget)] + [
            Contender(peer.name, [peer.command(peer_target or target)], before=peer.forget)
            for peer in others]

    def cold():
        forget()
        drop_from_memory(archive)

    warm_peers = [Contender(f"{peer.name}, warm cache", [peer.command(f"oci-dir:{gzip}")])
                  for peer in others if isinstance(peer, peers.Trivy)]
    tagged = f"oci-dir:{gzip}:image"
    return [
        (Case("gzip", "gzip layers, blob digests verified", "≤ 1.25 × floor",
              [Contender("floor", [["igzip", "-dc", file] for file in layer_files(gzip)]),
               *contenders(tagged, f"oci-dir:{gzip}")], "floor"),
         (f"oci-dir:{gzip}", f"{IMAGES}/big.tsv")),
        (Case("zstd", "zstd layers, blob digests verified", "≤ 1.3 × floor",
              [Contender("floor", [["zstd", "-dcq", file] for file in layer_files(zstd)]),
               *contenders(f"oci-dir:{zstd}:image", f"oci-dir:{zstd}")], "floor"),
         (f"oci-dir:{zstd}", f"{IMAGES}/big.tsv")),
        (Case("archive", "uncompressed layers (docker-archive)", "< 100 ms",
              contenders(f"docker-archive:{archive}")),
         (f"docker-archive:{archive}", f"{IMAGES}/big.tsv")),
        (Case("cold", "the same, not in the page cache, beside reading it", "",
              [Contender("floor", [["cat", archive]], before=cold),
               Contender("vigil", [sbom(f"docker-archive:{archive}")], before=cold)], "floor"),
         None),
        (Case("cache", "second scan, from the cache", "< 50 ms",
              [Contender("vigil", [sbom(tagged)]), *warm_peers]), None),
        (Case("one", "root filesystem with one package, start to exit", "< 15 ms",
              contenders(f"dir:{one}")), None),
        (Case("minbase", "root filesystem of Debian (minbase)", "",
              contenders(f"dir:{root}")), (f"dir:{root}", f"{IMAGES}/minbase.tsv")),
        (Case("larger", "2 GB of layers (docker-archive)", "< 64 MiB",
              contenders(f"docker-archive:{IMAGES}/larger.tar")),
         (f"docker-archive:{IMAGES}/larger.tar", f"{IMAGES}/larger.tsv")),
        (Case("many", "500,000 files more (gzip layers)", "< 64 MiB",
              [Contender("floor", [["igzip", "-dc", file] for file in
                                   layer_files(f"{IMAGES}/many")]),
               *contenders(f"oci-dir:{IMAGES}/many:image", f"oci-dir:{IMAGES}/many")], "floor"),
         (f"oci-dir:{IMAGES}/many", f"{IMAGES}/many.tsv")),
    ]


def write_sbom_of_500(path):
    """500 packages of the image that have an epoch, a source of another name or neither, as Syft
    would write them."""
    components = []
    with open(f"{IMAGES}/larger.tsv") as file:
        rows = [line.rstrip("\n").split("\t") for line in file]
    for name, version, arch, source, source_version, _ in rows[:500]:
        quoted = version.replace("+", "%2B").replace(":", "%3A").replace("~", "%7E")
        upstream = "" if (source, source_version) == (name, version) else (
            f"&upstream={source}%40" +
            source_version.replace("+", "%2B").replace(":", "%3A").replace("~", "%7E"))
        components.append({
            "type": "library", "name": name, "version": version,
            "purl": f"pkg:deb/debian/{name}@{quoted}?arch={arch}{upstream}&distro=debian-12"})
    assert len(components) == 500
    with open(path, "w") as file:
        json.dump({"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1,
                   "components": components}, file)


def database_cases(feeds):
    document = f"{SCRATCH}/500.cdx.json"
    write_sbom_of_500(document)
    build = vigil("db", "build", "--quiet", "--feeds", feeds, "--out", DATABASE)
    scan = vigil("scan", "--stats", "-o", "json", "--db", DATABASE, f"sbom:{document}")

    def remove():
        shutil.rmtree(DATABASE, ignore_errors=True)

    return [
        Case("build", "build the database from all feeds", "< 30 s, < 512 MiB",
             [Contender("vigil", [build], before=remove)]),
        Case("match", "match 500 packages, start to exit", "< 5 ms for open and match",
             [Contender("vigil", [scan])]),
    ]


def match_phases(case, rounds):
    """What opening the database and matching take of a scan, by its own clock."""
    command = case.contenders[0].commands[0]
    values = {"open database": [], "match": []}
    for _ in range(rounds * 3):
        done = subprocess.run(command, capture_output=True, text=True)
        for name in values:
            values[name].append(float(re.search(f"{name}: ([0-9.]+) ms", done.stderr)[1]))
    both = [sum(pair) for pair in zip(*values.values())]
    findings = len(json.loads(output_of(command))["findings"])
    case.notes.append(
        f"{findings} findings; open database {spread(values['open database'], 1)} ms, "
        f"match {spread(values['match'], 1)} ms, both {spread(both, 1)} ms.")


def shown(command):
    return " ".join(re.sub(rf"^(\w[\w-]*:)?{re.escape(TOP)}/", r"\1", word) for word in command)


def table_rows(case):
    for contender in case.contenders:
        cost = case.costs[contender.name]
        digits = 1 if statistics.median(cost.wall_ms) < 100 else 0
        ratio = "–"
        if case.base and contender.name != case.base:
            ratio = spread(ratios(case.costs, contender.name, case.base), 2)
        yield (f"| {case.work} | {case.aim if contender.name == 'vigil' else ''} "
               f"| {contender.name} | {spread(cost.wall_ms, digits)} | {ratio} "
               f"| {statistics.median(cost.cpu_ms):.0f} | {cost.memory_bytes / MIB:.1f} |")


def machine():
    with open("/proc/cpuinfo") as file:
        model = re.search("model name\\s*: (.*)", file.read())[1]
    with open("/proc/meminfo") as file:
        total = int(file.read().split()[1]) // MIB
    return (f"{os.cpu_count()} × {model}, {total} GiB, Linux {os.uname().release}, load "
            f"{os.getloadavg()[0]:.1f} before")


def version_lines(others):
    commit = output_of(["git", "-C", TOP, "describe", "--always", "--dirty"]).strip()
    yield f"- vigil {output_of(vigil('version')).split()[1]}, commit {commit}, release build"
    for program in ("igzip", "zstd"):
        text = subprocess.run([program, "--version"], capture_output=True, text=True)
        yield f"- {(text.stdout + text.stderr).strip().splitlines()[0].strip('* ')}"
    for peer in others:
        yield f"- {peer.name} {peer.version()}"


def image_lines():
    for name in ("big-gzip", "big-zstd", "many"):
        sizes = [os.path.getsize(file) / 1e6 for file in layer_files(f"{IMAGES}/{name}")]
        yield f"- {name}: layers of " + " + ".join(f"{size:.0f}" for size in sizes) + " MB"
    for name in ("big.tar", "larger.tar"):
        yield f"- {name}: {os.path.getsize(f'{IMAGES}/{name}') / 1e6:.0f} MB"


def report(cases, others, rounds, host):
    lines = [f"# Measured on {datetime.date.today()}", "",
             f"`bench/run.py --rounds {rounds}`; `bench/README.md` says what is measured and how.",
             "", f"Machine: {host}.", "", *version_lines(others), "", "Images:", "",
             *image_lines(), "",
             "| work | aim | | wall ms | ÷ floor | processor ms | MiB |",
             "|---|---|---|---|---|---|---|"]
    for case in cases:
        lines += table_rows(case)
    lines += ["", "Median (smallest–largest). Ratios are of runs of one round.", "",
              "## Answers", ""]
    lines += [f"- {case.work}: {' '.join(case.notes)}" for case in cases if case.notes]
    lines += ["", "## Commands", ""]
    for case in cases:
        for contender in case.contenders:
            lines += [f"    # {case.name}, {contender.name}",
                      *(f"    {shown(command)}" for command in contender.commands)]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n\n")[1].removeprefix("usage: "))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--only", default="")
    parser.add_argument("--feeds", default=os.path.join(TOP, "../shared/feeds"))
    parser.add_argument("--out", default=os.path.join(
        TOP, f"bench/results/{datetime.date.today()}.md"))
    options = parser.parse_args()
    only = set(filter(None, options.only.split(",")))

    subprocess.run([f"{TOP}/tools/setup", "build", "bench"], check=True)
    subprocess.run([f"{TOP}/tools/build", "release", "vigil"], check=True)
    subprocess.run([f"{TOP}/bench/make_images"], check=True)
    os.makedirs(SCRATCH, exist_ok=True)
    others = peers.installed(f"{TOP}/build/bench/peers", SCRATCH)
    host = machine()

    chosen = [pair for pair in image_cases(others) if not only or pair[0].name in only]
    for case, check in chosen:
        if check:
            case.notes = check_answers(*check, others)
    cases = [case for case, _ in chosen]
    if os.path.isdir(options.feeds):
        cases += [case for case in database_cases(options.feeds)
                  if not only or case.name in only]
    else:
        print(f"no feeds in {options.feeds}: nothing about the database is measured")

    for case in cases:
        rounds = min(options.rounds, 3) if case.name == "build" else options.rounds
        case.costs = measure(case.contenders, rounds)
        if case.name == "match":
            match_phases(case, rounds)
        print(*table_rows(case), sep="\n", flush=True)
    os.makedirs(os.path.dirname(options.out), exist_ok=True)
    with open(options.out, "w") as file:
        file.write(report(cases, others, options.rounds, host))
    print(f"written: {options.out}")


if __name__ == "__main__":
    main()
