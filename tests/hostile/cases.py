"""The hostile inputs: one row each, numbered by kind. A maker writes its input into an empty folder
and returns the target; the expectation says what the program must answer.

  Refused(text)          exit code 1: the target cannot be read, and the message holds `text`
  Gaps(text, packages)   the result is incomplete: a gap whose place, reason or bound holds `text`;
                         --fail-on-gaps gives 3
  Reads(packages)        odd but whole: no gap, and exactly these packages
"""

import gzip
import json
import os
import re
import socket
import sqlite3
import struct
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import images
from images import Image, Tar, alpine, apk_stanza, archive, debian, digest, dpkg_stanza, rpm_root

HERE = Path(__file__).resolve().parent
DECODE = HERE.parent.parent / "src" / "decode" / "testdata"
BOTH = ("busybox", "musl")
GIB = 1 << 30
IS_FULL = os.environ.get("VIGIL_HOSTILE_FULL") == "1"


@dataclass
class Refused:
    text: str


@dataclass
class Gaps:
    text: str
    packages: tuple = None  # Those that are still found; None: not looked at.


@dataclass
class Reads:
    packages: tuple = BOTH


@dataclass
class Case:
    number: int
    name: str
    make: object
    expect: object
    flags: tuple = ()
    check: object = field(default=None)  # check(report) -> what is wrong, or None.


def one_layer(layer, compression=None, **fields):
    return lambda folder: Image(layer() if callable(layer) else layer, compression=compression,
                                **fields).layout(folder)


def tar_layer(tar):
    """An image whose only layer is the tar that `tar()` makes."""
    return lambda folder: Image(tar().bytes()).layout(folder)


def tar_layers(*tars):
    return lambda folder: Image(*(tar().bytes() for tar in tars)).layout(folder)


# 1, 2: bombs.

def gzip_bomb():
    tar = alpine().raw(images.header("zeros", size_field=b"\x80" + (64 * GIB).to_bytes(11, "big")))
    return images.gzip_zeros(tar.bytes(end=b""), 5 * GIB)


def zstd_bomb():
    tar = alpine().raw(images.header("zeros", size_field=b"\x80" + (64 * GIB).to_bytes(11, "big")))
    return images.zstd_zeros(tar.bytes(end=b""), 5 * GIB)


def bomb_in_database():
    """A package database that is all zeros, as large as is claimed."""
    tar = Tar().file("etc/os-release", images.ALPINE)
    tar.raw(images.header("lib/apk/db/installed", size_field=b"%011o\0" % (4 * GIB)))
    return images.gzip_zeros(tar.bytes(end=b""), 4 * GIB)


def databases_of_many_layers(folder):
    """Twenty layers, each with a database of 100 MB."""
    layers = []
    for i in range(20):
        line = b"#" + bytes([65 + i]) * 99 + b"\n"
        front = alpine().bytes(end=b"") if i == 0 else b""
        tar = front + images.header("lib/apk/db/installed", size=(100 << 20) // 100 * 100)
        layers.append(images.gzip_repeat(tar, line * 10486, 100, bytes(512 * 4)))
    return Image(*layers, compression="gzip").layout(folder)


def zstd_windows(folder):
    """Four layers, each of which fills the largest window that is read."""
    layers = []
    for i in range(4):
        tar = alpine().raw(images.header(f"zeros{i}", size=256 << 20)).bytes(end=b"")
        layers.append(images.zstd_zeros(tar, (256 << 20) + (128 << 10), 17 << 3, filler=256))
    return Image(*layers, compression="zstd").layout(folder)


# 8 to 21: what a tar can say.

def link_chain():
    tar = Tar().file("etc/os-release", images.ALPINE)
    for i in range(60):
        tar.symlink(f"chain{i}", f"chain{i + 1}")
    return tar.file("chain60", apk_stanza("musl")).symlink("lib/apk/db/installed", "/chain0")


def long_links():
    """Two folders behind 39 links, each with a target of 2000 parts, and files in them by turns."""
    tar = alpine()
    for side in "ab":
        for i in range(39):
            tar.pax([(b"linkpath", b"./" * 1000 + b"../" * 100 + b"x/../" * 200
                      + f"{side}{i + 1}".encode())]).symlink(f"{side}{i}", "")
    for i in range(20_000):
        tar.file(f"a0/{i}").file(f"b0/{i}")
    return tar


def deep_folders():
    """A link as deep as a path can be, and files in two folders as deep by turns."""
    deep = "d/" * 1900
    tar = alpine().long_name((deep + "link").encode()).symlink("x", "y")
    for i in range(5_000):
        tar.file(f"{deep}{i}").file(f"{deep.replace('d', 'e')}{i}")
    return tar


def link_loop():
    return (Tar().file("etc/os-release", images.ALPINE).symlink("lib/apk", "/a").symlink("a", "b")
            .symlink("b", "a"))


def sized(field_bytes):
    """A size field that is no size, on an entry before the package database."""
    return lambda: (Tar().file("etc/os-release", images.ALPINE)
                    .raw(images.header("x", size_field=field_bytes))
                    .file("lib/apk/db/installed", apk_stanza("musl")))


def sparse_8_eib(name):
    block = bytearray(images.header(name, 0, b"S", magic=b"ustar  \0"))
    block[386:410] = b"%011o\0" % 0 + b"%011o\0" % 0
    block[483:495] = b"\x80" + ((1 << 62) - 1).to_bytes(11, "big")
    return images.checksummed(bytes(block))


def strange_nodes(tar):
    for name, kind in (("fifo", b"6"), ("char", b"3"), ("block", b"4"), ("label", b"V"),
                       ("dump", b"D"), ("old", b"M"), ("unknown", b"~")):
        tar.node("dev/" + name, kind)


def many_entries(folder, distinct=True):
    count = (10_000_000 if IS_FULL else 1_000_000) // 4096 * 4096
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    layer = [packer.compress(alpine().bytes(end=b""))]
    layer += [packer.compress(chunk) for chunk in images.entry_headers(count)]
    layer += [packer.compress(bytes(1024)), packer.flush()]
    # As an upper layer, where every path that is written counts.
    return Image(gzip.compress(alpine().bytes(), mtime=0), b"".join(layer),
                 compression="gzip").layout(folder)


def many_links(folder):
    tar = alpine().bytes(end=b"")
    chunks = []
    for chunk in images.entry_headers(600_000 // 4096 * 4096):
        # The kind becomes that of a symbolic link, and the checksum grows by two.
        chunk = bytearray(chunk)
        chunk[156::512] = b"2" * 4096
        total = int(bytes(chunk[148:154]), 8) + 2
        for place, byte in enumerate(b"%06o" % total):
            chunk[148 + place::512] = bytes([byte]) * 4096
        chunks.append(chunk)
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    layer = packer.compress(tar) + b"".join(packer.compress(chunk) for chunk in chunks)
    layer += packer.compress(bytes(1024)) + packer.flush()
    return Image(layer, compression="gzip").layout(folder)


NAMES = (b"new\nline", b"esc\x1b[2J\x1b]0;title\x07", b"rtl\xe2\x80\xaegpj.exe", b"\xff\xfe\xfd",
         b"csi\xc2\x9b31m", b"tab\tcr\rback\x08", b"%s%n%x", b"-rf", b"`id`", b"\xed\xa0\x80")


def strange_names(tar):
    for name in NAMES:
        tar.file(b"srv/" + name, b"x").file(b"../" + name, b"x")


def strange_packages():
    """The same in what a database says: names and versions reach every output."""
    return "".join(apk_stanza("p" + name.replace(b"\n", b"").decode("latin-1"))
                   for name in NAMES).encode("latin-1") + apk_stanza("musl").encode()


def hides_all(name):
    return tar_layers(alpine, lambda: Tar().file(name))


# 23 to 30: documents.

def changed_blob(which):
    """An OCI layout in which one blob's bytes are not those that its digest names."""
    def make(folder):
        image = Image(alpine().bytes())
        index = image.index()
        manifest = json.loads(image.blobs[index["manifests"][0]["digest"]])
        name = {"manifest": index["manifests"][0]["digest"], "config": manifest["config"]["digest"],
                "layer": manifest["layers"][0]["digest"]}[which]
        content = image.blobs[name]
        swap = {"manifest": (b'"schemaVersion"', b'"schemaversion"'),
                "config": (b"2024", b"2025"), "layer": (b"musl", b"rust")}[which]
        image.blobs[name] = content.replace(*swap, 1)
        assert image.blobs[name] != content
        return image.layout(folder, index)
    return make


def index_in_index(depth, width=1):
    def make(folder):
        image = Image(alpine().bytes())
        index = image.index()
        for level in range(depth):
            text = json.dumps(index).encode()
            entry = image.blob(text, images.OCI + "index.v1+json")
            # White space makes each copy another document.
            index = {"schemaVersion": 2, "level": level, "manifests": [entry] * width}
        return image.layout(folder, index)
    return make


def index_of_itself(folder):
    """A digest cannot hold itself, so the index claims another's."""
    image = Image(alpine().bytes())
    inner = {"schemaVersion": 2, "manifests": [{
        "mediaType": images.OCI + "index.v1+json", "digest": "sha256:" + "0" * 64, "size": 0}]}
    size = len(json.dumps(inner).encode())
    inner["manifests"][0]["size"] = size + len(str(size)) - 1
    text = json.dumps(inner).encode()
    image.blobs["sha256:" + "0" * 64] = text
    return image.layout(folder, text)


def many_manifests(folder):
    image = Image(alpine().bytes())
    entry = image.index()["manifests"][0]
    index = {"schemaVersion": 2, "manifests": [
        {**entry, "digest": "sha256:%064x" % i} for i in range(100_000)]}
    return image.layout(folder, index)


def two_kinds(where):
    def make(folder):
        image = Image(alpine().bytes())
        manifest = image.manifest()
        both = {**manifest, "manifests": image.index()["manifests"]}
        if where == "index":
            return image.layout(folder, both)
        return image.layout(folder, image.index(both))
    return make


def foreign_layer(folder):
    """Its address is one where this test listens, and nobody may ask."""
    image = Image(alpine().bytes())
    manifest = image.manifest()
    port = foreign_layer.listener.getsockname()[1]
    manifest["layers"].append({
        "mediaType": "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
        "digest": "sha256:" + "1" * 64, "size": 10,
        "urls": [f"http://127.0.0.1:{port}/layer", "http://169.254.169.254/latest/meta-data"]})
    return image.layout(folder, image.index(manifest))


foreign_layer.listener = socket.create_server(("127.0.0.1", 0))
foreign_layer.listener.setblocking(False)


def nobody_asked(_report):
    try:
        foreign_layer.listener.accept()
        return "the address of a foreign layer was asked"
    except BlockingIOError:
        return None


def linked_blob(which):
    def make(folder):
        target = Image(alpine().bytes()).layout(folder)
        if which == "index":
            path = folder / "index.json"
        else:
            path = max((folder / "blobs" / "sha256").iterdir(), key=lambda p: p.stat().st_size)
        outside = folder.parent / "outside" / "blob"
        path.rename(outside)
        path.symlink_to(outside)
        return target
    return make


# 31 to 34: package databases.

def dpkg_status(status):
    return lambda folder: images.root(folder, {
        "etc/os-release": b'ID=debian\nVERSION_ID="12"\n', "var/lib/dpkg/status": status()})


def header_of(count, data_bytes, entries=b"", data=b""):
    return struct.pack(">II", count, data_bytes) + entries + data


def bdb(change):
    def make(folder):
        content = bytearray((DECODE / "rpmdb_bdb_fuzz" / "little_hash").read_bytes())
        change(content)
        return archive_root(folder, "var/lib/rpm/Packages", bytes(content))
    return make


def ndb(change):
    def make(folder):
        content = bytearray((DECODE / "rpmdb_ndb_fuzz" / "two_packages").read_bytes())
        change(content)
        return archive_root(folder, "usr/lib/sysimage/rpm/Packages.db", bytes(content))
    return make


def archive_root(folder, name, content):
    return Image(rpm_root(name, content).bytes()).layout(folder)


def sqlite(*statements, change=None):
    def make(folder):
        path = folder.parent / "made.sqlite"
        path.unlink(missing_ok=True)
        database = sqlite3.connect(path)
        database.execute("pragma writable_schema = on")
        for statement in statements:
            statement(database) if callable(statement) else database.execute(statement)
        database.commit()
        database.close()
        content = bytearray(path.read_bytes())
        path.unlink()
        if change:
            change(content)
        return archive_root(folder, "var/lib/rpm/rpmdb.sqlite", bytes(content))
    return make


PACKAGES = "create table Packages (hnum integer primary key, blob blob not null)"


def lying_header(database):
    """A region that claims 4 billion entries, and one that claims 2 GiB of data."""
    for number, blob in enumerate((header_of(0xffffffff, 0xffffffff), header_of(1, 0x7fffffff),
                                   header_of(0x0fffffff, 16, b"\0" * 64), b"", b"\0" * 7)):
        database.execute("insert into Packages values (?, ?)", (number + 1, blob))


def all_pages_point_to(number):
    """Every overflow page, hash page and bucket leads to one page."""
    def change(content):
        for at in range(512, len(content) - 24, 512):
            struct.pack_into("<I", content, at + 16, number)
            struct.pack_into("<I", content, at + 12, number)
    return change


def set_all(offset_start, step, value):
    def change(content):
        for at in range(offset_start, len(content) - 4, step):
            struct.pack_into("<I", content, at, value)
    return change


# 45 to 48: words.

def purls(*lines):
    def make(folder):
        path = folder / "purls"
        path.write_text("\n".join(lines) + "\n")
        return f"purl:{path}"
    return make


def versions(*texts):
    return tar_layer(lambda: alpine(installed="".join(
        apk_stanza(f"p{i}", text) for i, text in enumerate(texts)) + apk_stanza("musl")))


def spoofed(release):
    """A Debian whose os-release says something else."""
    return tar_layer(lambda: Tar().file("etc/os-release", release)
                     .file("var/lib/dpkg/status", dpkg_stanza("openssl"))
                     .file("var/lib/dpkg/info/openssl.list", "/usr/bin/openssl\n"))


def nothing_is_clean(report):
    clean = [p["name"] for p in report["packages"]
             if p.get("verdict", {}).get("state") in ("clean", "no_known_fix_missing")]
    return f"clean although nothing could be known: {clean}" if clean else None


def labelled(folder):
    image = Image(alpine().bytes())
    texts = ["<script>alert(1)</script>", "=cmd|' /C calc'!A0", "%s%n%x", "\x1b[31mred",
             "\r\nvigil: ok",
             "'; DROP TABLE findings; --", "\u202egnp", "${jndi:ldap://127.0.0.1/a}"]
    image.labels = {text: text for text in texts}
    image.history = [{"created_by": " ".join(texts)}]
    return image.layout(folder)


def fifo_root(folder):
    target = images.root(folder, {"lib/apk/db/placeholder": b""})
    for name in ("lib/apk/db/installed", "etc/alpine-release", "var-lib-dpkg"):
        os.mkfifo(folder / name)
    return target


def device_root(folder):
    """Links to devices of the machine, and one where the program may make it."""
    target = images.root(folder, {"lib/apk/db/placeholder": b""})
    (folder / "lib/apk/db/installed").symlink_to("/dev/zero")
    (folder / "var/lib/dpkg").mkdir(parents=True)
    try:
        os.mknod(folder / "var/lib/dpkg/status", 0o20666, os.makedev(1, 5))
    except PermissionError:
        (folder / "var/lib/dpkg/status").symlink_to("/dev/zero")
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(os.path.relpath(folder / "s"))
    return target


def escaping_root(folder):
    """A root whose links lead to a package database outside of it."""
    outside = folder.parent / "outside"
    (outside / "installed").write_text(apk_stanza("stolen"))
    target = images.root(folder, {"lib/apk/db/placeholder": b""})
    (folder / "lib/apk/db/installed").symlink_to("../" * 20 + str(outside / "installed")[1:])
    return target


def proc_root(folder):
    """Magic links lead anywhere; they are not followed."""
    target = images.root(folder, {"lib/apk/db/placeholder": b""})
    (folder / "lib/apk/db/installed").symlink_to("/proc/self/root/etc/passwd")
    return target


LONG = "1." * 10_000 + "1"

CASES = [
    Case(1, "gzip layer of 5 GiB of zeros", one_layer(gzip_bomb, "gzip"),
         Gaps("kLargeInflateRatioMax", BOTH)),
    Case(1, "zstd layer of 5 GiB of zeros", one_layer(zstd_bomb, "zstd"),
         Gaps("kInflateRatioMax", BOTH)),
    Case(1, "package database of 4 GiB of zeros", one_layer(bomb_in_database, "gzip"),
         Gaps("lib/apk/db/installed")),
    Case(1, "twenty layers with databases of 100 MB", databases_of_many_layers,
         Gaps("kKeptBytesMax")),
    Case(2, "zstd frame with a window of 2 TiB",
         one_layer(lambda: images.zstd_zeros(alpine().bytes(), 1 << 20, 31 << 3), "zstd"),
         Gaps("kZstdWindowBytesMax")),
    Case(2, "four zstd layers with the largest window", zstd_windows, Reads()),
    Case(8, "tar entry ../../etc/passwd",
         tar_layer(lambda: alpine(lambda t: t.file("../" * 9 + "outside/canary", "x"))),
         Gaps("out of the root", BOTH)),
    Case(9, "absolute tar path",
         lambda folder: tar_layer(lambda: alpine(
             lambda t: t.file(f"{folder.parent}/outside/canary", "x")))(folder), Reads()),
    Case(10, "symlink to / and a file through it",
         tar_layer(lambda: Tar().file("etc/os-release", images.ALPINE).symlink("x", "/")
                   .file("x/lib/apk/db/installed", apk_stanza("musl"))
                   .symlink("y", "../../../..").file("y/outside/canary", "x")), Reads(("musl",))),
    Case(10, "root with links out of it", escaping_root, Gaps("no package database", ())),
    Case(10, "root with links through /proc", proc_root, Gaps("no package database", ())),
    Case(11, "hard link to a file outside",
         tar_layer(lambda: alpine(
             lambda t: t.hard_link("var/lib/dpkg/status", "../../etc/passwd"))),
         Gaps("out of the root", BOTH)),
    Case(11, "hard link to a later entry",
         tar_layer(lambda: alpine(lambda t: t.hard_link("var/lib/dpkg/status", "later")
                                  .file("later", dpkg_stanza("late")))), Gaps("hard link")),
    Case(12, "symlink loop above a database", tar_layer(link_loop),
         Gaps("no package database", ())),
    Case(12, "chain of 60 symlinks to a database", tar_layer(link_chain),
         Gaps("no package database", ())),
    Case(12, "folders behind many long links", tar_layer(long_links), Gaps("kLinkWorkMax", BOTH)),
    Case(12, "folders beside a very deep link", tar_layer(deep_folders),
         Gaps("kLinkWorkMax", BOTH)),
    Case(13, "negative tar size", tar_layer(sized(b"\xff" * 12)), Gaps("negative")),
    Case(13, "tar size that is not octal", tar_layer(sized(b"99999999999\0")), Gaps("not octal")),
    Case(13, "tar size past everything", tar_layer(sized(b"\x80" + b"\xff" * 11)),
         Gaps("overflowing")),
    Case(13, "tar size past the end", tar_layer(sized(b"77777777777\0")), Gaps("cut short")),
    Case(14, "pax header of 1 GiB",
         one_layer(lambda: images.gzip_zeros(alpine().raw(
             images.header("pax", GIB, b"x")).bytes(end=b""), GIB), "gzip"),
         Gaps("kTarHeaderBytesMax", BOTH)),
    Case(14, "GNU long name of 1 GiB",
         one_layer(lambda: images.gzip_zeros(alpine().raw(
             images.header("././@LongLink", GIB, b"L")).bytes(end=b""), GIB), "gzip"),
         Gaps("kTarHeaderBytesMax", BOTH)),
    Case(14, "ten thousand long names for one entry",
         tar_layer(lambda: alpine(lambda t: [t.long_name(b"n" * 5000) for _ in range(10_000)])),
         Reads()),
    Case(15, "sparse database of 8 EiB",
         tar_layer(lambda: alpine(lambda t: t.raw(sparse_8_eib("var/lib/dpkg/status")))),
         Gaps("var/lib/dpkg/status", BOTH)),
    Case(15, "sparse file of 8 EiB nobody asked for",
         tar_layer(lambda: alpine(lambda t: t.raw(sparse_8_eib("srv/x")))), Reads()),
    Case(16, "device nodes, FIFOs and unknown kinds", tar_layer(lambda: alpine(strange_nodes)),
         Reads()),
    Case(16, "FIFO in a database's place in a tar",
         tar_layer(lambda: Tar().file("etc/os-release", images.ALPINE)
                   .node("lib/apk/db/installed", b"6")), Gaps("no package database", ())),
    Case(16, "FIFOs in a root", fifo_root, Gaps("not a regular file", ())),
    Case(16, "devices and sockets in a root", device_root, Gaps("not a regular file", ())),
    Case(17, "a million empty files (ten with --full)", many_entries, Reads()),
    Case(17, "600,000 symlinks", many_links, Gaps("kKeptBytesMax", BOTH)),
    Case(18, "strange names of files", tar_layer(lambda: alpine(strange_names)),
         Gaps("out of the root", BOTH)),
    Case(18, "strange names of packages", tar_layer(lambda: alpine(installed=strange_packages())),
         Reads(None)),
    Case(18, "name with a NUL",
         tar_layer(lambda: alpine(lambda t: t.pax([(b"path", b"a\0b")]).file("x"))),
         Gaps("NUL", BOTH)),
    Case(18, "name of 64 KiB", tar_layer(lambda: alpine(lambda t: t.file("n" * 65536))),
         Gaps("kPathBytesMax", BOTH)),
    Case(18, "ten thousand folders deep",
         tar_layer(lambda: alpine(lambda t: t.file("d/" * 10_000 + "f"))),
         Gaps("kPathBytesMax", BOTH)),
    Case(19, "the same path 1000 times",
         tar_layer(lambda: alpine(lambda t: [t.file("lib/apk/db/installed", apk_stanza(f"p{i}"))
                                             for i in range(1000)])), Reads(("p999",))),
    Case(20, "whiteout of the root", hides_all(".wh."), Gaps("whiteout", BOTH)),
    Case(20, "whiteout of ..", hides_all("lib/.wh..."), Gaps("whiteout", BOTH)),
    Case(20, "opaque root", hides_all(".wh..wh..opq"), Gaps("no package database", ())),
    Case(20, "opaque mark with more behind it", hides_all(".wh..wh..opq.x"), Reads()),
    Case(20, "whiteout with a separator", hides_all(".wh.lib/apk"), Reads()),
    Case(20, "whiteout in the layer of its file",
         tar_layer(lambda: alpine(lambda t: t.file("lib/apk/db/.wh.installed"))), Reads()),
    Case(21, "names that differ in case or form",
         tar_layer(lambda: alpine(lambda t: t.file("lib/apk/db/INSTALLED", apk_stanza("other"))
                                  .file("LIB/apk/db/installed", apk_stanza("other"))
                                  .file("lib/apk/db/installe\u0064\u0301", apk_stanza("other")))),
         Reads()),
    Case(22, "truncated tar", one_layer(lambda: alpine().bytes(end=b"")[:-700]), Gaps("cut short")),
    Case(22, "truncated gzip",
         one_layer(lambda: gzip.compress(alpine().bytes(), mtime=0)[:-20], "gzip"),
         Gaps("cut short")),
    Case(22, "gzip with a wrong checksum",
         one_layer(lambda: gzip.compress(alpine().bytes(), mtime=0)[:-8] + bytes(8), "gzip"),
         Gaps("damaged")),
    Case(22, "truncated zstd", one_layer(lambda: images.zstd_raw(alpine().bytes())[:-20], "zstd"),
         Gaps("cut short")),
    Case(22, "garbage after the tar's end", one_layer(lambda: alpine().bytes() + b"x" * 10_000),
         Reads()),
    Case(22, "garbage after gzip",
         one_layer(lambda: gzip.compress(alpine().bytes(), mtime=0) + b"garbage", "gzip"), Reads()),
    Case(22, "concatenated gzip members",
         one_layer(lambda: b"".join(gzip.compress(alpine().bytes()[i:i + 300], mtime=0)
                                    for i in range(0, len(alpine().bytes()), 300)), "gzip"),
         Reads()),
    Case(22, "a million empty gzip members",
         one_layer(lambda: gzip.compress(b"", mtime=0) * 1_000_000
                   + gzip.compress(alpine().bytes(), mtime=0), "gzip"), Reads()),
    Case(22, "a million zstd frames that are skipped",
         one_layer(lambda: b"\x50\x2a\x4d\x18\0\0\0\0" * 1_000_000
                   + images.zstd_raw(alpine().bytes()), "zstd"), Reads()),
    Case(22, "docker-archive that is cut short",
         lambda folder: cut(Image(alpine().bytes()).docker_archive(folder), 3000),
         Refused("cut short")),
    Case(22, "empty archive", lambda folder: archive(folder, b""), Refused("image.tar")),
    Case(22, "archive of noise", lambda folder: archive(folder, b"\xa5" * 10_000), Refused("")),
    Case(23, "manifest with another digest", changed_blob("manifest"), Refused("is claimed")),
    Case(23, "configuration with another digest", changed_blob("config"), Refused("is claimed")),
    Case(23, "layer with another digest", changed_blob("layer"), Refused("is claimed")),
    Case(23, "diff id of another tar",
         lambda folder: Image(alpine().bytes(), diff_ids=[digest(b"")]).docker_archive(folder),
         Refused("is claimed"), flags=("--verify-diff-ids",)),
    Case(24, "index that names itself", index_of_itself, Refused("")),
    Case(24, "indexes nested 50 deep", index_in_index(50), Refused("kIndexDepthMax")),
    Case(24, "indexes nested wide and deep", index_in_index(3, width=500), Reads()),
    Case(24, "index of 100,000 manifests", many_manifests, Refused("at most")),
    Case(25, "index that is a manifest too", two_kinds("index"), Refused("both")),
    Case(25, "manifest that is an index too", two_kinds("manifest"), Refused("both")),
    Case(26, "foreign layer at a metadata address", foreign_layer, Gaps("not fetched", BOTH),
         check=nobody_asked),
    Case(29, "docker-archive with layers outside",
         lambda folder: Image(alpine().bytes()).docker_archive(folder, names=["../../../x"]),
         Refused("out of the archive")),
    Case(29, "docker-archive with an absolute layer",
         lambda folder: Image(alpine().bytes()).docker_archive(folder, names=["/etc/passwd"]),
         Refused("etc/passwd")),
    Case(29, "docker-archive with 100,000 layers",
         lambda folder: Image(alpine().bytes()).docker_archive(
             folder, names=["0/layer.tar"] * 100_000),
         Refused("kLayersMax")),
    Case(30, "OCI blob that is a symlink", linked_blob("layer"), Refused("blob")),
    Case(30, "OCI index that is a symlink", linked_blob("index"), Refused("")),
    Case(31, "dpkg status with a field of 100 MB",
         dpkg_status(lambda: dpkg_stanza("a") + dpkg_stanza("c") + dpkg_stanza(
             "b", extra="X: " + "x" * 100_000_000 + "\n")),
         Gaps("no list of files", ("a", "b", "c"))),
    Case(31, "dpkg status of 100 MB without an end of line",
         dpkg_status(lambda: "x" * 100_000_000), Gaps("var/lib/dpkg/status")),
    Case(31, "dpkg status of one field in 10 million lines",
         dpkg_status(lambda: "Package: a\n" + " x\n" * 10_000_000), Gaps("var/lib/dpkg/status")),
    Case(31, "dpkg status with a package twice and cyclic Depends",
         dpkg_status(lambda: dpkg_stanza("a", extra="Depends: b\n")
                     + dpkg_stanza("b", extra="Depends: a\n")
                     + dpkg_stanza("a", "2.0-1", extra="Depends: a\n")),
         Gaps("more than once", ("a", "b"))),
    Case(31, "dpkg status.d that is a file",
         lambda folder: images.root(folder, {"etc/os-release": b"ID=debian\nVERSION_ID=12\n",
                                             "var/lib/dpkg/status.d": dpkg_stanza("a")}),
         Gaps("no package database", ())),
    Case(31, "200,000 dpkg packages",
         dpkg_status(lambda: "".join(dpkg_stanza(f"p{i}") for i in range(200_000))),
         Gaps("kPackagesMax")),
    Case(32, "Berkeley database with cyclic pages", bdb(all_pages_point_to(1)), Gaps("rpm")),
    Case(32, "Berkeley database with pages far away", bdb(all_pages_point_to(0xfffffff0)),
         Gaps("rpm")),
    Case(32, "Berkeley database full of ones", bdb(set_all(512, 4, 0xffffffff)),
         Gaps("no known type")),
    Case(32, "NDB with slots far away", ndb(set_all(32 + 8, 16, 0xfffffff0)), Gaps("rpm")),
    Case(32, "NDB with a slot table of 4 billion pages", ndb(set_all(12, 1 << 30, 0xffffffff)),
         Gaps("rpm")),
    Case(32, "NDB with blobs of 4 GiB", ndb(set_all(4096, 4, 0xffffffff)), Gaps("rpm")),
    Case(32, "rpm headers that claim 4 billion entries", sqlite(PACKAGES, lying_header),
         Gaps("rpm")),
    Case(33, "SQLite with a view for a table",
         sqlite("create view Packages as with recursive n(i) as (select 1 union all select i + 1 "
                "from n) select i as hnum, randomblob(1000000) as blob from n"), Gaps("rpm")),
    Case(33, "SQLite with triggers",
         sqlite(PACKAGES, lying_header, "create trigger t after insert on Packages begin select "
                "load_extension('/tmp/x'); end"), Gaps("rpm")),
    Case(33, "SQLite with a virtual table",
         sqlite(PACKAGES, "create table x (a)", "update sqlite_master set sql = 'create virtual "
                "table Packages using fts3(blob)', rootpage = 0 where name = 'Packages'"),
         Gaps("rpm")),
    Case(33, "SQLite with a cyclic tree",
         sqlite(PACKAGES, lying_header, change=set_all(4096, 4, 2)),
         Gaps("rpm")),
    Case(33, "SQLite that claims 4 billion pages",
         sqlite(PACKAGES, lying_header, change=lambda c: struct.pack_into(">I", c, 28, 0xfffffffe)),
         Gaps("rpm")),
    Case(34, "apk database of nothing but colons",
         tar_layer(lambda: alpine(installed=":\n" * 100_000)), Gaps("lib/apk/db/installed")),
    Case(34, "apk database with binary rubbish",
         tar_layer(lambda: alpine(installed=bytes(range(256)) * 4000)),
         Gaps("lib/apk/db/installed")),
    Case(34, "apk stanza without a version",
         tar_layer(lambda: alpine(installed="P:a\n\nV:1\n\n" + apk_stanza("musl"))),
         Gaps("lib/apk/db/installed", ("a", "musl")), check=nothing_is_clean),
    Case(34, "apk package with a million files",
         tar_layer(lambda: alpine(installed=apk_stanza(
             "musl", extra="F:d\n" + "R:f\n" * 1_000_000))),
         Reads(("musl",))),
    Case(45, "version of 1 MB", versions("1" * 1_000_000), Gaps("version", ("musl", "p0")),
         check=nothing_is_clean),
    Case(45, "version of 10,000 dots", versions(LONG), Gaps("version", ("musl", "p0")),
         check=nothing_is_clean),
    Case(45, "versions of huge numbers", versions("1" + "0" * 4000, "9" * 40 + "-r" + "9" * 40,
                                                  "1." * 2000 + "1", "1a" * 2000), Reads(None)),
    Case(46, "purl with control characters",
         purls("pkg:apk/alpine/musl@1.2.3-r0?distro=alpine-3.20", "pkg:apk/alpine/x@%0a%1b[31m"),
         Gaps("line 2")),
    Case(46, "purl with a NUL", purls("pkg:apk/alpine/%00@1?distro=alpine-3.20"),
         Refused("line 1")),
    Case(46, "purl with a wrong escape", purls("pkg:apk/alpine/%zz@1"), Refused("line 1")),
    Case(46, "purl with two distributions",
         purls("pkg:apk/alpine/x@1?distro=alpine-3.20&distro=debian-12"), Refused("line 1")),
    Case(46, "purl of 20,000 characters", purls("pkg:" + "x" * 20_000), Refused("line 1")),
    Case(46, "purls full of tricks",
         purls("pkg:apk/alpine/musl@1.2.3-r0?distro=alpine-3.20",
               "pkg:apk/alpine/a%2f..%2f..%2fetc%2fpasswd@1?distro=alpine-3.20",
               "pkg:apk/alpine/'%20or%201=1--@1?distro=alpine-3.20",
               "pkg:apk/alpine/%3Cscript%3E@1?distro=alpine-3.20"), Reads(None)),
    Case(47, "os-release that claims Alpine", spoofed(images.ALPINE), Reads(("openssl",)),
         check=nothing_is_clean),
    Case(47, "os-release that claims distroless",
         spoofed(b'ID=debian\nVERSION_ID=""\nPRETTY_NAME="Distroless"\n'), Reads(("openssl",)),
         check=nothing_is_clean),
    Case(47, "os-release with shell code",
         spoofed(b'ID="$(touch canary)"\nVERSION_ID=`touch canary`\nNAME=";touch canary;"\n'),
         Reads(("openssl",)), check=nothing_is_clean),
    Case(47, "os-release of 10 MB",
         spoofed(b'ID=debian\nVERSION_ID=12\nX="' + b"x" * 10_000_000 + b'"\n'),
         Gaps("os-release", ("openssl",)), check=nothing_is_clean),
    Case(48, "labels, steps and names with code in them", labelled, Reads()),
]


def cut(target, bytes_count):
    path = re.sub("^[a-z-]+:", "", target)
    os.truncate(path, os.path.getsize(path) - bytes_count)
    return target
