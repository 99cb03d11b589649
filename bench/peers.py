"""The other scanners, as far as they are installed: how each is asked for an image's packages."""
import json
import os
import shutil
import subprocess
import urllib.parse

# Without a network, and without what only jars would need: today's Debian images have some.
TRIVY = ["--format", "cyclonedx", "--quiet", "--offline-scan", "--skip-db-update",
         "--skip-java-db-update", "--skip-files", "**/*.jar"]


class Trivy:
    name = "Trivy"

    def __init__(self, program, scratch):
        self.program = program
        self.cache = os.path.join(scratch, "trivy-cache")

    def version(self):
        text = subprocess.run([self.program, "--version"], capture_output=True, text=True).stdout
        version = text.split("\n")[0].removeprefix("Version: ")
        try:
            with open(self.program + ".origin") as file:
                return f"{version} ({file.read().strip()})"
        except FileNotFoundError:
            return version

    def command(self, target):
        kind, path = target.split(":", 1)
        arguments = ["rootfs", path] if kind == "dir" else ["image", "--input", path]
        return [self.program, "--cache-dir", self.cache, arguments[0], *TRIVY, *arguments[1:]]

    def forget(self):
        shutil.rmtree(self.cache, ignore_errors=True)


class Syft:
    name = "Syft"

    def __init__(self, program, scratch):
        self.program = program

    def version(self):
        text = subprocess.run([self.program, "version", "-o", "json"], capture_output=True,
                              text=True).stdout
        return json.loads(text)["version"]

    def command(self, target):
        return [self.program, "scan", target, "-q", "-o", "cyclonedx-json"]

    def forget(self):
        pass


def installed(folder, scratch):
    """From `folder`, or else from the path."""
    search = folder + os.pathsep + os.environ["PATH"]
    found = []
    for peer in (Trivy, Syft):
        program = shutil.which(peer.name.lower(), path=search)
        if program:
            found.append(peer(program, scratch))
    return found


def cyclonedx_packages(text):
    """(name, version) of each Debian package of a CycloneDX document."""
    packages = set()
    for component in json.loads(text).get("components", []):
        purl = component.get("purl", "")
        if not purl.startswith("pkg:deb/"):
            continue
        path, _, query = purl.partition("?")
        name, _, version = path.rsplit("/", 1)[1].partition("@")
        epoch = urllib.parse.parse_qs(query).get("epoch", [""])[0]
        version = urllib.parse.unquote(version)
        if epoch and not version.startswith(epoch + ":"):
            version = f"{epoch}:{version}"
        packages.add((urllib.parse.unquote(name), version))
    return packages
