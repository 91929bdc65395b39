"""A running `roost serve`: started, asked over HTTP and by its own commands, watched by the lines it prints, ended."""

import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path

PATIENCE = 60
"""Seconds after which a wait is a failure; nothing here sleeps."""


@dataclass(frozen=True)
class Reply:
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self):
        """The body as strict JSON, which knows no NaN and no key twice."""

        def refuse(word):
            raise AssertionError(f"{word} is not JSON")

        def once(pairs):
            assert len({key for key, _ in pairs}) == len(pairs), f"a key comes twice: {pairs}"
            return dict(pairs)

        return json.loads(self.body, parse_constant=refuse, object_pairs_hook=once)

    @property
    def error(self):
        assert self.headers["Content-Type"] == "application/json" and list(self.json) == ["error"], self.body
        return self.json["error"]


class Host:
    def __init__(self, binary, home, *options, listen="127.0.0.1:0"):
        self.binary, self.home = binary, Path(home)
        self.lines = []
        self._changed = threading.Condition()
        self._connection = None
        self.process = subprocess.Popen(
            [binary, "serve", "--home", self.home, "--listen", listen, *options], text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.url = self.wait_for(r"roost: listening on (http://\S+)$")[1]
        self.address = self.url.removeprefix("http://")

    def _read(self):
        for line in self.process.stdout:
            with self._changed:
                self.lines.append(line.rstrip("\n"))
                self._changed.notify_all()
        with self._changed:
            self.lines.append("(the end)")
            self._changed.notify_all()

    def wait_for(self, pattern, since=0):
        """Returns the match of the first line, not before line `since`, in which `pattern` is found."""
        with self._changed:
            def found():
                return next((m for line in self.lines[since:] if (m := re.search(pattern, line))), None)

            match = self._changed.wait_for(lambda: found() or "(the end)" in self.lines, PATIENCE) and found()
            assert match, f"the host did not print {pattern!r}, but:\n" + "\n".join(self.lines)
            return match

    # MARK: requests

    def request(self, method, path, body=None, headers=None, **named):
        """One request over the kept connection. Headers also by keyword: content_type="text/csv"."""
        headers = dict(headers or {}) | {key.replace("_", "-").title(): value for key, value in named.items()}
        if body is not None and not isinstance(body, (str, bytes)):
            body = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        for attempt in (1, 2):
            if self._connection is None:
                self._connection = http.client.HTTPConnection(self.address, timeout=PATIENCE)
            try:
                self._connection.request(method, path, body, headers)
                response = self._connection.getresponse()
                return Reply(response.status, response.headers, response.read())
            except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
                # A kept connection that the host closed in the meantime; a fresh one has to answer.
                self._connection.close()
                self._connection = None
                if attempt == 2:
                    raise

    def get(self, path, **headers):
        return self.request("GET", path, **headers)

    def post(self, path, body, **headers):
        return self.request("POST", path, body, **headers)

    def put(self, path, body, **headers):
        return self.request("PUT", path, body, **headers)

    def ask(self, path, body, **headers):
        """Posts, and returns the JSON of an answer that must be 200."""
        reply = self.post(path, body, **headers)
        assert reply.status == 200, reply
        return reply.json

    def refused(self, path, body, status, **headers):
        """Posts, and returns the error text of an answer that must have that status."""
        reply = self.post(path, body, **headers)
        assert reply.status == status, reply
        return reply.error

    def versions(self, function):
        return {version["version"]: version for version in self.get(f"/functions/{function}").json["versions"]}

    def until(self, condition):
        """Waits for what the host does a moment after it has said so; its own answers set the pace."""
        end = time.monotonic() + PATIENCE
        while not (found := condition()):
            assert time.monotonic() < end, "the condition did not come true"
            self.get("/v2/health/live")
        return found

    def note(self, file):
        """The host's answer in the folder to a file that failed."""
        note = self.home / "plugins" / f"{file}.failed"
        self.until(note.exists)
        return note.read_text()

    def instance(self, function, version="1"):
        """The name of the version's one instance, which is never given again."""
        (instance,) = self.versions(function)[version]["instances"]
        return instance["id"]

    # MARK: files

    def drop(self, file, name):
        """Copies a file into plugins/ as `cp` would."""
        shutil.copyfile(file, self.home / "plugins" / name)

    def drop_and_wait(self, file, name, version):
        """Drops a file and waits until `function@version` has all traffic."""
        since = len(self.lines)
        self.drop(file, name)
        function, number = version.split("@")
        self.wait_for(rf"^{re.escape(function)} traffic {re.escape(number)}=100\b", since)

    # MARK: commands

    def run(self, *arguments, input=None, code=0, at=None):
        """Runs `roost ARGUMENTS --home …` and checks its exit code."""
        return command(self.binary, *arguments, *(at or ("--home", self.home)), input=input, code=code)

    def stop(self):
        """SIGTERM has to end it with 0, and everything it started."""
        if self._connection is not None:
            self._connection.close()
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        self._reader.join(PATIENCE)
        assert code == 0, f"exit {code}:\n" + "\n".join(self.lines)


def command(binary, *arguments, input=None, code=0):
    """Runs `roost ARGUMENTS` in an environment that names no host, and checks its exit code."""
    environment = {key: value for key, value in os.environ.items() if key != "ROOST_URL"}
    done = subprocess.run(
        [binary, *arguments], input=input, text=True, capture_output=True, timeout=PATIENCE, env=environment,
        stdin=subprocess.DEVNULL if input is None else None)
    assert done.returncode == code, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


# A linear model of two columns: 2 age + 3 income + 1.
LINEAR = {
    "format": "roost-linear", "version": 1, "model": "linear", "features": ["age", "income"],
    "coefficients": [[2, 3]], "intercepts": [1]}
