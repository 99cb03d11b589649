#!/usr/bin/env python3
"""Writes docs/commands.md from what the program's own help says.

usage: tools/commands_page.py [--check] [PROGRAM]      PROGRAM: build/release/vigil

--check fails where the page in the tree is another.
"""
import os
import subprocess
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
PAGE = os.path.join(ROOT, "docs/commands.md")


def help_of(program, *words):
    return subprocess.run([program, *words, "--help"], check=True, capture_output=True,
                          text=True).stdout


def page(program):
    overview = help_of(program)
    rows = overview.split("Commands:\n", 1)[1].split("\n\n", 1)[0].splitlines()
    # "  NAME    SUMMARY": at least two spaces between them.
    commands = [row.strip().split("  ", 1)[0] for row in rows]
    out = ["# Commands", "",
           "Written by `tools/commands_page.py` from the program's own help; a test compares them.",
           "", "```text", overview.rstrip(), "```"]
    for command in commands:
        out += ["", f"## vigil {command}", "", "```text",
                help_of(program, *command.split()).rstrip(), "```"]
    return "\n".join(out) + "\n"


def main(arguments):
    programs = [a for a in arguments if a != "--check"]
    text = page(programs[0] if programs else os.path.join(ROOT, "build/release/vigil"))
    if "--check" not in arguments:
        with open(PAGE, "w") as file:
            file.write(text)
        return 0
    with open(PAGE) as file:
        if file.read() == text:
            return 0
    print("docs/commands.md is not what the program says; run tools/commands_page.py")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
