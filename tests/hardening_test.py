#!/usr/bin/env python3
"""The program is as hardened as Debian's own.

usage: tests/hardening_test.py [-v] PROGRAM
"""
import subprocess
import sys
import unittest

program = ""


def readelf(*flags):
    return subprocess.run(["readelf", "-W", *flags, program], check=True, capture_output=True,
                          text=True).stdout


class HardeningTest(unittest.TestCase):
    def test_position_independent(self):
        self.assertRegex(readelf("-h"), r"Type:\s+DYN")
        self.assertRegex(readelf("-d"), r"FLAGS_1.*\bPIE\b")

    def test_relocations_are_read_only_before_main(self):
        self.assertIn("GNU_RELRO", readelf("-l"))
        self.assertRegex(readelf("-d"), r"FLAGS.*BIND_NOW|FLAGS_1.*\bNOW\b")

    def test_stack_is_not_executable(self):
        stack = [line for line in readelf("-l").splitlines() if "GNU_STACK" in line]
        self.assertEqual(len(stack), 1)
        self.assertNotIn("E", stack[0].split()[6])

    def test_no_segment_is_writable_and_executable(self):
        for line in readelf("-l").splitlines():
            if line.strip().startswith("LOAD"):
                self.assertNotIn("WE", line.replace(" ", ""), line)

    def test_stack_protector(self):
        self.assertIn("__stack_chk_fail", readelf("--dyn-syms"))

    def test_control_flow_protection(self):
        # Debian 12's own start files lack the mark, so that no program of it bears it; every
        # function whose address is taken begins with endbr64 all the same.
        code = subprocess.run(["objdump", "-d", "--no-show-raw-insn", program], check=True,
                              capture_output=True, text=True).stdout
        main = code[code.index("<main>:"):].splitlines()
        self.assertRegex(main[1], r"\bendbr64\b")

    def test_fortified_library_calls(self):
        self.assertRegex(readelf("--dyn-syms"), r"__\w+_chk@")

    def test_no_path_to_search_libraries(self):
        self.assertNotRegex(readelf("-d"), r"R(?:UN)?PATH")


if __name__ == "__main__":
    program = sys.argv.pop()
    unittest.main()
