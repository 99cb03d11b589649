#!/usr/bin/env python3
"""Each check of tools/tidy.py finds what it is for, and nothing in a tree that is right."""
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import tidy

GOOD = {
    "FLOORS": "# Floors.\nfloor 0 base\nfloor 1 decode\nfloor 2 image catalog\n"
              "edge catalog image\n",
    "CMakeLists.txt": "vigil_folder(base)\nvigil_folder(decode USES base LIBRARIES x)\n"
                      "vigil_folder(image USES decode base)\n"
                      "vigil_folder(catalog USES image decode base)\n",
    "src/base/bytes.h": "#pragma once\n",
    "src/decode/json.h": "#pragma once\n",
    "src/decode/json.cc": '#include "decode/json.h"\n\n#include "base/bytes.h"\n',
    "src/decode/json_fuzz.cc": '#include "decode/json.h"\nint LLVMFuzzerTestOneInput();\n',
    "src/decode/testdata/json_fuzz/one": "{}",
    "src/catalog/catalogers.def": "// Sorted.\nCATALOGER(apk)\nCATALOGER(dpkg)\n",
    "src/catalog/catalogers/apk.cc": '#include "decode/json.h"\n'
                                     "extern const Cataloger apk_cataloger;\n"
                                     "const Cataloger apk_cataloger = {};\n",
    "src/catalog/catalogers/dpkg.cc": '#include "decode/json.h"\n'
                                      "constexpr Cataloger dpkg_cataloger = {};\n",
}


def findings(changes):
    """What tidy says of the good tree with these files changed (None: removed)."""
    with tempfile.TemporaryDirectory() as root:
        for path, text in {**GOOD, **changes}.items():
            if text is None:
                continue
            os.makedirs(os.path.join(root, os.path.dirname(path)), exist_ok=True)
            with open(os.path.join(root, path), "w") as file:
                file.write(text)
        return tidy.check(root)


class TidyTest(unittest.TestCase):
    maxDiff = None

    def assert_found(self, changes, *expected):
        self.assertEqual(findings(changes), list(expected))

    def test_a_good_tree(self):
        self.assert_found({})

    def test_a_higher_floor(self):
        self.assert_found({"src/base/bytes.cc": '#include "decode/json.h"\n'},
                          "src/base/bytes.cc:1: base may not include decode (FLOORS)")

    def test_the_same_floor_needs_an_edge(self):
        self.assert_found({"src/image/image.h": "#pragma once\n",
                           "src/catalog/a.cc": '#include "image/image.h"\n',
                           "src/image/a.cc": '#include "catalog/a.h"\n'},
                          "src/image/a.cc:1: image may not include catalog (FLOORS)")

    def test_a_folder_without_a_floor(self):
        self.assert_found({"src/util/a.cc": "int a;\n"},
                          "src/util/a.cc: folder util has no floor in FLOORS")

    def test_the_build_agrees_with_the_floors(self):
        self.assert_found(
            {"CMakeLists.txt": "vigil_folder(base USES decode)\nvigil_folder(decode)\n"},
            "CMakeLists.txt: base USES decode: FLOORS does not allow it",
            "CMakeLists.txt: decode includes base, which its USES lacks")

    def test_an_edge_joins_one_floor(self):
        self.assert_found({"FLOORS": GOOD["FLOORS"] + "edge decode base\n"},
                          "FLOORS: edge decode base does not join one floor")

    def test_a_line_without_its_file(self):
        self.assert_found(
            {"src/catalog/catalogers.def": "CATALOGER(apk)\nCATALOGER(dpkg)\nCATALOGER(rpm)\n"},
            "src/catalog/catalogers.def: rpm is defined by no file in src/catalog/catalogers/")

    def test_a_file_without_its_line(self):
        self.assert_found(
            {"src/catalog/catalogers.def": "CATALOGER(apk)\n"},
            "src/catalog/catalogers/dpkg.cc: dpkg is not listed in src/catalog/catalogers.def")

    def test_lines_are_sorted(self):
        self.assert_found({"src/catalog/catalogers.def": "CATALOGER(dpkg)\nCATALOGER(apk)\n"},
                          "src/catalog/catalogers.def: lines are not sorted")

    def test_a_fuzz_target_without_seeds(self):
        self.assert_found({"src/decode/testdata/json_fuzz/one": None},
                          "src/decode/json_fuzz.cc: has no seeds in src/decode/testdata/json_fuzz/")

    def test_a_parser_without_a_fuzz_target(self):
        self.assert_found(
            {"src/decode/zip.cc": "int zip;\n",
             "src/catalog/catalogers/apk.cc": "const Cataloger apk_cataloger = {};\n"},
            "src/decode/zip.cc: parses outside bytes and has no fuzz target (zip_fuzz.cc)",
            "src/catalog/catalogers/apk.cc: parses outside bytes and has no fuzz target "
            "(apk_fuzz.cc)")

    def test_banned_calls(self):
        for call in ("throw 1;", "std::regex r;", 'system("ls");', "strcpy(a, b);",
                     "using namespace std;", "std::thread t;", 'getenv("HOME");', "std::cout;",
                     "atoi(a);", "usleep(1);", "t.detach();"):
            found = findings({"src/decode/json.cc": f"{call}\n"})
            self.assertEqual(len(found), 1, (call, found))
            self.assertIn("src/decode/json.cc:1: banned; use ", found[0])

    def test_words_in_comments_and_strings_are_no_calls(self):
        self.assert_found({"src/decode/json.cc": '// throw, std::regex\n/* system(\n) */\n'
                                                 'auto a = "using namespace";\n'
                                                 "auto b = R\"(throw \")\";\nauto c = '\"';\n"
                                                 "auto d = 1'000'000;\n"})

    def test_threads_belong_to_base(self):
        self.assert_found({"src/base/pool.cc": "std::thread t;\n"})

    def test_tests_may_read_the_environment(self):
        self.assert_found({"src/decode/json_test.cc": 'getenv("HOME");\n'})

    def test_owners_of_third_party_headers(self):
        self.assert_found(
            {"src/decode/json.cc": "#include <seccomp.h>\n",
             "src/decode/json.h": "#pragma once\n#include <zstd.h>\n"},
            "src/decode/json.cc:1: <seccomp.h> belongs to src/base/confine.cc",
            "src/decode/json.h:2: <zstd.h>: no third-party header in a header")

    def test_a_todo_needs_an_issue(self):
        mark = "TO" "DO"
        self.assert_found({"src/decode/json.cc": f"// {mark}(#12): later.\n// {mark}: some day.\n"},
                          f"src/decode/json.cc:2: {mark} without an issue: {mark}(#123)")

    def test_paths_and_hosts(self):
        self.assert_found(
            {"README.md": "See /ho" "me/me/x.\nFrom http://deb.debian" ".org/debian.\n",
             "src/decode/json.cc": 'auto a = "/tm" "p/x";\nauto b = "/tm' 'p/x";\n'},
            "README.md:1: path of one machine",
            "README.md:2: host of a package archive; take it from the machine's own configuration",
            "src/decode/json.cc:2: fixed path of a temporary file")

    def test_columns(self):
        self.assert_found({"tools/x.py": "#" * 100 + "\n" + "#" * 101 + "\n"},
                          "tools/x.py:2: 101 columns: at most 100")

    def test_a_header_without_pragma_once(self):
        self.assert_found({"src/decode/json.h": "int a;\n"}, "src/decode/json.h: no #pragma once")


if __name__ == "__main__":
    unittest.main()
