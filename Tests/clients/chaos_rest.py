"""What a host holds when nothing happens, and how long the machine itself stands still."""

import dataclasses
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from host import PATIENCE, TURN

STALL = 0.02
"""An overshoot of a sleep that counts, in seconds."""
STALL_PROGRAM = f"""
import os, time
before, parent = time.monotonic(), os.getppid()
while os.getppid() == parent:
    time.sleep(0.005)
    now = time.monotonic()
    if now - before > 0.005 + {STALL}:
        print(f"{{before:.6f}} {{now:.6f}}", flush=True)
    before = now
"""


class Stalls:
    """A process that sleeps 5 ms again and again, and notes when it came much too late: then nobody else ran in time
    either, whatever was done to the host."""

    def __init__(self):
        self.file = tempfile.TemporaryFile()
        self.process = subprocess.Popen([sys.executable, "-c", STALL_PROGRAM], stdout=self.file)

    def stop(self):
        self.process.kill()
        self.process.wait()

    @property
    def found(self):
        """(from, to) of each."""
        text = os.pread(self.file.fileno(), os.fstat(self.file.fileno()).st_size, 0).decode()
        return [tuple(map(float, line.split())) for line in text.split("\n")[:-1]]

    def between(self, begun, ended):
        """Seconds of that time in which the machine stood still."""
        return sum(max(0, min(to, ended) - max(since, begun)) for since, to in self.found)

    def summary(self, begun, ended):
        inside = [to - since for since, to in self.found if since >= begun and to <= ended]
        return f"{len(inside)} stalls over {STALL * 1000:.0f} ms, the longest {max(inside, default=0):.3f} s"


def name_of(pid):
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return "gone"


def size_of(entry):
    """None when it was collected meanwhile."""
    try:
        return entry.stat().st_size
    except FileNotFoundError:
        return None


@dataclasses.dataclass
class Figures:
    """What a host holds."""
    descriptors: int
    memory_files: int
    processes: int
    resident: int
    proportional: int
    store_files: int
    store_bytes: int
    names: str = ""
    """Of the processes, for people."""

    @classmethod
    def now(cls, host):
        targets = []
        folder = Path(f"/proc/{host.pid}/fd")
        for number in os.listdir(folder):
            try:
                targets.append(os.readlink(folder / number))
            except OSError:
                continue  # that of the listing itself, or closed meanwhile
        rollup = Path(f"/proc/{host.pid}/smaps_rollup").read_text().splitlines()
        sizes = {line.split(":")[0]: int(line.split()[1]) << 10 for line in rollup if line.startswith(("Rss:", "Pss:"))}
        names = sorted(name_of(pid) for pid in host.descendants())
        sizes_of_store = [size_of(entry) for entry in os.scandir(host.home / "state" / "store")]
        store = [size for size in sizes_of_store if size is not None]
        return cls(
            descriptors=len(targets), memory_files=sum(target.startswith("/memfd:") for target in targets),
            processes=len(names), names=" ".join(names), resident=sizes["Rss"], proportional=sizes["Pss"],
            store_files=len(store), store_bytes=sum(store))

    @classmethod
    def at_rest(cls, host, patience=PATIENCE):
        """When nothing has come or gone for two seconds: ends of connections and processes come late."""
        end, quiet, last = time.monotonic() + patience, 0, cls.now(host)
        while time.monotonic() < end and quiet < 2 / TURN:
            time.sleep(TURN)
            found = cls.now(host)
            quiet = quiet + 1 if found.counts == last.counts else 0
            last = found
        return last

    @property
    def counts(self):
        return self.descriptors, self.memory_files, self.processes

    def excess(self, before, memory_slack, store_files_slack):
        """What is more than it was, in words."""
        bounds = {"descriptors": 0, "memory_files": 0, "processes": 0, "resident": memory_slack,
                  "proportional": memory_slack, "store_files": store_files_slack}
        more = [f"{name}: {getattr(before, name)} before, {getattr(self, name)} after, {slack} more are allowed"
                for name, slack in bounds.items() if getattr(self, name) > getattr(before, name) + slack]
        return more + [f"of the processes {before.names}, then {self.names}"] if more else []

    def __str__(self):
        return (f"{self.descriptors} descriptors, {self.memory_files} of them memory files; {self.processes} processes; "
                f"resident {self.resident >> 10} KiB, proportional {self.proportional >> 10} KiB; "
                f"store {self.store_files} files, {self.store_bytes >> 10} KiB")
