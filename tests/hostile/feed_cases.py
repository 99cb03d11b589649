"""Hostile feeds of advisories for `vigil db build`: rows as in cases.py. A maker fills a feeds
folder; Refused means that nothing was built and the message names the file, Builds that the rest
counts."""

import json
import os
import struct
import zlib
from dataclasses import dataclass

from cases import Case, Refused


@dataclass
class Builds:
    pass


def write(folder, name, content):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def alpine_feed(folder):
    """One good feed, so that there is always something to build."""
    write(folder, "alpine/v3.20/main.json", json.dumps({
        "distroversion": "v3.20", "reponame": "main", "packages": [
            {"pkg": {"name": "musl", "secfixes": {"1.2.4-r0": ["CVE-2020-28928"]}}}]}))


def record(name, **fields):
    return json.dumps({
        "id": name, "modified": "2024-01-01T00:00:00Z", "aliases": [],
        "affected": [{"package": {"ecosystem": "PyPI", "name": "x"}, "ranges": [
            {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2.0"}]}]}],
        **fields}).encode()


class Zip:
    """A zip archive in which every field can lie."""

    def __init__(self):
        self.data = b""
        self.directory = b""
        self.count = 0

    def add(self, name, content, method=8, local_name=None, local_size=None, size=None, at=None,
            extra=b""):
        packed = content
        if method == 8:
            packer = zlib.compressobj(9, zlib.DEFLATED, -15)
            packed = packer.compress(content) + packer.flush()
        real = len(content) if size is None else size
        offset = len(self.data) if at is None else at
        crc = zlib.crc32(content)
        local = (local_name or name).encode()
        if at is None:
            self.data += struct.pack("<IHHHHHIIIHH", 0x04034b50, 20, 0, method, 0, 33, crc,
                                     len(packed), real if local_size is None else local_size,
                                     len(local), 0) + local + packed
        self.directory += struct.pack("<IHHHHHHIIIHHHHHII", 0x02014b50, 20, 20, 0, method, 0, 33,
                                      crc, len(packed), real, len(name), len(extra), 0, 0, 0, 0,
                                      offset) + name.encode() + extra
        self.count += 1
        return self

    def bytes(self):
        return self.data + self.directory + struct.pack(
            "<IHHHHIIH", 0x06054b50, 0, 0, self.count, self.count, len(self.directory),
            len(self.data), 0)


def osv(make_zip):
    def make(folder):
        alpine_feed(folder)
        content = make_zip()
        write(folder, "osv/PyPI/all.zip", content.bytes())
    return make


def osv_records(*records):
    def make_zip():
        archive = Zip()
        for i, one in enumerate(records):
            archive.add(f"R-{i}.json", one)
        return archive
    return osv(make_zip)


def overlapping():
    archive = Zip().add("PYSEC-1.json", record("PYSEC-1"))
    for i in range(2, 30_000):
        archive.add(f"PYSEC-{i}.json", record("PYSEC-1"), at=0)
    return archive


def bomb():
    return Zip().add("PYSEC-1.json", bytes(64 << 20), size=64 << 20).add(
        "PYSEC-2.json", bytes(512 << 20))


def alpine_file(name, content):
    def make(folder):
        alpine_feed(folder)
        write(folder, name, content() if callable(content) else content)
    return make


def sparse_file(name, size):
    def make(folder):
        alpine_feed(folder)
        write(folder, name, b"")
        os.truncate(folder / name, size)
    return make


def laughs():
    lines = ["a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    for i in range(1, 30):
        lines.append(f"a{i}: &a{i} [" + ", ".join([f"*a{i - 1}"] * 9) + "]")
    return "\n".join(lines) + "\npackages: *a29\n"


FEED_CASES = [
    Case(5, "zip with 30,000 entries over one another", osv(overlapping), Refused("all.zip")),
    Case(6, "zip64 with a size of 16 EiB",
         osv(lambda: Zip().add("PYSEC-1.json", record("PYSEC-1"), size=0xffffffff,
                               extra=struct.pack("<HHQ", 1, 8, 0xffffffffffffffff))),
         Refused("all.zip")),
    Case(7, "zip whose local header has another name",
         osv(lambda: Zip().add("PYSEC-1.json", record("PYSEC-1"), local_name="../../canary")),
         Refused("all.zip")),
    Case(7, "zip whose local header has another size",
         osv(lambda: Zip().add("PYSEC-1.json", record("PYSEC-1"), local_size=7)),
         Refused("all.zip")),
    Case(35, "JSON nested 100,000 deep",
         alpine_file("alpine/v3.19/main.json", lambda: "[" * 100_000), Refused("main.json")),
    Case(35, "JSON with a key twice and a number past everything",
         osv_records(b'{"id":"PYSEC-1","id":"PYSEC-2","modified":1e999999}'),
         Refused("osv/PyPI")),
    Case(36, "YAML with a billion laughs", alpine_file("alpine/v3.9/main.yaml", laughs),
         Refused("main.yaml")),
    Case(36, "YAML nested 100,000 deep",
         alpine_file("alpine/v3.9/main.yaml", lambda: "[" * 100_000), Refused("main.yaml")),
    Case(49, "feed of 3 GiB of zeros", sparse_file("alpine/v3.19/main.json", 3 << 30),
         Refused("main.json")),
    Case(49, "zip that inflates to half a GiB", osv(bomb), Refused("all.zip")),
    Case(49, "zip with paths that lead out",
         osv(lambda: Zip().add("../../../outside/canary", record("PYSEC-1"))
             .add("/PYSEC-2.json", record("PYSEC-2"))), Builds()),
    Case(49, "records withdrawn and not, with aliases in a circle and dates to come",
         osv_records(record("PYSEC-1", withdrawn="2024-01-01T00:00:00Z", aliases=["PYSEC-2"]),
                     record("PYSEC-1", aliases=["PYSEC-2"]),
                     record("PYSEC-2", aliases=["PYSEC-1", "PYSEC-2"],
                            published="9999-12-31T23:59:59Z", modified="9999-12-31T23:59:59Z")),
         Builds()),
    Case(49, "a range that never ends and one that ends before it begins",
         osv_records(record("PYSEC-1", affected=[{
             "package": {"ecosystem": "PyPI", "name": "x"}, "ranges": [
                 {"type": "ECOSYSTEM", "events": [{"introduced": "0"}] * 1000},
                 {"type": "ECOSYSTEM", "events": [{"introduced": "2"}, {"fixed": "1"}]}]}])),
         Builds()),
    Case(49, "ids, names and words with control characters and paths in them",
         osv_records(record("../../canary"), record("A\x1b[2J"), record("B", affected=[{
             "package": {"ecosystem": "PyPI", "name": "../\u202e\n"}, "versions": ["\x00", "1"]}])),
         Builds()),
]
