"""Whole processes, measured: wall time, processor time, and the memory of all of them."""
import dataclasses
import os
import resource
import statistics
import subprocess
import threading
import time


@dataclasses.dataclass
class Contender:
    """One way to do a case's work. Several commands run at once; their output is thrown away."""
    name: str
    commands: list
    environment: dict = dataclasses.field(default_factory=dict)
    before: object = None  # Called before each run, outside the measured time.


@dataclasses.dataclass
class Cost:
    wall_ms: list = dataclasses.field(default_factory=list)
    cpu_ms: list = dataclasses.field(default_factory=list)
    memory_bytes: int = 0


def start(command, contender, **streams):
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "LC_ALL": "C",
                   **contender.environment}
    return subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, **streams)


def children_seconds():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def run_once(contender):
    """Wall and processor milliseconds of one run; what the processes forked counts, too."""
    if contender.before:
        contender.before()
    used = children_seconds()
    started = time.perf_counter()
    processes = [start(command, contender, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
                 for command in contender.commands]
    errors = [process.communicate()[1] for process in processes]
    wall_ms = (time.perf_counter() - started) * 1000
    cpu_ms = (children_seconds() - used) * 1000
    for process, error in zip(processes, errors):
        if process.returncode != 0:
            raise RuntimeError(f"{' '.join(process.args)}: exit code {process.returncode}\n"
                               + error.decode(errors="replace")[-2000:])
    return wall_ms, cpu_ms


def measure(contenders, rounds):
    """Each contender once a round, in an order that turns; then each once more for its memory."""
    costs = {contender.name: Cost() for contender in contenders}
    for contender in contenders:
        run_once(contender)  # The page cache is warm from here, unless `before` empties it.
    for turn in range(rounds):
        shift = turn % len(contenders)
        for contender in contenders[shift:] + contenders[:shift]:
            wall_ms, cpu_ms = run_once(contender)
            costs[contender.name].wall_ms.append(wall_ms)
            costs[contender.name].cpu_ms.append(cpu_ms)
    for contender in contenders:
        costs[contender.name].memory_bytes = peak_memory(contender)
    return costs


def peak_memory(contender):
    """The sum over all processes of the most that each had resident (VmHWM). An upper bound of what
    they ever had together: pages that two share count twice, and peaks need not come together."""
    if contender.before:
        contender.before()
    processes = [start(command, contender, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                 for command in contender.commands]
    highest = {}
    ended = threading.Event()

    def watch():
        while not ended.is_set():
            pending = [process.pid for process in processes]
            while pending:
                pid = pending.pop()
                try:
                    with open(f"/proc/{pid}/status") as file:
                        for line in file:
                            if line.startswith("VmHWM:"):
                                highest[pid] = int(line.split()[1]) * 1024
                    for thread in os.listdir(f"/proc/{pid}/task"):
                        with open(f"/proc/{pid}/task/{thread}/children") as file:
                            pending += [int(child) for child in file.read().split()]
                except OSError:
                    continue  # It ended meanwhile.
            time.sleep(0.0005)

    watcher = threading.Thread(target=watch)
    watcher.start()
    for process in processes:
        process.wait()
    ended.set()
    watcher.join()
    return sum(highest.values())


def ratios(costs, name, base):
    """Round by round, so that what slows the machine down slows both."""
    return [mine / its for mine, its in zip(costs[name].wall_ms, costs[base].wall_ms)]


def spread(values, digits):
    """Median, and between which bounds."""
    return (f"{statistics.median(values):.{digits}f} "
            f"({min(values):.{digits}f}–{max(values):.{digits}f})")
