#!/usr/bin/env python3
"""packaging/vigil-watch.service under systemd: in a guest with Debian's kernel and userland.

usage: tests/kernel/service_test.py [-v] PROGRAM

Needs root and build/fixtures/containers/service (tests/containers/make_images). What is asked in
the guest is in tests/kernel/service_proof; what it has to answer is here.
"""
import base64
import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

TREE = os.path.abspath(os.path.join(os.path.dirname(__file__), "../.."))
KERNEL = TREE + "/build/fixtures/kernel-6.1"
SYSTEM = TREE + "/build/fixtures/containers/service"
UNIT = "etc/systemd/system/vigil-watch.service"
PROOF_UNIT = """[Unit]
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/proof/service_proof
"""
CAPABILITIES = {"DAC_READ_SEARCH": 2, "KILL": 5, "SETGID": 6, "SETUID": 7, "SYS_PTRACE": 19,
                "SYS_ADMIN": 21, "PERFMON": 38, "BPF": 39}

program = ""


def archive(folder):
    """Its files as the kernel unpacks them (newc)."""
    files = subprocess.run(["find", ".", "-mindepth", "1"], cwd=folder, check=True,
                           capture_output=True).stdout
    return subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], cwd=folder, input=files,
                          check=True, capture_output=True).stdout


def add_files(folder):
    """What the guest has beside Debian."""
    def put(path, text, mode=0o644):
        os.makedirs(os.path.dirname(f"{folder}/{path}"), exist_ok=True)
        with open(f"{folder}/{path}", "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(f"{folder}/{path}", mode)

    os.makedirs(folder + "/usr/bin")
    shutil.copy(program, folder + "/usr/bin/vigil")
    subprocess.run(["strip", "-S", folder + "/usr/bin/vigil"], check=True)
    with open(TREE + "/packaging/vigil-watch.service", encoding="utf-8") as file:
        put(UNIT, file.read())
    with open(TREE + "/tests/kernel/service_proof", encoding="utf-8") as file:
        put("proof/service_proof", file.read(), 0o755)
    put("etc/systemd/system/proof.service", PROOF_UNIT)
    with tempfile.TemporaryDirectory() as bundle:
        subprocess.run(["runc", "spec", "--bundle", bundle], check=True)
        with open(bundle + "/config.json", encoding="utf-8") as file:
            config = json.load(file)
    config["process"].update(terminal=False, args=["perl", "-e", "sleep 10000"])
    config["root"]["readonly"] = False
    put("proof/config.json", json.dumps(config))
    # The kernel asks for the module of a file system when it is first wanted.
    with open(KERNEL + "/overlay.ko", "rb") as file:
        release = re.search(rb"vermagic=(\S+)", file.read()).group(1).decode()
    modules = f"lib/modules/{release}"
    put(f"usr/{modules}/modules.dep", "overlay.ko:\n")
    put(f"usr/{modules}/modules.alias", "alias fs-overlay overlay\n")
    shutil.copy(KERNEL + "/overlay.ko", f"{folder}/usr/{modules}")
    os.makedirs(folder + "/usr/sbin")
    shutil.copy("/bin/busybox", folder + "/usr/bin/busybox")
    os.symlink("../bin/busybox", folder + "/usr/sbin/modprobe")


def run_guest():
    """What each question of service_proof was answered: exit code and text, by name."""
    subprocess.run([TREE + "/tests/kernel/fetch_kernel", "6.1"], check=True)
    with tempfile.TemporaryDirectory() as folder:
        add_files(folder + "/files")
        with open(folder + "/initrd", "wb") as file:
            file.write(archive(SYSTEM))
            file.write(archive(folder + "/files"))
        done = subprocess.run(
            ["qemu-system-x86_64", "-machine", "q35", "-accel", "tcg,thread=multi", "-cpu",
             "max,-cx16", "-m", "2048", "-smp", "2", "-nographic", "-no-reboot", "-nic", "none",
             "-serial", "mon:stdio", "-serial", f"file:{folder}/answers",
             "-kernel", KERNEL + "/vmlinuz", "-initrd", folder + "/initrd", "-append",
             "console=ttyS0 quiet panic=-1 lsm=capability,bpf mitigations=off "
             "rdinit=/lib/systemd/systemd systemd.wants=proof.service systemd.show_status=0 "
             "systemd.mask=systemd-firstboot.service"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            timeout=900, check=False)
        with open(folder + "/answers", encoding="ascii") as file:
            lines = file.read().splitlines()
    answers = {"console": (0, done.stdout.decode(errors="replace"))}
    for name, status, *text in map(str.split, lines):
        answers[name] = (int(status), "".join(gzip.decompress(base64.b64decode(one)).decode()
                                              for one in text))
    if "end" not in answers:
        raise AssertionError(f"the guest did not come to its end\n{answers['console'][1][-6000:]}")
    return answers


class ServiceTest(unittest.TestCase):
    maxDiff = None
    answers = {}

    @classmethod
    def setUpClass(cls):
        cls.answers = run_guest()

    def answer(self, name, status=0):
        self.assertEqual(self.answers[name][0], status, self.answers[name][1])
        return self.answers[name][1].rstrip("\n")

    def exposure(self, name):
        answer = self.answer(name)
        try:
            return json.loads(answer)
        except json.JSONDecodeError:
            self.fail(f"{name}: {answer}\n{self.answers['console'][1][-6000:]}")

    def used(self, name):
        return {one["name"] for one in self.exposure(name)["packages"]
                if one["verdict"] == "in_use"}

    def test_systemd_finds_nothing_wrong_with_it(self):
        self.assertEqual(self.answer("verify"), "")
        level = re.search(r"exposure level for vigil-watch.service: ([0-9.]+)",
                          self.answer("security"))
        self.assertLess(float(level.group(1)), 6.0)

    def test_it_starts_with_all_programs_and_no_complaint(self):
        self.answer("start")
        self.answer("ready")
        journal = self.answer("journal")
        self.assertIn("watching with bpf, files by lsm", journal)
        told = [line for line in journal.splitlines() if line.startswith("vigil: ")]
        for line in told:
            self.assertRegex(line, "^vigil: (watching with bpf|blind spot: |ready: |ended: )")
        self.assertEqual(self.answer("state"), "700 root")

    def test_it_keeps_what_it_names_and_no_more(self):
        self.answer("namespace")
        status = dict(line.split(":\t", 1) for line in self.answer("status").splitlines())
        expected = sum(1 << number for number in CAPABILITIES.values())
        self.assertEqual(int(status["CapEff"], 16), expected)
        self.assertEqual(int(status["CapPrm"], 16), expected)
        self.assertEqual(int(status["CapInh"], 16), 0)
        self.assertEqual(status["NoNewPrivs"], "1")

    def test_a_container_and_the_host_are_seen(self):
        self.assertEqual(self.answer("container"), "")
        self.assertLessEqual({"perl-base", "libc6"}, self.used("box"))
        self.assertNotIn("systemd", self.used("box"))
        self.assertEqual(self.exposure("box")["coverage"]["attach"], "from_start")
        self.assertLessEqual({"systemd", "libc6", "libsystemd-shared"}, self.used("host"))

    def test_it_is_reloaded_started_again_and_stopped(self):
        self.answer("reload")
        self.answer("again")
        self.assertEqual(self.answer("restarts"), "1")
        self.assertIn("perl-base", self.used("kept"))
        self.answer("stop")
        self.assertEqual(sorted(self.answer("result").splitlines()),
                         ["ActiveState=inactive", "ExecMainStatus=0", "Result=success"])
        self.assertIn("vigil: ended: ", self.answer("journal"))


if __name__ == "__main__":
    program = os.path.abspath(sys.argv.pop())
    if os.geteuid() != 0:
        print("skipped: the test of the service needs root")
        sys.exit(0)
    unittest.main()
