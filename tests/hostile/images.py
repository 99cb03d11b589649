"""Images written byte by byte, right or wrong as asked: tars, layers, archives and OCI layouts."""

import gzip
import hashlib
import json
import struct
import zlib
from pathlib import Path

BLOCK = 512
ALPINE = b'ID=alpine\nVERSION_ID=3.20.3\nNAME="Alpine Linux"\n'


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def apk_stanza(name, version="1.2.3-r0", extra=""):
    return f"P:{name}\nV:{version}\nA:x86_64\no:{name}\nL:MIT\n{extra}\n"


def dpkg_stanza(name, version="1.2.3-1", extra=""):
    return (f"Package: {name}\nStatus: install ok installed\nArchitecture: amd64\n"
            f"Version: {version}\n{extra}Description: a package\n\n")


def checksummed(block):
    block = bytearray(block)
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def header(name, size=0, kind=b"0", link=b"", size_field=None, magic=b"ustar\x0000"):
    name = name.encode() if isinstance(name, str) else name
    link = link.encode() if isinstance(link, str) else link
    block = bytearray(BLOCK)
    block[0:len(name[:100])] = name[:100]
    block[100:124] = b"0000644\x000000000\x000000000\0"
    block[124:136] = size_field or b"%011o\0" % size
    block[136:148] = b"00000000000\0"
    block[156:157] = kind
    block[157:157 + len(link[:100])] = link[:100]
    block[257:265] = magic
    return checksummed(block)


def padded(data):
    return data + bytes(-len(data) % BLOCK)


class Tar:
    """A tar archive; every method returns it, so that calls can be chained."""

    def __init__(self):
        self.parts = []

    def raw(self, data):
        self.parts.append(data)
        return self

    def file(self, name, content=b"", **fields):
        content = content.encode() if isinstance(content, str) else content
        name = name.encode() if isinstance(name, str) else name
        if len(name) > 100:
            self.long_name(name)
        return self.raw(header(name, len(content), **fields)).raw(padded(content))

    def node(self, name, kind, link=""):
        return self.raw(header(name, kind=kind, link=link))

    def folder(self, name):
        return self.node(name, b"5")

    def symlink(self, name, target):
        return self.node(name, b"2", target)

    def hard_link(self, name, target):
        return self.node(name, b"1", target)

    def long_name(self, name):
        name = name + b"\0"
        magic = b"ustar  \0"
        return self.raw(header("././@LongLink", len(name), b"L", magic=magic)).raw(padded(name))

    def pax(self, records, kind=b"x"):
        text = b""
        for key, value in records:
            rest = b" " + key + b"=" + value + b"\n"
            length = len(rest) + 1
            while len(str(length)) + len(rest) != length:
                length = len(str(length)) + len(rest)
            text += str(length).encode() + rest
        return self.raw(header("pax", len(text), kind)).raw(padded(text))

    def bytes(self, end=bytes(2 * BLOCK)):
        return b"".join(self.parts) + end


def alpine(*more, installed=None):
    """A base layer that holds a small Alpine; `more` are functions that add entries to it."""
    tar = Tar().folder("etc").file("etc/os-release", ALPINE)
    if installed is None:
        installed = apk_stanza("busybox") + apk_stanza("musl")
    tar.file("lib/apk/db/installed", installed)
    for add in more:
        add(tar)
    return tar


def debian(status):
    release = b'ID=debian\nVERSION_ID="12"\nVERSION_CODENAME=bookworm\n'
    return Tar().file("etc/os-release", release).file("var/lib/dpkg/status", status)


def rpm_root(path, content):
    return Tar().file("etc/os-release", b'ID="rhel"\nVERSION_ID="9.4"\n').file(path, content)


OCI = "application/vnd.oci.image."
LAYER_TYPES = {None: OCI + "layer.v1.tar", "gzip": OCI + "layer.v1.tar+gzip",
               "zstd": OCI + "layer.v1.tar+zstd"}


class Image:
    """An image of finished layers (bytes). Every document can be changed before it is written."""

    def __init__(self, *layers, compression=None, diff_ids=None):
        self.layers = list(layers)
        self.media_type = LAYER_TYPES[compression]
        self.diff_ids = diff_ids or [digest(layer) for layer in layers]
        self.labels = {}
        self.history = [{"created_by": f"step {i}"} for i in range(len(layers))]
        self.blobs = {}
        self.files = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}'}

    def config(self):
        return json.dumps({
            "os": "linux", "architecture": "amd64", "created": "2024-01-01T00:00:00Z",
            "config": {"Labels": self.labels, "Env": [f"{k}={v}" for k, v in self.labels.items()]},
            "rootfs": {"type": "layers", "diff_ids": self.diff_ids}, "history": self.history,
        }).encode()

    def blob(self, data, media_type, **fields):
        self.blobs[digest(data)] = data
        return {"mediaType": media_type, "digest": digest(data), "size": len(data), **fields}

    def manifest(self):
        return {"schemaVersion": 2, "mediaType": OCI + "manifest.v1+json",
                "config": self.blob(self.config(), OCI + "config.v1+json"),
                "layers": [self.blob(layer, self.media_type) for layer in self.layers]}

    def index(self, manifest=None):
        text = json.dumps(manifest or self.manifest()).encode()
        return {"schemaVersion": 2, "manifests": [self.blob(text, OCI + "manifest.v1+json")]}

    def layout(self, folder, index=None):
        """Writes an OCI layout and returns the target."""
        blobs = folder / "blobs" / "sha256"
        blobs.mkdir(parents=True)
        text = index if isinstance(index, bytes) else json.dumps(index or self.index()).encode()
        (folder / "index.json").write_bytes(text)
        for name, content in self.files.items():
            (folder / name).write_bytes(content)
        for name, content in self.blobs.items():
            (blobs / name.removeprefix("sha256:")).write_bytes(content)
        return f"oci-dir:{folder}"

    def docker_archive(self, folder, names=None, manifest=None):
        """Writes what `docker save` would and returns the target. `names` replaces Layers."""
        config = self.config()
        config_name = hashlib.sha256(config).hexdigest() + ".json"
        tar = Tar().file(config_name, config)
        for i, layer in enumerate(self.layers):
            tar.file(f"{i}/layer.tar", layer)
        if manifest is None:
            manifest = json.dumps([{
                "Config": config_name, "RepoTags": ["app:1"],
                "Layers": names or [f"{i}/layer.tar" for i in range(len(self.layers))]}]).encode()
        tar.file("manifest.json", manifest)
        return archive(folder, tar.bytes())


def archive(folder, data, prefix="docker-archive:"):
    path = Path(folder) / "image.tar"
    path.write_bytes(data)
    return f"{prefix}{path}"


def root(folder, files):
    """A root filesystem in a folder: a small Alpine with `files` over it."""
    for name, content in {"etc/os-release": ALPINE, **files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return f"dir:{folder}"


def gzip_repeat(front, piece, times, back=b""):
    """gzip members of `front`, `times` times `piece`, and `back`: a large stream made fast."""
    member = gzip.compress(piece, 9, mtime=0)
    return gzip.compress(front, mtime=0) + member * times + gzip.compress(back, mtime=0)


def gzip_zeros(front, zeros_bytes):
    """One gzip member of `front` and then zeros, at the highest ratio that deflate has."""
    chunk = bytes(1 << 20)
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    first = packer.compress(front) + packer.flush(zlib.Z_FULL_FLUSH)
    repeated = packer.compress(chunk) + packer.flush(zlib.Z_FULL_FLUSH)
    # After a full flush no history is used, so that the same bytes can follow any number of times.
    count = zeros_bytes // len(chunk)
    crc = zlib.crc32(front)
    for _ in range(count):
        crc = zlib.crc32(chunk, crc)
    size = (len(front) + count * len(chunk)) & 0xffffffff
    return (b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + first + repeated * count + b"\x03\0" +
            struct.pack("<II", crc, size))


def zstd_raw(data):
    """One zstd frame of uncompressed blocks (RFC 8878), for machines without the zstd program."""
    out = b"\x28\xb5\x2f\xfd\x00\x58"  # No content size, a window of 2 MiB.
    pieces = [data[i:i + (64 << 10)] for i in range(0, len(data), 64 << 10)] or [b""]
    for i, piece in enumerate(pieces):
        is_last = i == len(pieces) - 1
        out += struct.pack("<I", len(piece) << 3 | is_last)[:3] + piece
    return out


def zstd_zeros(front, zeros_bytes, window_descriptor=0x58, filler=0):
    """A zstd frame of `front` and run-length blocks of zeros: 4 bytes for each 128 KiB, or where
    `filler` is given that many more, so that the ratio is an honest one."""
    out = b"\x28\xb5\x2f\xfd\x00" + bytes([window_descriptor])
    for i in range(0, len(front), 64 << 10):
        piece = front[i:i + (64 << 10)]
        out += struct.pack("<I", len(piece) << 3)[:3] + piece
    size = (128 << 10) - filler
    run = struct.pack("<I", size << 3 | 1 << 1)[:3] + b"\0"
    if filler:
        run += struct.pack("<I", filler << 3)[:3] + bytes(filler)
        size += filler
    return out + run * (zeros_bytes // size) + b"\x01\0\0"


def entry_headers(count):
    """Yields the headers of `count` empty files with distinct names, 4096 at a time. They are made
    by columns, which is fast: a name is a number in letters and its complement, so that all have
    one checksum."""
    letters = b"abcdefghijklmnop"
    digits, low, chunk = 8, 3, 4096
    out = bytearray(header("f/" + "a" * digits + "p" * digits) * chunk)

    def put(place, values):
        out[2 + place::BLOCK] = bytes(letters[v] for v in values)
        out[2 + digits + place::BLOCK] = bytes(letters[15 - v] for v in values)

    for place in range(low):
        put(digits - 1 - place, [i >> 4 * place & 15 for i in range(chunk)])
    for number in range(count // chunk):
        for place in range(digits - low):
            put(digits - 1 - low - place, [number >> 4 * place & 15] * chunk)
        yield bytes(out)
