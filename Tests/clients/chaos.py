"""A host under load while everything around it goes wrong: processes are killed and stopped, the disk fills, descriptors
run out, files of the store break, and meanwhile versions come and go, rollouts run, a job scores and events arrive.

What is done when follows from a seed, as far as a machine's own timing lets it. `Chaos.run` mistreats, `Chaos.verdict`
says what must never be. Benchmarks/chaos is the front door; test_chaos.py runs a short one.
"""

import collections
import contextlib
import dataclasses
import http.client
import json
import os
import random
import resource
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

from chaos_background import Background
from chaos_callers import OUTCOMES, VIOLATIONS
from chaos_damage import damage, written
from chaos_rest import Figures, Stalls
from host import ROOT, Host, build_plugin, descendants, linear_model, wait_until

RESUME = 1.0
"""Seconds within which right answers come again, besides what loading takes."""
JUDGED = ("steady", "code", "rolled", "cancer")
"""Functions with callers enough to tell when answers came again."""
MEMORY_SLACK = 16 << 20
STORE_FILES_SLACK = 512
"""Files that no version needs any more are kept for a while: 256 of them at most, those of the last minute, and those of up
to 64 versions that have gone since the store was looked over."""

MANIFESTS = {
    "steady": {"timeout": "2s", "feedback": False, "rollback_window": "1s", "scale": {"min": 1, "idle": "1s"}},
    "code": {"timeout": "2s", "feedback": False, "scale": {"min": 1, "idle": "1s"}},
    "rolled": {"timeout": "2s", "feedback": False, "scale": {"min": 1, "idle": "1s"},
               "rollout": {"steps": [20, 50, 100], "interval": "1s", "min_samples": 20,
                           "analysis": {"errors": {"margin": 0.5}, "latency": {"p99_margin": 5.0}, "alpha": 0.2}}},
    "rare": {"timeout": "2s", "feedback": False, "scale": {"idle": "100ms"}},
    "cancer": {"timeout": "2s", "feedback": {"max_size": "8MiB"}, "scale": {"min": 1, "idle": "1s"}},
}
WEIGHTS = {"steady": 30, "code": 25, "rolled": 25, "cancer": 17, "rare": 3}


@dataclasses.dataclass
class Harm:
    """One thing that was done, and from when on whose answers have to come again."""
    kind: str
    functions: list
    at: float = 0.0
    loading: float = 0.0
    """Seconds that loads take which the harm made necessary."""
    detail: str = ""
    begun: float = dataclasses.field(default_factory=time.monotonic)

    def over(self, at=None):
        self.at = time.monotonic() if at is None else at
        return self


class Chaos:
    """A host of its own below `folder`, and what is done to it."""

    def __init__(self, folder, seed, log=None, clients=3, connections=4, pause=0.02, large=0.002, megabytes=160):
        self.folder, self.seed = Path(folder), seed
        self.random = random.Random(seed)
        self.clients, self.connections, self.pause, self.large = clients, connections, pause, large
        self.log = log or (lambda line: None)
        self.harms, self.left_out, self.callers = [], [], []
        self.disk = self.mount(megabytes)
        self.host = Host(self.disk / "home", output=self.folder)
        self.stalls = Stalls()
        self.background = Background(self)
        self.violations = []

    # The home

    def mount(self, megabytes):
        """A file system of its own for the home, so that it can be filled."""
        disk = self.folder / "disk"
        disk.mkdir()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "tmpfs", disk],
                              capture_output=True, text=True)
        self.is_mounted = done.returncode == 0
        if not self.is_mounted:
            self.left_out.append(f"disk full: no file system of its own ({done.stderr.strip()})")
        return disk

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.stop_callers()
        self.background.stop()
        self.stalls.stop()
        self.host.__exit__()
        if self.is_mounted:
            subprocess.run(["umount", "-l", self.disk])

    # Peace

    def prepare(self):
        """Everything that serves, and the answers of peace."""
        self.host.start()
        for name, manifest in MANIFESTS.items():
            self.host.manifest(name, manifest)
        self.host.drop("steady@1.json", linear_model(1))
        self.host.drop("rolled@1.json", linear_model(1))
        self.host.drop("rare@1.json", linear_model(1))
        self.host.drop("code@1.so", build_plugin(self.folder / "code.so", OFFSET=1))
        self.host.drop("cancer@1.ubj", ROOT / "functions/cancer/cancer.ubj")
        for name in MANIFESTS:
            self.host.wait_serving(name, 1)
        with open(ROOT / "functions/cancer/examples.jsonl") as file:
            rows = [row for line in file for row in json.loads(line)["inputs"]][:20]
        self.plan = {
            "pause": self.pause, "large": self.large,
            "functions": {name: {"weight": weight} for name, weight in WEIGHTS.items()}}
        self.plan["functions"]["cancer"] |= {
            "rows": rows, "answers": [self.host.predict("cancer", [row]).json for row in rows]}
        self.background.prepare()
        # Who was called and falls asleep keeps a process ahead of the next call.
        for name in ("rare", "evented"):
            assert self.host.predict(name, [[1, 0]]).predictions == [2.0]

    def start_callers(self):
        for number in range(self.clients):
            output = self.folder / f"callers-{len(self.callers)}.tsv"
            process = subprocess.Popen(
                [sys.executable, Path(__file__).with_name("chaos_callers.py"), str(self.host.port), str(self.seed),
                 str(self.connections), output], stdin=subprocess.PIPE)
            plan = self.plan | {"first": number * self.connections}
            process.stdin.write(json.dumps(plan).encode() + b"\n")
            process.stdin.flush()
            self.callers.append((process, output))

    def stop_callers(self):
        for process, _ in self.callers:
            if not process.stdin.closed:
                process.stdin.close()
        for process, _ in self.callers:
            try:
                process.wait(40)
            except subprocess.TimeoutExpired:
                process.kill()

    # Chaos

    def run(self, seconds, rest=(0.8, 2.0)):
        """Mistreats for so long, under load, and lets everything come to rest."""
        self.start_callers()
        wait_until(lambda: all(output.exists() and output.stat().st_size for _, output in self.callers), "callers")
        self.background.start()
        end = time.monotonic() + seconds
        # Every kind once, then by dice: a short run has seen them all.
        waiting = list(self.kinds())
        self.random.shuffle(waiting)
        while time.monotonic() < end:
            kind = waiting.pop() if waiting else self.random.choice(self.kinds())
            self.harm(kind)
            time.sleep(self.random.uniform(*rest))
        self.background.stop()
        time.sleep(RESUME)
        self.stop_callers()

    def kinds(self):
        kinds = [
            self.kill_instance, self.kill_instance, self.kill_instances, self.stop_instance, self.kill_template,
            self.kill_version, self.stop_template, self.kill_nursery, self.stop_nursery, self.descriptors,
            self.break_store]
        return kinds + [self.fill_disk] if self.is_mounted else kinds

    def harm(self, kind):
        with contextlib.suppress(ProcessLookupError, http.client.HTTPException, ConnectionError, TimeoutError):
            harm = kind()
            if harm is not None:
                self.harms.append(harm)
                self.log(f"{harm.kind} {harm.detail} {','.join(harm.functions)}")

    # Who there is

    def versions(self, name):
        """Versions of a function that run, as the status has them."""
        return [one for one in self.host.status(name).get("versions", []) if "instances" in one]

    def instances(self, name):
        return [one["pid"] for version in self.versions(name) for one in version["instances"] if one.get("pid", 0) > 1]

    def templates(self, name):
        found = [version.get("template", {}).get("pid", 0) for version in self.versions(name)]
        return [pid for pid in found if pid > 1]

    def nursery(self):
        for pid in descendants(self.host.pid):
            with contextlib.suppress(OSError):
                if Path(f"/proc/{pid}/comm").read_text() == "roost-nursery\n":
                    return pid
        return None

    def load_seconds(self, *names):
        return sum(version.get("load_ms", 0) for name in names for version in self.versions(name)) / 1000

    def any_function(self):
        return self.random.choice(JUDGED)

    # What is done

    def kill_instance(self):
        name = self.any_function()
        pids = self.instances(name)
        if pids:
            os.kill(self.random.choice(pids), signal.SIGKILL)
            return Harm("instance killed", [name]).over()

    def kill_instances(self):
        """All of a function at once."""
        name = self.any_function()
        pids = self.instances(name)
        kill(pids)
        return Harm("all instances killed", [name], detail=str(len(pids))).over()

    def stop_instance(self):
        name = self.any_function()
        pids = self.instances(name)
        if not pids:
            return None
        harm = Harm("instance stopped", [name])
        with stopped([self.random.choice(pids)]):
            # Others have to answer meanwhile.
            harm.over()
            time.sleep(self.random.uniform(0.1, 2.5))
        return harm

    def kill_template(self):
        name = self.any_function()
        harm = Harm("template killed", [name], loading=self.load_seconds(name))
        kill(self.templates(name))
        return harm.over()

    def kill_version(self):
        """Template and instances: nothing is left but the file."""
        name = self.any_function()
        harm = Harm("template and instances killed", [name], loading=self.load_seconds(name))
        kill(self.templates(name) + self.instances(name))
        return harm.over()

    def stop_template(self):
        """And its instances are killed, so that it would have to fork."""
        name = self.any_function()
        harm = Harm("template stopped, instances killed", [name])
        with stopped(self.templates(name)):
            kill(self.instances(name))
            time.sleep(self.random.uniform(0.1, 1.5))
        return harm.over()

    def kill_nursery(self):
        harm = Harm("nursery killed", list(JUDGED), loading=self.load_seconds(*JUDGED))
        kill([self.nursery()])
        return harm.over()

    def stop_nursery(self):
        harm = Harm("nursery stopped", list(JUDGED))
        with stopped([self.nursery()]):
            if self.random.random() < 0.5:
                kill(self.instances(self.any_function()))
                harm.detail = "instances killed meanwhile"
            time.sleep(self.random.uniform(0.1, 1.5))
        return harm.over()

    def fill_disk(self):
        """Serving needs no disk: answers have to go on."""
        harm = Harm("disk full", list(JUDGED)).over()
        ballast = self.disk / "ballast"
        fill(ballast)
        try:
            time.sleep(self.random.uniform(0.5, 1.5))
            if self.random.random() < 0.5:
                name = self.any_function()
                kill(self.instances(name))
                harm.over().detail = f"instances of {name} killed meanwhile"
                time.sleep(0.5)
        finally:
            ballast.unlink()
        return harm

    def descriptors(self):
        """The running host may open a handful more."""
        harm = Harm("descriptors exhausted", list(JUDGED)).over()
        used = {int(number) for number in os.listdir(f"/proc/{self.host.pid}/fd")}
        before = resource.prlimit(self.host.pid, resource.RLIMIT_NOFILE)
        # With fewer than two the library below the host takes connections and hangs up at once.
        spare = self.random.choice((2, 4, 8))
        free = (number for number in range(1 << 20) if number not in used)
        limit = [next(free) for _ in range(spare + 1)][-1]
        harm.detail = f"{spare} left"
        victims = self.instances(self.any_function()) if self.random.random() < 0.5 else []
        resource.prlimit(self.host.pid, resource.RLIMIT_NOFILE, (limit, before[1]))
        try:
            if victims:
                kill(victims)
                harm.detail += ", instances killed meanwhile"
            time.sleep(self.random.uniform(0.5, 2))
        finally:
            resource.prlimit(self.host.pid, resource.RLIMIT_NOFILE, before)
        # Who has lost its instances meanwhile cannot have others before.
        return harm.over() if victims else harm

    def break_store(self):
        """A version's stored file is gone, cut off or has other bytes in it when it is loaded; then it is mended."""
        name = self.random.choice(("code", "cancer"))
        version = self.versions(name)[0]
        file = self.host.home / "state" / "store" / version["digest"]
        good = file.read_bytes()
        how = self.random.choice(("removed", "cut off", "corrupted"))
        harm = Harm(f"stored file {how}", [name], loading=self.load_seconds(name))
        try:
            damage(file, how, self.random)
            kill(self.templates(name) + self.instances(name))
            time.sleep(self.random.uniform(0.3, 1.5))
        finally:
            mended = file.with_name(".mended")
            # The disk may be full of what others do: room is made sooner or later.
            wait_until(lambda: written(mended, good), "room for a stored file")
            mended.chmod(0o444)
            mended.rename(file)
        return harm.over()

    # The verdict

    def requests(self):
        """(begun, ended, function, outcome, status, detail) of everything that was asked."""
        for _, output in self.callers:
            with open(output) as file:
                for line in file:
                    begun, ended, function, outcome, status, detail = line.rstrip("\n").split("\t")
                    yield float(begun), float(ended), function, outcome, int(status), detail

    def settle(self):
        """Takes back what came meanwhile, and waits until nothing happens any more."""
        self.background.finish()
        for name in ("steady", "rolled"):
            for file in self.host.plugins.glob(f"{name}@*.json"):
                if file.name != f"{name}@1.json":
                    file.unlink()
        for name in MANIFESTS:
            if self.host.state(name, 1) in ("rejected", "failed"):
                self.host.call("POST", f"/functions/{name}/versions/1/restart", {})
            wait_until(lambda: self.is_at_rest(name), lambda: f"rest of {name}: {self.host.status(name)}", patience=90)
        return Figures.at_rest(self.host)

    def is_at_rest(self, name):
        status = self.host.status(name)
        lively = [one["version"] for one in status["versions"] if one["state"] not in ("retired", "rejected", "failed")]
        busy = any(one.get("queue") or any(live["outstanding"] for live in one.get("instances", []))
                   for one in status["versions"])
        return lively == ["1"] and status["traffic"]["shares"] == {"1": 100} and not busy

    def recoveries(self, requests):
        """For each harm, the seconds until the first right answer to a question that came after it, per function; and
        of these the seconds in which the machine itself stood still."""
        ends = {name: [] for name in JUDGED}
        for begun, ended, function, outcome, _, _ in requests:
            if outcome == "right" and function in ends:
                ends[function].append((begun, ended))
        for name, found in ends.items():
            found.sort(reverse=True)
            first = float("inf")
            for at, (begun, ended) in enumerate(found):
                first = min(first, ended)
                found[at] = (begun, first)
            found.reverse()
        for harm in self.harms:
            for name in harm.functions:
                after = next((ended for begun, ended in ends[name] if begun >= harm.at), float("inf"))
                took = after - harm.at
                yield harm, name, took, self.stalls.between(harm.at, after)

    def verdict(self, before, after, resume=RESUME):
        """Prints what happened, and returns everything that must not have been."""
        requests = list(self.requests())
        bad = list(self.violations)
        bad += self.print_outcomes(requests)
        bad += self.print_recoveries(requests, resume)
        bad += self.background.verdict()
        print(f"at rest: before {before}\n         after  {after}")
        bad += after.excess(before, MEMORY_SLACK, STORE_FILES_SLACK)
        for line in self.left_out:
            print(f"left out: {line}")
        return bad

    def print_outcomes(self, requests):
        counts = collections.Counter((function, outcome, status) for _, _, function, outcome, status, _ in requests)
        print(f"{len(requests)} requests")
        print("function".ljust(10) + "".join(one.rjust(9) for one in OUTCOMES) + "  errors by status")
        for name in WEIGHTS:
            row = [sum(count for (function, outcome, _), count in counts.items() if (function, outcome) == (name, one))
                   for one in OUTCOMES]
            errors = {status: count for (function, outcome, status), count in sorted(counts.items())
                      if (function, outcome) == (name, "error")}
            print(name.ljust(10) + "".join(str(count).rjust(9) for count in row) + f"  {errors}")
        reasons = collections.Counter(reason(detail) for *_, outcome, _, detail in requests if outcome == "error")
        for text, count in reasons.most_common(12):
            print(f"{count:9} × {text}")
        return [f"{outcome}: {function} at {begun:.3f} for {ended - begun:.3f} s, status {status}: {detail}"
                for begun, ended, function, outcome, status, detail in requests if outcome in VIOLATIONS]

    def print_recoveries(self, requests, resume):
        found, bad = collections.defaultdict(list), []
        for harm, name, took, stalled in self.recoveries(requests):
            found[harm.kind].append((took, stalled))
            if took - stalled > resume + harm.loading:
                bad.append(f"{name} answered {took:.3f} s after: {harm.kind} {harm.detail} at {harm.at:.3f} "
                           f"(loading {harm.loading:.3f} s, the machine stood still for {stalled:.3f} s)")
        print("right answers again after (seconds)".ljust(40) + "times   median      max   machine stalled then")
        for kind, times in sorted(found.items()):
            times.sort()
            print(kind.ljust(40) + f"{len(times):5} {times[len(times) // 2][0]:8.3f} {times[-1][0]:8.3f} "
                  f"{times[-1][1]:8.3f}")
        return bad

    def check_end(self):
        """Ends the host; looks whether anything of it is left, and what became of the events."""
        left = descendants(self.host.pid)
        code = self.host.stop()
        if code != 0:
            self.violations.append(f"the host ended with {code}")
        with contextlib.suppress(AssertionError):
            wait_until(lambda: not [pid for pid in left if Path(f"/proc/{pid}").exists()], "no process", patience=5)
        if alive := [pid for pid in left if Path(f"/proc/{pid}").exists()]:
            self.violations.append(f"left behind: {alive}")
        with sqlite3.connect(self.host.home / "state" / "deliveries.db") as database:
            self.background.check_events(database)


def reason(text):
    """An error's words without its numbers, so that like ones are counted together."""
    words = "".join("#" if letter.isdigit() else letter for letter in text)
    while "##" in words:
        words = words.replace("##", "#")
    return words[:150]


def kill(pids):
    for pid in pids:
        if pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


@contextlib.contextmanager
def stopped(pids):
    """By descriptor: a number may be another process by the time it is let go on."""
    held = []
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, TypeError):
            held.append(os.pidfd_open(pid))
    try:
        for one in held:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(one, signal.SIGSTOP)
        yield
    finally:
        for one in held:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(one, signal.SIGCONT)
            os.close(one)


def fill(path):
    """Until not one byte more fits."""
    with open(path, "wb", buffering=0) as file:
        size = 4 << 20
        while size:
            try:
                if file.write(bytes(size)) < size:
                    size //= 2
            except OSError:
                size //= 2
