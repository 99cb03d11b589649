#!/usr/bin/env python3
"""Checks what the tree promises and no compiler checks: floors, plugin lists, fuzz targets, banned
calls, owners of third-party headers. Prints one line per finding and fails if there is any.

usage: tools/tidy.py [--lengths] [ROOT]

--lengths also lists functions over 70 lines and files over 1,000: aims for a reviewer, never a
failure.
"""
import os
import re
import sys

COLUMNS_MAX = 100
FILE_BYTES_MAX = 4 << 20
NOT_OURS = (".git", "build", "__pycache__")
FUNCTION_LINES_AIM = 70
FILE_LINES_AIM = 1000

# Folder of the plugins, its .def file, the word in the symbols: NAME_word.
PLUGINS = [
    ("src/advisory/feeds", "src/advisory/feeds.def", "feed"),
    ("src/catalog/catalogers", "src/catalog/catalogers.def", "cataloger"),
    ("src/cli/commands", "src/cli/commands.def", "command"),
    ("src/image/sources", "src/image/sources.def", "source"),
    ("src/match/matchers", "src/match/matchers.def", "matcher"),
    ("src/sensor/event_sources", "src/sensor/event_sources.def", "event_source"),
    ("src/report/formats", "src/report/formats.def", "format"),
    ("src/version/schemes", "src/version/schemes.def", "scheme"),
]

# Code that parses outside bytes: each file there needs a fuzz target.
HOSTILE = ["src/decode", "src/advisory/feeds", "src/catalog/catalogers"]

# Pattern, what to use instead, files or folders that may.
TESTS = "tests"  # Test files, wherever they are.
BANNED = [
    (r"\bthrow\b", "return fail(...), a Result (base/result.h)", []),
    (r"\bstd::w?regex\b|#include <regex>", "RE2: linear time on hostile input", []),
    (r"\b(?:std::)?system\s*\(|\bpopen\s*\(", "posix_spawn with a list of arguments", [TESTS]),
    (r"\b(?:strcpy|strcat|sprintf|vsprintf|gets|strtok)\s*\(", "std::string or fmt", []),
    (r"\b(?:atoi|atol|atoll|atof)\s*\(", "std::from_chars, which reports errors",
     [TESTS]),
    (r"\busing\s+namespace\b", "names with their namespace", []),
    (r"\bstd::j?thread\b|\bpthread_create\b|\bstd::async\b", "base/thread_pool.h", ["src/base/"]),
    (r"\bgetenv\s*\(", "an option passed down; only cli reads the environment",
     ["src/cli/command.cc", TESTS]),
    (r"\bstd::cout\b|\bstd::cerr\b|#include <iostream>", "cli::print and cli::complain", []),
    (r"\bsleep_for\b|\bsleep_until\b|\busleep\s*\(|\bsleep\s*\(", "an event to wait for", []),
    (r"\.detach\s*\(\s*\)", "a thread somebody joins (base/thread_pool.h)", []),
]

# Third-party headers and the files that may include them. Test files may include them too.
OWNERS = {
    "archive.h": ["src/decode/archive.cc"],
    "bpf/": ["src/sensor/kernel_features.cc", "src/sensor/kernel_programs.cc"],
    "archive_entry.h": ["src/decode/archive.cc"],
    "curl/": ["src/net/http_client.cc"],
    "fmt/": [".cc"],
    "isa-l": ["src/decode/inflate.cc"],
    "openssl/": ["src/base/digest.cc", "src/advisory/signature.cc"],
    "seccomp.h": ["src/base/confine.cc"],
    "simdjson": ["src/base/json.cc"],
    "sqlite3.h": ["src/decode/rpmdb_sqlite.cc", "src/exposure/sqlite.cc"],
    "xxhash.h": ["src/base/digest.cc"],
    "yaml-cpp/": ["src/decode/yaml.cc"],
    "zstd": ["src/decode/inflate.cc", "src/decode/deflate.cc"],
}

# The names of hosts and folders are split so that this file does not hold them itself.
MACHINE_PATH = re.compile(r"(?:^|[^A-Za-z0-9_.-])/(?:wo" r"rk|fa" r"rm|ho" r"me|ro" r"ot)/")
TEMPORARY_PATH = re.compile(r"(?:^|[^A-Za-z0-9_.-])/tm" r"p/")
PACKAGE_HOST = re.compile("|".join([
    r"\b(?:deb|ftp\.\w+|snapshot|archive)\.debian" r"\.org", r"security\.debian" r"\.org/debian",
    r"archive\.ubuntu" r"\.com", r"registry\.npmjs" r"\.org", r"files\.pythonhosted" r"\.org",
    r"proxy\.golang" r"\.org", r"static\.crates" r"\.io", r"repo1?\.maven"]))
TODO = re.compile(r"\b(?:TODO|FIXME|XXX)\b")
TODO_WITH_NUMBER = re.compile(r"\bTODO\(#\d+\)")

INCLUDE = re.compile(r'^\s*#include ["<]([^">]+)[">]', re.M)
SYSTEM_INCLUDE = re.compile(r"^\s*#include <([^>]+)>", re.M)
OWN_INCLUDE = re.compile(r'^\s*#include "([^"]+)"', re.M)
SPECIAL = re.compile(r"_(?:test|fuzz|bench|main)\.cc$")


def without_comments(text):
    """C++ with comments and the contents of string and character literals blanked; lines stay."""
    token = re.compile(
        r'//[^\n]*|/\*.*?\*/|R"([^()\s\\]{0,16})\(.*?\)\1"|"(?:\\.|[^"\\\n])*"|'
        r"(?<![0-9A-Za-z_])'(?:\\.|[^'\\\n])+'", re.S)

    def blank(match):
        found = match.group(0)
        if found.startswith("/"):
            return re.sub(r"[^\n]", " ", found)
        return '""' + "\n" * found.count("\n")

    # An #include keeps its name: it is no string.
    lines = []
    for line in text.split("\n"):
        lines.append(line.replace('"', "\x00") if line.lstrip().startswith("#include") else line)
    return token.sub(blank, "\n".join(lines)).replace("\x00", '"')


def is_test(path):
    return path.startswith("tests/") or path.endswith(("_test.cc", "_fuzz.cc", "_bench.cc"))


class Tree:
    """The files of a tree, and what was found wrong with them."""

    def __init__(self, root):
        self.root = root
        self.files = []
        for folder, folders, names in os.walk(root):
            folders[:] = [f for f in folders if f not in NOT_OURS]
            inside = os.path.relpath(folder, root)
            self.files += [os.path.normpath(os.path.join(inside, n)) for n in names
                           if n not in NOT_OURS and not os.path.islink(os.path.join(folder, n))]
        self.files.sort()
        self.texts = {}
        self.findings = []

    def text(self, path):
        """The file as text; None where it is none."""
        if path not in self.texts:
            with open(os.path.join(self.root, path), "rb") as file:
                content = file.read()
            try:
                self.texts[path] = None if b"\0" in content else content.decode()
            except UnicodeDecodeError:
                self.texts[path] = None
        return self.texts[path]

    def sources(self, folder="", ends=(".cc", ".h")):
        return [f for f in self.files if f.startswith(folder) and f.endswith(ends)]

    def report(self, path, line, message):
        where = f"{path}:{line}" if line else path
        self.findings.append(f"{where}: {message}")

    def report_matches(self, path, text, pattern, message):
        for match in pattern.finditer(text):
            self.report(path, text.count("\n", 0, match.start() + 1) + 1, message)


def read_floors(tree):
    floors, edges = {}, set()
    for number, line in enumerate((tree.text("FLOORS") or "").splitlines(), 1):
        words = line.split("#")[0].split()
        if not words:
            continue
        if words[0] == "floor" and len(words) > 2 and words[1].isdigit():
            for folder in words[2:]:
                floors[folder] = int(words[1])
        elif words[0] == "edge" and len(words) == 3:
            edges.add((words[1], words[2]))
        else:
            tree.report("FLOORS", number, f"not understood: {line}")
    for edge in sorted(edges):
        if floors.get(edge[0], -1) != floors.get(edge[1], -2):
            tree.report("FLOORS", 0, f"edge {edge[0]} {edge[1]} does not join one floor")
    return floors, edges


def check_floors(tree):
    floors, edges = read_floors(tree)

    def may_use(user, used):
        return user == used or floors[used] < floors[user] or (user, used) in edges

    used_by = {}
    for path in tree.sources("src/"):
        folder = path.split("/")[1]
        if folder not in floors:
            tree.report(path, 0, f"folder {folder} has no floor in FLOORS")
            continue
        for match in OWN_INCLUDE.finditer(tree.text(path)):
            line = tree.text(path).count("\n", 0, match.end()) + 1
            used = match.group(1).split("/")[0]
            if used not in floors or "/" not in match.group(1):
                tree.report(path, line, f'"{match.group(1)}" is not written "folder/file.h"')
            elif not may_use(folder, used):
                tree.report(path, line, f"{folder} may not include {used} (FLOORS)")
            elif used != folder and not path.endswith("_test.cc"):
                used_by.setdefault(folder, set()).add(used)

    build = tree.text("CMakeLists.txt") or ""
    for match in re.finditer(r"(?m)^ *vigil_folder\((\w+)([^)]*)\)", build):
        folder = match.group(1)
        words = match.group(2).split()
        uses = []
        if "USES" in words:
            for word in words[words.index("USES") + 1:]:
                if word == "LIBRARIES":
                    break
                uses.append(word)
        if folder not in floors:
            tree.report("CMakeLists.txt", 0, f"folder {folder} has no floor in FLOORS")
            continue
        for used in uses:
            if used not in floors or not may_use(folder, used):
                tree.report("CMakeLists.txt", 0, f"{folder} USES {used}: FLOORS does not allow it")
        for used in sorted(used_by.get(folder, set()) - set(uses)):
            tree.report("CMakeLists.txt", 0, f"{folder} includes {used}, which its USES lacks")


def check_plugins(tree):
    for folder, def_path, word in PLUGINS:
        files = {f[len(folder) + 1:-3]: tree.text(f) for f in tree.sources(folder + "/", (".cc",))
                 if not SPECIAL.search(f) and f.count("/") == folder.count("/") + 1}
        if def_path not in tree.files:
            if files:
                tree.report(def_path, 0, f"missing, though {folder}/ has files")
            continue
        listed = []
        for number, line in enumerate(tree.text(def_path).splitlines(), 1):
            if not line.strip() or line.startswith("//"):
                continue
            match = re.fullmatch(r"[A-Z_]+\((\w+)\)", line.strip())
            if match is None:
                tree.report(def_path, number, f"not a line of the form NAME(symbol): {line}")
                continue
            listed.append(match.group(1))
        # The order of commands is the order of the help.
        if word != "command" and listed != sorted(listed):
            tree.report(def_path, 0, "lines are not sorted")
        for name in sorted({n for n in listed if listed.count(n) > 1}):
            tree.report(def_path, 0, f"{name} is listed twice")
        defined = {}
        for stem, text in files.items():
            pattern = r"(?<!extern )const(?:expr)? \w+ (\w+)_" + word + r"\s*(?:=|\{)"
            symbols = re.findall(pattern, without_comments(text))
            if not symbols:
                tree.report(f"{folder}/{stem}.cc", 0, f"defines no ..._{word}")
            for symbol in symbols:
                defined.setdefault(symbol, stem)
                if word != "command" and symbol != stem:
                    tree.report(f"{folder}/{stem}.cc", 0,
                                f"defines {symbol}_{word}: file and symbol have one name")
                if symbol not in listed:
                    tree.report(f"{folder}/{stem}.cc", 0, f"{symbol} is not listed in {def_path}")
        for name in listed:
            if name not in defined:
                tree.report(def_path, 0, f"{name} is defined by no file in {folder}/")


def check_fuzzers(tree):
    fuzzers = tree.sources("", ("_fuzz.cc",))
    reached = set()  # Headers that a fuzz target includes.
    for path in fuzzers:
        stem = os.path.basename(path)[:-3]
        seeds = os.path.join(os.path.dirname(path), "testdata", stem) + "/"
        if not any(f.startswith(seeds) for f in tree.files):
            tree.report(path, 0, f"has no seeds in {seeds}")
        if "LLVMFuzzerTestOneInput" not in tree.text(path):
            tree.report(path, 0, "does not define LLVMFuzzerTestOneInput")
        reached.update(OWN_INCLUDE.findall(tree.text(path)))
    # What a reached file is made of, in its own folder, is reached too.
    for header in sorted(reached):
        for own in (f"src/{header}", f"src/{header[:-2]}.cc"):
            if own in tree.files:
                reached.update(h for h in OWN_INCLUDE.findall(tree.text(own))
                               if h.startswith(header.split("/")[0] + "/"))
    # Contracts say nothing about which parser is reached.
    reached -= {"advisory/feed.h", "catalog/cataloger.h", "image/image.h", "base/bytes.h",
                "base/check.h", "base/limits.h", "base/json.h"}
    stems = {path[:-len("_fuzz.cc")] for path in fuzzers}
    named = "\n".join(without_comments(tree.text(path)) for path in fuzzers)

    for folder in HOSTILE:
        for path in tree.sources(folder + "/", (".cc",)):
            stem = path[:-3]
            name = os.path.basename(stem)
            own_header = stem[len("src/"):] + ".h"
            if SPECIAL.search(path) or stem in stems or own_header in reached:
                continue
            if re.search(r"\bextern const \w+ " + name + "_", named):
                continue
            # A plugin whose parsing is in a fuzzed file of its own.
            if any(header in reached for header in OWN_INCLUDE.findall(tree.text(path))):
                continue
            tree.report(path, 0, f"parses outside bytes and has no fuzz target ({name}_fuzz.cc)")


def check_calls(tree):
    for path in tree.sources("src/") + tree.sources("tests/"):
        code = without_comments(tree.text(path))
        for pattern, instead, allowed in BANNED:
            if not any(path.startswith(place) for place in allowed) and not (
                    TESTS in allowed and is_test(path)):
                tree.report_matches(path, code, re.compile(pattern), f"banned; use {instead}")
        for match in SYSTEM_INCLUDE.finditer(code):
            name = match.group(1)
            line = code.count("\n", 0, match.start() + 1) + 1
            for header, owners in OWNERS.items():
                if not name.startswith(header):
                    continue
                if path.endswith(".h"):
                    tree.report(path, line, f"<{name}>: no third-party header in a header")
                elif not is_test(path) and not any(path.endswith(owner) for owner in owners):
                    tree.report(path, line, f"<{name}> belongs to {', '.join(owners)}")


def check_text(tree):
    for path in tree.files:
        size = os.path.getsize(os.path.join(tree.root, path))
        if size > FILE_BYTES_MAX:
            tree.report(path, 0, f"{size} bytes: no file over {FILE_BYTES_MAX}")
        if "/testdata/" in path or tree.text(path) is None:
            continue
        text = tree.text(path)
        tree.report_matches(path, text, MACHINE_PATH, "path of one machine")
        tree.report_matches(path, text, PACKAGE_HOST, "host of a package archive; take it from "
                            "the machine's own configuration")
        is_code = path.endswith((".cc", ".h", ".def", ".py", ".txt", ".json", ".cmake")) or (
            "." not in os.path.basename(path) and text.startswith("#!"))
        if not is_code or path.startswith(("tests/goldens/expected/", "tests/quality/")):
            continue
        if path.startswith("src/") and not is_test(path):
            tree.report_matches(path, without_comments_but_strings(text), TEMPORARY_PATH,
                                "fixed path of a temporary file")
        for number, line in enumerate(text.split("\n"), 1):
            if len(line) > COLUMNS_MAX and path.endswith((".def", ".py", ".txt")):
                tree.report(path, number, f"{len(line)} columns: at most {COLUMNS_MAX}")
            if path.startswith(("src/", "tests/")) and TODO.search(line) and (
                    path.endswith((".cc", ".h"))) and not TODO_WITH_NUMBER.search(line):
                tree.report(path, number, "TODO without an issue: TODO(#123)")
        if path.endswith(".h") and path.startswith("src/") and "#pragma once" not in text:
            tree.report(path, 0, "no #pragma once")
        if text and not text.endswith("\n"):
            tree.report(path, 0, "last line has no end")


def without_comments_but_strings(text):
    return re.sub(r"(?m)^\s*//.*$|(?<=[;{}\s])// .*$", "", text)


def print_lengths(tree):
    for path in tree.sources("src/") + tree.sources("tests/"):
        lines = tree.text(path).count("\n")
        if lines > FILE_LINES_AIM:
            print(f"length: {path}: {lines} lines")
        # With the tree's format a function opens with " {" and closes with "}" in the same column.
        opened = None
        for number, line in enumerate(without_comments(tree.text(path)).split("\n"), 1):
            if opened is None and re.match(r"(?! *(?:namespace|struct|class|enum|extern)\b)"
                                           r" {0,2}\S.*\) (?:const |override |noexcept )*\{$|"
                                           r"    .*\) (?:const |override )*\{$", line):
                opened = (number, len(line) - len(line.lstrip()))
            elif opened is not None and re.match(r" {0,%d}\}" % opened[1], line):
                if number - opened[0] > FUNCTION_LINES_AIM:
                    print(f"length: {path}:{opened[0]}: a function of {number - opened[0]} lines")
                opened = None


def check(root):
    """All findings of a tree, as lines of text."""
    tree = Tree(root)
    check_floors(tree)
    check_plugins(tree)
    check_fuzzers(tree)
    check_calls(tree)
    check_text(tree)
    return tree.findings


def main(arguments):
    roots = [a for a in arguments if not a.startswith("-")]
    root = roots[0] if roots else os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
    if "--lengths" in arguments:
        print_lengths(Tree(root))
    findings = check(root)
    for finding in findings:
        print(finding)
    if findings:
        print(f"tidy: {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
