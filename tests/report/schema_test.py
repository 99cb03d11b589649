#!/usr/bin/env python3
"""Validates the output formats against their published schemas, without a network.

Usage: schema_test.py [VIGIL]

Always: the expected files of the format tests, which are equal to what the program writes.
With VIGIL, the program: also what it makes of documents that it converts and of real inputs beside
the tree, in every format.
"""

import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import warnings
from pathlib import Path

try:
    import jsonschema
except ImportError:
    print("skipped: python3-jsonschema is not installed")
    sys.exit(77)

warnings.simplefilter("ignore", DeprecationWarning)  # RefResolver: Debian 12 has no other way.

TOP = Path(__file__).resolve().parents[2]
SCHEMAS = TOP / "tests" / "schemas"
EXPECTED = TOP / "src" / "report" / "testdata" / "expected"
SCHEMA_OF_FORMAT = {
    "cyclonedx": SCHEMAS / "bom-1.6.SNAPSHOT.schema.json",
    "grype-json": SCHEMAS / "grype-0.116.schema.json",
    "json": TOP / "docs" / "schema" / "report-1.schema.json",
    "openvex": SCHEMAS / "openvex-0.2.0.schema.json",
    "sarif": SCHEMAS / "sarif-2.1.0.schema.json",
    "spdx": SCHEMAS / "spdx-2.3.schema.json",
    "syft-json": SCHEMAS / "syft-16.1.13.schema.json",
    "trivy-json": SCHEMAS / "trivy-2.schema.json",
}
REPORTS_ONLY = ("grype-json", "openvex", "sarif")  # These hold no inventory.


def load_schema(path):
    schema = json.loads(path.read_text())
    # Syft's has a relative one, against which its own references would be read.
    if path.name.startswith("syft-"):
        del schema["$id"]
    return schema


def make_validator(path):
    schema = load_schema(path)
    store = {}
    for other in SCHEMAS.glob("*.SNAPSHOT.schema.json"):
        store["http://cyclonedx.org/schema/" + other.name] = json.loads(other.read_text())
    validator = jsonschema.validators.validator_for(schema)
    validator.check_schema(schema)
    address = schema.get("$id", schema.get("id", ""))
    resolver = jsonschema.RefResolver(address, schema, store=store)
    return validator(schema, resolver=resolver, format_checker=jsonschema.FormatChecker())


class Checker:
    def __init__(self):
        self.validators = {name: make_validator(path) for name, path in SCHEMA_OF_FORMAT.items()}
        self.documents_count = 0
        self.failures_count = 0

    def fail(self, what):
        self.failures_count += 1
        print("FAILED:", what)

    def check(self, name, text, where):
        self.documents_count += 1
        document = json.loads(text)
        for error in list(self.validators[name].iter_errors(document))[:5]:
            self.fail(f"{where}: {list(error.absolute_path)}: {error.message[:300]}")
        if name == "cyclonedx":
            self.check_references(document, where)
        if name == "sarif":
            self.check_for_github(document, where)

    def check_references(self, bom, where):
        """What a schema cannot say: bom-refs are unique and those named exist."""
        references = [one["bom-ref"] for one in bom["components"]]
        references.append(bom["metadata"]["component"]["bom-ref"])
        if len(references) != len(set(references)):
            self.fail(f"{where}: bom-refs repeat")
        for one in bom.get("vulnerabilities", []):
            for affected in one["affects"]:
                if affected["ref"] not in references:
                    self.fail(f"{where}: {affected['ref']} is affected and not there")

    def check_for_github(self, sarif, where):
        """What GitHub asks beyond the schema: one rule an id, fingerprints, places, limits."""
        run = sarif["runs"][0]
        rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
        if len(rules) != len(set(rules)):
            self.fail(f"{where}: rules repeat")
        if len(run["results"]) > 25000:
            self.fail(f"{where}: more results than GitHub takes")
        for result in run["results"]:
            if rules[result["ruleIndex"]] != result["ruleId"]:
                self.fail(f"{where}: ruleIndex of {result['ruleId']}")
            if not result["partialFingerprints"]["primaryLocationLineHash"]:
                self.fail(f"{where}: no fingerprint")
            uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
            if not uri.isascii() or uri.startswith("/") or " " in uri:
                self.fail(f"{where}: {uri!r} is no relative URI")


def check_expected(checker):
    for name in SCHEMA_OF_FORMAT:
        for path in sorted(EXPECTED.glob(f"{name}*.json")):
            if path.stem in (name, name + "-sbom", name + "-exposure", name + "-live"):
                checker.check(name, path.read_text(), path.name)


def run(*words):
    done = subprocess.run(words, capture_output=True, timeout=120, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{words[1]} ended with {done.returncode}: {done.stderr.decode()}")
    return done.stdout.decode()


def check_conversions(checker, vigil):
    """Each document that can be read, into each format that can hold it."""
    for name in ("json", "json-sbom", "cyclonedx", "spdx", "syft-json"):
        source = EXPECTED / f"{name}.json"
        formats = [one for one in SCHEMA_OF_FORMAT if name == "json" or one not in REPORTS_ONLY]
        with tempfile.TemporaryDirectory() as folder:
            run(vigil, "convert", source, "--files",
                *(f"-o{one}={folder}/{one}" for one in formats))
            for one in formats:
                text = Path(folder, one).read_text()
                checker.check(one, text, f"{source.name} as {one}")
                if name == "json" and one != "json" and text != expected_text(one):
                    checker.fail(f"{source.name} as {one} is not what the format test expects")


def expected_text(name):
    return (EXPECTED / f"{name}.json").read_text()


def check_real_inputs(checker, vigil):
    """A real root filesystem and a real SBOM against the real feeds beside the tree."""
    shared = TOP.parent / "shared"
    root = shared / "images" / "alpine-minirootfs-3.12.12-x86_64.tar.gz"
    if not root.exists():
        print("no real inputs beside the tree: not scanned")
        return
    with tempfile.TemporaryDirectory() as folder:
        feeds = Path(folder, "feeds")
        for name in ("alpine", "wolfi", "kev", "epss"):
            shutil.copytree(shared / "feeds" / name, feeds / name)
        run(vigil, "db", "build", "--feeds", feeds, "--out", f"{folder}/db")
        with tarfile.open(root) as tar:
            tar.extractall(f"{folder}/root")
        peers = shared / "feeds" / "goldens" / "peers"
        for target in (f"dir:{folder}/root", f"sbom:{peers}/wolfi.cdx.json"):
            words = [f"-o{one}={folder}/{one}" for one in SCHEMA_OF_FORMAT]
            run(vigil, "scan", target, "-q", "--no-cache", "--db", f"{folder}/db", *words)
            for one in SCHEMA_OF_FORMAT:
                text = Path(folder, one).read_text()
                checker.check(one, text, f"{target} as {one}")
                if one == "json" and not json.loads(text)["findings"]:
                    checker.fail(f"{target}: no findings")
            again = run(vigil, "convert", f"{folder}/json", "-ojson")
            if again != Path(folder, "json").read_text():
                checker.fail(f"{target}: a report read and written again is another one")


def main():
    checker = Checker()
    check_expected(checker)
    if len(sys.argv) > 1 and os.path.exists(sys.argv[1]):
        check_conversions(checker, sys.argv[1])
        check_real_inputs(checker, sys.argv[1])
    print(f"{checker.documents_count} documents checked, {checker.failures_count} failures")
    return 1 if checker.failures_count or not checker.documents_count else 0


if __name__ == "__main__":
    sys.exit(main())
