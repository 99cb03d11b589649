#!/usr/bin/env python3
"""What tools/new_plugin.py writes compiles, and passes tools/tidy.py."""
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import new_plugin
import tidy

FLAGS = ["-std=gnu++23", "-fsyntax-only", "-Wall", "-Wextra", "-Wshadow", "-Werror", "-Isrc",
         '-DVIGIL_SOURCE_DIR="."']


class NewPluginTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.root = os.path.join(self.folder.name, "tree")
        os.mkdir(self.root)
        for name in ("FLOORS", "CMakeLists.txt"):
            shutil.copy(os.path.join(new_plugin.ROOT, name), self.root)
        shutil.copytree(os.path.join(new_plugin.ROOT, "src"), os.path.join(self.root, "src"))
        self.before = tidy.check(self.root)

    def tearDown(self):
        self.folder.cleanup()

    def check(self, kind):
        written = new_plugin.write(self.root, kind, "sample_part")
        self.assertEqual(tidy.check(self.root), self.before)
        for path in written:
            if path.endswith(".cc"):
                compiled = subprocess.run(["g++", *FLAGS, path], cwd=self.root, text=True,
                                          capture_output=True)
                self.assertEqual(compiled.stderr, "", path)
        with self.assertRaises(FileExistsError):
            new_plugin.write(self.root, kind, "sample_part")


for _kind in new_plugin.KINDS:
    if os.path.exists(os.path.join(new_plugin.ROOT, "src", new_plugin.KINDS[_kind][1])):
        setattr(NewPluginTest, f"test_{_kind}", lambda self, kind=_kind: self.check(kind))

if __name__ == "__main__":
    unittest.main()
