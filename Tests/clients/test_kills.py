"""The host is killed at moments of rollouts that nobody chose, and comes back with what it had told anybody."""

import collections
import contextlib
import http.client
import http.server
import json
import os
import random
import threading
import time

import pytest

from host import Host, Reply, build_plugin, wait_until

KILLS = int(os.environ.get("ROOST_KILLS", "6"))
SEED = int(os.environ.get("ROOST_SEED", "1"))
FUNCTION = "/functions/credit"
FINAL = ("promoted", "aborted")
BAD = ("errors", "deaths", "slow")


class Gate:
    """Lets everything pass, after a moment in which a kill may hit."""

    def __init__(self):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                time.sleep(0.1)
                with contextlib.suppress(ConnectionError):
                    self.send_response(204)
                    self.end_headers()

            def log_message(self, *words):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/gate"


class Traffic:
    """Steady callers, which try again only when nobody listens; a request may be lost in each killed connection."""

    CONNECTIONS = 3

    def __init__(self, host):
        self.host = host
        self.replies = []  # (begun, status, version)
        self.lost = 0
        self._end = threading.Event()
        self._threads = [threading.Thread(target=self._call, daemon=True) for _ in range(self.CONNECTIONS)]
        for thread in self._threads:
            thread.start()

    def stop(self):
        self._end.set()
        for thread in self._threads:
            thread.join(20)

    def _call(self):
        connection = None
        while not self._end.is_set():
            begun = time.monotonic()
            try:
                if connection is None:
                    connection = http.client.HTTPConnection("127.0.0.1", self.host.port, timeout=20)
                    connection.connect()
                connection.request("POST", f"{FUNCTION}/predict", b"[[30, 0]]", {"Content-Type": "application/json"})
                reply = Reply(connection.getresponse())
                self.replies.append((begun, reply.status, reply.version))
            except ConnectionRefusedError:
                connection = None
                self._end.wait(0.01)
            except (OSError, http.client.HTTPException):
                self.lost += 1
                connection = None


class Trial:
    """One home, its versions, and everything that anybody was ever told of them."""

    def __init__(self, host, models):
        self.host, self.models = host, models
        self.random = random.Random(SEED)
        self.number = 1
        self.kinds = {1: "good"}
        self.aborted = {}  # version: when somebody first knew
        self.promoted = set()
        self.moments = collections.Counter()
        self.ends = collections.Counter()
        self.resumed = 0

    # What is known

    def status(self):
        status = self.host.get(FUNCTION).json
        return status, self.learn(status.get("rollout"))

    def learn(self, rollout):
        """Remembers what a reply says has ended."""
        if rollout:
            canary = int(rollout["canary"])
            if rollout["state"] == "aborted":
                self.aborted.setdefault(canary, time.monotonic())
            elif rollout["state"] == "promoted":
                self.promoted.add(canary)
        return rollout

    def learn_from_lines(self):
        for line in self.host.lines:
            words = line.split()
            if words[:3] == ["credit", "rollout", "of"] and words[4].startswith("aborted"):
                self.aborted.setdefault(int(words[3]), time.monotonic())

    # What happens

    def drop(self):
        self.number += 1
        kind = self.random.choice(("good", "good", *BAD))
        self.kinds[self.number] = kind
        self.host.drop(f"credit@{self.number}.so", self.models[kind])

    def wait_for_a_moment(self):
        """Until a random moment, or at once after a change that was seen or a command that was answered."""
        how = self.random.choice(("time", "change", "command"))
        end = time.monotonic() + self.random.uniform(0, 5)
        _, last = self.status()
        while time.monotonic() < end:
            _, rollout = self.status()
            if how == "change" and rollout and last and essence(rollout) != essence(last):
                return rollout, "change"
            last = rollout
        if how == "command" and last and last["state"] not in FINAL:
            wise = ("promote",) if self.kinds[self.number] == "good" else ()
            command = self.random.choice(("abort", "pause", "resume", *wise))
            reply = self.host.call("POST", f"{FUNCTION}/rollout/{command}", {})
            if reply.status == 200:
                return self.learn(reply.json), command
        return last, "time"

    def kill(self):
        seen, how = self.wait_for_a_moment()
        self.host.kill()
        self.learn_from_lines()
        self.moments[f"{seen['state'] if seen and int(seen['canary']) == self.number else 'before'} ({how})"] += 1
        self.host.restart()
        self.check(seen)

    # What must be true

    def check(self, seen):
        status, entries = self.agreed()
        rollout = self.learn(status.get("rollout"))
        if seen:
            assert rollout, f"the rollout {seen} is forgotten"
            if seen["canary"] == rollout["canary"]:
                goes_on(seen, rollout)
                self.resumed += rollout["state"] not in FINAL
        shares = {int(version): percent for version, percent in status["traffic"]["shares"].items()}
        assert not shares.keys() & self.aborted.keys(), (shares, self.aborted)
        states = {int(one["version"]): one["state"] for one in status["versions"]}
        assert all(states[version] == "rejected" for version in self.aborted), states
        self.check_audit(entries, rollout)

    def agreed(self):
        """Table and audit of one moment, once the host is ready: nothing decided in between."""
        def same():
            before = self.status()[0]
            log = self.host.get(f"{FUNCTION}/audit?limit=10000").json
            after = self.status()[0]
            assert log["chain"] == "intact"
            return before["traffic"]["shares"] == after["traffic"]["shares"] \
                and essence(before.get("rollout")) == essence(after.get("rollout")) and (after, log["entries"])

        status, entries = wait_until(same, "a moment without a decision")
        last = [entry for entry in entries if entry["act"] == "traffic"][-1]
        table = " ".join(f"{version}={share}" for version, share in status["traffic"]["shares"].items())
        assert last["to"] == table, f"the audit says {last}, the table is {table}"
        return status, entries

    def check_audit(self, entries, rollout):
        ended, stable, canary = set(), {1}, set()
        for entry in entries:
            version = int(entry.get("version", 0))
            if entry["act"] == "rollout_started":
                canary = {version}
            elif entry["act"] == "rollout_promoted":
                stable = {version}
            elif entry["act"] == "rollout_aborted":
                ended.add(version)
            elif entry["act"] == "traffic" and entry["to"] != "none":
                shared = {int(part.split("=")[0]) for part in entry["to"].split()}
                assert shared <= stable | canary, (entry, stable, canary)
                assert not shared & ended, f"{ended} were aborted before {entry}"
        assert ended == set(self.aborted), "what was aborted is in the audit, and the other way round"
        own = [entry["act"] for entry in entries
               if rollout and entry.get("version") == rollout["canary"] and entry["act"].startswith("rollout_")]
        if rollout:
            assert (own[-1] == "rollout_aborted") == (rollout["state"] == "aborted"), (own, rollout)
            assert (own[-1] == "rollout_promoted") == (rollout["state"] == "promoted"), (own, rollout)

    def finish(self):
        """Lets the present rollout end, and looks whether it ended as its version deserves."""
        def ended():
            rollout = self.status()[1]
            if rollout and rollout["state"] == "paused":
                self.host.call("POST", f"{FUNCTION}/rollout/resume", {})
            return rollout and int(rollout["canary"]) == self.number and rollout["state"] in FINAL and rollout

        rollout = wait_until(ended, lambda: f"an end of {self.status()[1]}", patience=120)
        kind, by_hand = self.kinds[self.number], self.by_hand()
        self.ends[f"{kind} {rollout['state']}{' by hand' if by_hand else ''}"] += 1
        if not by_hand:
            expected = "promoted" if kind == "good" else "aborted"
            assert rollout["state"] == expected, f"credit@{self.number} is {kind}: {rollout['explanation']}"

    def by_hand(self):
        entries = self.host.get(f"{FUNCTION}/audit?limit=10000").json["entries"]
        return any(entry.get("version") == str(self.number) and entry["by"] == "api"
                   and entry["act"] in ("rollout_aborted", "rollout_promoted", "rollout_baking") for entry in entries)


def essence(rollout):
    return rollout and (rollout["canary"], rollout["state"], rollout["step"], rollout["share"])


def goes_on(seen, now):
    """The same rollout, never behind what somebody saw of it."""
    if seen["state"] in FINAL:
        assert now["state"] == seen["state"] and now.get("reason") == seen.get("reason"), (seen, now)
    if now["state"] == "aborted":
        return
    assert now["step"] >= seen["step"], (seen, now)
    if now["step"] == seen["step"]:
        assert now["samples"] >= seen["samples"], (seen, now)
    if seen["state"] == "paused":
        assert now["state"] == "paused", (seen, now)


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    folder = tmp_path_factory.mktemp("builds")
    wishes = {"good": "NOTHING", "errors": "FAIL_ROW", "deaths": "SEGFAULT", "slow": "SLEEP"}
    return {kind: build_plugin(folder / f"{kind}.so", ALWAYS=wish) for kind, wish in wishes.items()}


def test_a_killed_host_goes_on_with_its_rollouts(tmp_path, models):
    plan = {
        "steps": [10, {"pause": "1s"}, 50, 100], "interval": "1s", "min_samples": 30,
        "analysis": {"errors": {"margin": 0.3}, "latency": {"p99_margin": 0.5}, "alpha": 0.2},
        "gates": [{"url": Gate().url, "at": moment} for moment in ("start", "before-step", "before-promotion")]}
    manifest = {"rollout": plan, "bake": "1s", "replay": {"size": "1MiB", "rate": 50}}
    with Host(tmp_path / "home") as host:
        host.manifest("credit", manifest)
        host.drop("credit@1.so", models["good"])
        host.wait_serving("credit", 1)
        trial, traffic = Trial(host, models), Traffic(host)
        for kill in range(KILLS):
            rollout = trial.status()[1]
            if trial.number == 1 or rollout and int(rollout["canary"]) == trial.number and rollout["state"] in FINAL:
                trial.drop()
            trial.kill()
            if trial.random.random() < 0.5 or kill == KILLS - 1:
                trial.finish()
        traffic.stop()
        print(f"\n{KILLS} kills: moments {dict(trial.moments)}; {trial.resumed} went on; ends {dict(trial.ends)}; "
              f"{len(traffic.replies)} replies, {collections.Counter(status for _, status, _ in traffic.replies)}, "
              f"{traffic.lost} lost with their connection")
        for begun, status, version in traffic.replies:
            if version and int(version) in trial.aborted:
                assert begun <= trial.aborted[int(version)], f"credit@{version} was aborted and answered"
        # What was on its way, and one more that the kernel accepted for a process that was ending.
        assert traffic.lost <= KILLS * Traffic.CONNECTIONS * 2
        assert host.stop() == 0
