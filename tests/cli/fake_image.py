"""Images for tests: the same layers as docker-archive, OCI layout and OCI archive."""
import gzip
import hashlib
import io
import json
import os
import subprocess
import tarfile

COMPRESSIONS = ("", "+gzip", "+zstd")


def compressed(data, compression):
    if compression == "+gzip":
        return gzip.compress(data, mtime=0)
    if compression == "+zstd":
        return subprocess.run(["zstd", "-qc"], input=data, capture_output=True, check=True).stdout
    return data


def layer_of(files):
    """A tar of {path: text}."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path, text in files.items():
            member = tarfile.TarInfo(path)
            data = text.encode() if isinstance(text, str) else text
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return out.getvalue()


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Image:
    def __init__(self, layers, compression=""):
        """`layers`: tars, base first; `compression`: one of COMPRESSIONS."""
        self.tars = layers
        self.compression = compression
        self.blobs = {}
        self.config = json.dumps({
            "os": "linux", "architecture": "amd64",
            "rootfs": {"type": "layers", "diff_ids": [digest_of(one) for one in layers]},
            "history": [{"created_by": f"step {i}"} for i in range(len(layers))],
        }).encode()
        stored = [self._descriptor(compressed(one, compression),
                                   "application/vnd.oci.image.layer.v1.tar" + compression)
                  for one in layers]
        manifest = self._descriptor(json.dumps({
            "schemaVersion": 2,
            "config": self._descriptor(self.config, "application/vnd.oci.image.config.v1+json"),
            "layers": stored,
        }).encode(), "application/vnd.oci.image.manifest.v1+json")
        manifest["annotations"] = {"org.opencontainers.image.ref.name": "latest"}
        self.index = json.dumps({"schemaVersion": 2, "manifests": [manifest]}).encode()

    def _descriptor(self, blob, media_type):
        self.blobs[digest_of(blob)] = blob
        return {"mediaType": media_type, "digest": digest_of(blob), "size": len(blob)}

    def _layout(self):
        yield "oci-layout", b'{"imageLayoutVersion":"1.0.0"}'
        yield "index.json", self.index
        for digest, blob in self.blobs.items():
            yield "blobs/sha256/" + digest.removeprefix("sha256:"), blob

    def oci_dir(self, path):
        for name, data in self._layout():
            target = os.path.join(path, name)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(target, "wb") as file:
                file.write(data)
        return path

    def oci_archive(self, path):
        with open(path, "wb") as file:
            file.write(layer_of(dict(self._layout())))
        return path

    def docker_archive(self, path):
        config = digest_of(self.config).removeprefix("sha256:") + ".json"
        names = [f"{i}/layer.tar" for i in range(len(self.tars))]
        files = dict(zip(names, self.tars))
        files[config] = self.config
        files["manifest.json"] = json.dumps(
            [{"Config": config, "RepoTags": ["app:1"], "Layers": names}]).encode()
        with open(path, "wb") as file:
            file.write(layer_of(files))
        return path
