#!/usr/bin/env python3
"""What the documents name is there: files, commands and their flags.

usage: tests/documents_test.py [-v] PROGRAM
"""
import glob
import os
import re
import subprocess
import sys
import unittest

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
DOCUMENTS = sorted(glob.glob("*.md", root_dir=ROOT) + glob.glob("docs/*.md", root_dir=ROOT))
# Where a path in a document may begin.
PLACES = ("", "src", "docs", "src/advisory", "src/catalog", "src/image", "src/match", "src/report",
          "src/version", "src/cli", "src/base", "src/decode", "src/scan")
program = ""


def read(path):
    with open(os.path.join(ROOT, path)) as file:
        return file.read()


def help_of(*words):
    return subprocess.run([program, *words, "--help"], check=True, capture_output=True,
                          text=True).stdout


def commands():
    rows = help_of().split("Commands:\n", 1)[1].split("\n\n", 1)[0].splitlines()
    return [row.strip().split("  ", 1)[0] for row in rows]


def code_of(document):
    """The lines of a document's code: between fences, or indented."""
    fenced = re.findall(r"(?ms)^```(?:sh|console|text)$(.*?)^```$", read(document))
    indented = re.findall(r"(?m)^ {4}\S.*$", read(document))
    return [line.strip() for line in "\n".join(fenced + indented).split("\n")]


def exists(path):
    return any(os.path.exists(os.path.join(ROOT, place, path)) for place in PLACES)


class DocumentsTest(unittest.TestCase):
    def test_files_that_are_named_are_there(self):
        for document in DOCUMENTS:
            for path in re.findall(r"`([\w./-]+/[\w.-]+\.(?:cc|h|py|md|def|txt))`",
                                   read(document)):
                with self.subTest(document, path=path):
                    # NAME, NNNN and the like stand for what the reader puts there.
                    self.assertTrue(exists(path) or re.search(r"[A-Z]{4}", path), path)

    def test_links_lead_somewhere(self):
        for document in DOCUMENTS:
            for target in re.findall(r"\]\(([^)#:]+)\)", read(document)):
                with self.subTest(document, target=target):
                    path = os.path.join(ROOT, os.path.dirname(document), target)
                    self.assertTrue(os.path.exists(path))

    def test_commands_have_the_flags_that_are_shown(self):
        known = sorted(commands(), key=len, reverse=True)
        helps = {name: help_of(*name.split()) for name in known}
        shown = 0
        for document in DOCUMENTS:
            if document == "docs/commands.md":
                continue  # The help itself.
            for code in code_of(document):
                match = re.match(r"(?:\$ )?vigil ([a-z].*)$", code)
                if match is None:
                    continue
                line = match.group(1).split(" #")[0]
                name = next((n for n in known if line == n or line.startswith(n + " ")), None)
                with self.subTest(document, line=line):
                    self.assertIsNotNone(name)
                    for flag in re.findall(r"(?<!\S)--?[a-z][a-z-]*", line):
                        self.assertRegex(helps[name], r"(?<![\w-])" + flag + r"(?![\w-])")
                    shown += 1
        self.assertGreater(shown, 10)


if __name__ == "__main__":
    program = sys.argv.pop()
    unittest.main()
