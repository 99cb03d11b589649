"""A database made of the feed of Alpine 3.12 alone, for tests that need findings."""
import os
import shutil
import subprocess
import unittest

SHARED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../shared")


def build(program, folder):
    """Builds it in `folder` and returns its path; skips the test where the feeds are not there."""
    feed = os.path.join(SHARED, "feeds", "alpine", "v3.12")
    if not os.path.isdir(feed):
        raise unittest.SkipTest("the feeds are not beside the tree")
    feeds = os.path.join(folder, "feeds")
    shutil.copytree(feed, os.path.join(feeds, "alpine", "v3.12"))
    shutil.copy(os.path.join(SHARED, "feeds", "coverage.json"), feeds)
    database = os.path.join(folder, "db")
    subprocess.run([program, "db", "build", "-q", "--feeds", feeds, "--out", database], check=True)
    return database
