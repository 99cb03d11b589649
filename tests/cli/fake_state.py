"""The state folder of an agent, made by hand: src/exposure/STORE_FORMAT.md."""
import os
import re
import sqlite3
import subprocess

SECOND = 10**9
HOUR = 3600 * SECOND

STORE = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                     "../../src/exposure/evidence_store.cc")


def schema():
    """The store's own, from its source."""
    with open(STORE, encoding="utf-8") as file:
        text = file.read()
    tables = re.search(r'kSchema = R"\((.*?)\)";', text, re.DOTALL).group(1)
    version = re.search(r"kStoreVersion = (\d+);", text).group(1)
    return f"{tables}\nPRAGMA user_version = {version};\nPRAGMA journal_mode = WAL;\n"


RUNTIMES = {"host": 1, "podman": 2, "docker": 3, "containerd": 4, "cri-o": 5, "runc": 6}
ATTACH = {"none": 0, "from_start": 1, "snapshot": 2}
TIERS = {"opened": 1, "loaded": 2, "executed": 3}
LISTEN, ACCEPT = 6, 7


class State:
    """One agent's folder; `now` in nanoseconds is when the sensor looked last."""

    def __init__(self, folder, now):
        self.folder = folder
        self.now = now
        os.makedirs(os.path.join(folder, "inventory"), exist_ok=True)
        self.database = sqlite3.connect(os.path.join(folder, "evidence.db"), isolation_level=None)
        self.database.executescript(schema())
        self.database.execute("INSERT INTO node VALUES(1, ?, 'bpf: tp_btf exec, tracepoints', ?)",
                              (now, b"opens through io_uring are not seen\0"))

    def inventory(self, program, root, name):
        """The inventory of a root, as the scan cache keeps it."""
        cache = os.path.join(self.folder, "cache-" + name)
        subprocess.run([program, "sbom", "dir:" + root, "--cache-dir", cache, "-o",
                        "json=/dev/null"], check=True, capture_output=True)
        (made,) = os.listdir(os.path.join(cache, "inventory"))
        os.rename(os.path.join(cache, "inventory", made),
                  os.path.join(self.folder, "inventory", name))
        return "inventory/" + name

    def workload(self, name, inventory, runtime="podman", attach="from_start", age=30 * HOUR,
                 note="", container="", ended=0, image="registry.example.org/shop:1.4"):
        key = self.database.execute("SELECT count(*) + 1 FROM workload").fetchone()[0]
        container = container or f"{key:02d}" + "0123456789abcdef" * 3 + "0123456789abcd"
        self.database.execute(
            "INSERT INTO workload VALUES(?,?,?,?,?,'','',?,?,?,?,?,'','',?,?,?,?,?)",
            (key, container, RUNTIMES[runtime], name, image, 4000 + key, 4026530000 + key,
             100 * key, self.now - age, ended, ATTACH[attach], self.now - age, self.now,
             inventory, note))
        return key

    def use(self, workload, path, tier, pid=4711, name="nginx", line="nginx -g daemon off;",
            layer=2, digest="", is_deleted=False, uid=33, first=29 * HOUR, last=HOUR):
        process = pid
        self.database.execute(
            "INSERT OR IGNORE INTO process VALUES(?,?,?,1,?,?,0,?,?,0,0,?)",
            (workload, process, pid, self.now - 29 * HOUR, uid, name, "usr/sbin/" + name, line))
        inode = self.database.execute("SELECT count(*) + 1000 FROM file").fetchone()[0]
        self.database.execute(
            "INSERT INTO file VALUES(?,?,41,?,65024,?,?,?,0,?,?,?,?,?,3)",
            (workload, path, inode, inode, layer, TIERS[tier], digest, is_deleted, process,
             self.now - first, self.now - last))

    def socket(self, workload, kind, pid=4711, address="", peer="", port=80):
        self.database.execute("INSERT INTO socket VALUES(?,?,?,?,?,?,?,?)",
                              (workload, kind, pid, self.now - 29 * HOUR, address, peer, port,
                               self.now - 29 * HOUR))

    def gap(self, workload, begins, ends, reason, count=0):
        self.database.execute("INSERT INTO gap(workload, begins, ends, reason, events_count) "
                              "VALUES(?,?,?,?,?)", (workload, self.now - begins, self.now - ends,
                                                    reason, count))
