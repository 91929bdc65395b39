"""Real hosts for tests: `roost serve` on a home of its own, what may be done to one, and steady callers beside it.

Nothing here rests for a fixed time: whatever has to happen is waited for with `wait_until`.
"""

import http.client
import json
import os
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOST = Path(os.environ.get("ROOST_BIN", ROOT / ".build" / "release" / "roost")).resolve()
FIXTURES = ROOT / "Tests" / "fixtures" / "plugins"
PATIENCE = 20
TURN = 0.02

# Marks in the second number of a row for the plugin chaos.c.
(NOTHING, SEGFAULT, ABORT, SPIN, EXIT, ALLOCATE, PRINT, SLEEP, FORK, THREAD, DOUBLE_FORK, FAIL_ROW, FAIL,
 CRASH_IN_BATCH) = range(14)


def wait_until(condition, what, patience=PATIENCE):
    """The first true value of `condition`, asked again and again."""
    end = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"never came: {what() if callable(what) else what}"
        time.sleep(TURN)


def build_plugin(path, source="chaos.c", **macros):
    """Compiles a fixture plugin, so that equal macros give equal bytes."""
    macros = [f"-D{name}" if value is None else f"-D{name}={value}" for name, value in macros.items()]
    includes = [f"-I{ROOT}/Sources/{target}/include" for target in ("RoostABI", "CRoost")]
    command = ["cc", "-shared", "-fPIC", "-O1", "-pthread", *includes, *macros, "-o", path, FIXTURES / source]
    subprocess.run([*map(str, command), "-lm"], check=True)
    return Path(path)


def linear_model(intercept, columns=2):
    """A model file of the runtime `linear`: the sum of its columns plus the intercept."""
    model = {"format": "roost-linear", "version": 1, "model": "linear",
             "coefficients": [[1.0] * columns], "intercepts": [intercept]}
    return json.dumps(model).encode()


def roost(*arguments, **options):
    """One call of the command line tool."""
    return subprocess.run([str(ROOST), *map(str, arguments)], capture_output=True, text=True, timeout=60, **options)


class Reply:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def error(self):
        return self.json["error"]

    @property
    def predictions(self):
        assert self.status == 200, f"{self.status}: {self.body!r}"
        return self.json["predictions"]

    @property
    def version(self):
        return self.headers["Roost-Version"]


class Host:
    """A home and the host that serves it. `stop` ends it gracefully, `kill` as a crash would.

    `user` is the number of another user to run it as, `prefix` a command that runs it, `output` the folder of what it
    prints, when that shall not be the home.
    """

    def __init__(self, home, *arguments, environment=None, output=None, user=None, prefix=(), binary=ROOST):
        assert binary.exists(), f"{binary} is missing: run `swift build -c release` first"
        self.home = Path(home)
        self.printed = Path(output or home)
        self.user = {} if user is None else {"user": user, "group": user, "extra_groups": []}
        self.command = [*prefix, str(binary)]
        self.plugins = self.home / "plugins"
        self.functions = self.home / "functions"
        for folder in (self.plugins, self.functions):
            folder.mkdir(parents=True, exist_ok=True)
        self.arguments = [str(argument) for argument in arguments]
        self.environment = {**os.environ, **(environment or {})}
        self.process = None
        self.port = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *error):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    # The process

    def start(self):
        self.output = self.printed / "host.out"
        with open(self.output, "w") as output, open(self.printed / "host.err", "a") as errors:
            self.process = subprocess.Popen(
                [*self.command, "serve", "--home", str(self.home), "--listen", "127.0.0.1:0", *self.arguments],
                stdout=output, stderr=errors, stdin=subprocess.DEVNULL, env=self.environment, **self.user)
        self.port = int(self.wait_for_line("listening on http://").rsplit(":", 1)[1])
        return self

    @property
    def pid(self):
        return self.process.pid

    @property
    def lines(self):
        return self.output.read_text().splitlines()

    @property
    def warnings(self):
        return (self.printed / "host.err").read_text().splitlines()

    def wait_for_line(self, text):
        def line():
            assert self.process.poll() is None, f"the host ended with {self.process.returncode}: {self.warnings}"
            return next((line for line in self.lines if text in line), None)
        return wait_until(line, lambda: f"a line with {text!r} in {self.lines}, warnings {self.warnings}")

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def stop(self):
        """Ends it as systemd would; its exit code."""
        self.terminate()
        return self.process.wait(PATIENCE)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def restart(self):
        """Starts it anew, and waits until everything that was served before is served again."""
        self.start()
        wait_until(lambda: self.get("/v2/health/ready").status == 200, "ready after a restart")
        return self

    # The folder

    def drop(self, name, content):
        """Puts a file there at once, as a careful copy does."""
        partial = self.plugins / f".{name}.partial"
        if isinstance(content, bytes):
            partial.write_bytes(content)
        else:
            shutil.copyfile(content, partial)
        partial.rename(self.plugins / name)

    def remove(self, name):
        (self.plugins / name).unlink()

    def note(self, name):
        """What the folder answers about a file, or None."""
        path = self.plugins / f"{name}.failed"
        try:
            return path.read_text()
        except FileNotFoundError:
            return None

    def wait_for_note(self, name, text=""):
        return wait_until(
            lambda: (note := self.note(name)) and text in note and note,
            lambda: f"a note with {text!r} beside {name}, it is {self.note(name)!r}; {self.lines}")

    def wait_without_note(self, name):
        wait_until(lambda: self.note(name) is None, lambda: f"the end of the note {self.note(name)!r}")

    def manifest(self, function, value):
        """Writes functions/NAME.json: a value, or text for what should not be there."""
        text = value if isinstance(value, str) else json.dumps(value)
        partial = self.functions / f".{function}.partial"
        partial.write_text(text)
        partial.rename(self.functions / f"{function}.json")

    # Calls

    def call(self, method, path, body=None, headers=None, timeout=PATIENCE):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            if body is not None and not isinstance(body, (bytes, str)):
                body = json.dumps(body)
            connection.request(method, path, body, {"Content-Type": "application/json", **(headers or {})})
            return Reply(connection.getresponse())
        finally:
            connection.close()

    def get(self, path):
        return self.call("GET", path)

    @staticmethod
    def path(function, version=None):
        return f"/functions/{function}" + (f"/versions/{version}" if version else "") + "/predict"

    def predict(self, function, rows, version=None, **options):
        return self.call("POST", self.path(function, version), rows, **options)

    def status(self, function=None):
        return self.get("/functions" + (f"/{function}" if function else "")).json

    def version(self, function, version):
        """A version's part of the status, {} while there is none."""
        versions = self.status(function).get("versions", [])
        return next((one for one in versions if one["version"] == str(version)), {})

    def state(self, function, version):
        return self.version(function, version).get("state")

    def wait_for_state(self, function, version, *states):
        wait_until(
            lambda: self.state(function, version) in states,
            lambda: f"{function}@{version} {' or '.join(states)}: {self.version(function, version)}; {self.lines}")
        return self.version(function, version)

    def wait_serving(self, function, version):
        return self.wait_for_state(function, version, "serving")

    def log(self, function, version):
        return self.get(f"/functions/{function}/logs?version={version}").body.decode(errors="replace")

    # Processes

    def descendants(self):
        """All processes below the host, whatever they are called."""
        return descendants(self.pid)

    def instances(self, function, version):
        return [one["pid"] for one in self.version(function, version).get("instances", []) if "pid" in one]

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def memory(self):
        """Resident bytes of the host alone."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def parents():
    """The parent of each running process."""
    found = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                fields = Path(f"/proc/{entry}/stat").read_text().rsplit(")", 1)[1].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if fields[0] not in "ZX":
                found[int(entry)] = int(fields[1])
    return found


def descendants(pid):
    known = parents()
    found = {pid}
    while more := {one for one, parent in known.items() if parent in found} - found:
        found |= more
    return found - {pid}


def runs(pid):
    return pid in parents()


class Steady:
    """Callers that never stop while the block runs, on kept connections; afterwards none may have failed."""

    def __init__(self, host, function, row, answer, version=None, connections=1, pause=0.002):
        self.host, self.row, self.answer = host, json.dumps([row]), answer
        self.path = host.path(function, version)
        self.pause = pause
        self.failures = []
        self.answered = 0
        self._end = threading.Event()
        self._threads = [threading.Thread(target=self._call, daemon=True) for _ in range(connections)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        wait_until(lambda: self.answered or self.failures, "the first steady answer")
        return self

    def __exit__(self, kind, *error):
        self._end.set()
        for thread in self._threads:
            thread.join(PATIENCE)
        if kind is None:
            self.check()

    def check(self):
        assert not self.failures, f"{len(self.failures)} of {self.answered} failed: {self.failures[:3]}"
        assert self.answered > 0

    def is_right(self, answer):
        return self.answer(answer) if callable(self.answer) else answer == [self.answer]

    def _call(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.host.port, timeout=PATIENCE)
        while not self._end.is_set():
            try:
                connection.request("POST", self.path, self.row, {"Content-Type": "application/json"})
                reply = Reply(connection.getresponse())
                if reply.status != 200 or not self.is_right(reply.json["predictions"]):
                    self.failures.append((reply.status, reply.body))
            except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
                self.failures.append(error)
                connection.close()
            self.answered += 1
            self._end.wait(self.pause)
        connection.close()
