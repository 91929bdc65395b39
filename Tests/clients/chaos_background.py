"""What goes on while a host is mistreated: versions come and go, a rollout follows the other, a file is scored, events
arrive. Each has a right end, which is held against what came of it."""

import collections
import contextlib
import http.client
import http.server
import json
import random
import threading
import time

from host import PATIENCE, ROOT, linear_model, wait_until

RETRY = {"attempts": 20, "backoff": "50ms", "max_backoff": "1s"}
JOB_ROWS = 20_000
TROUBLE = (OSError, http.client.HTTPException, AssertionError, KeyError, ValueError)
"""What calls of the management may meet meanwhile; requests of callers are judged elsewhere."""


class Sink:
    """Takes what events came to, and refuses some of it."""

    def __init__(self, seed):
        sink, chance = self, random.Random(f"sink {seed}")
        self.heard = collections.defaultdict(list)

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                refuses = chance.random() < 0.05
                if not refuses:
                    sink.heard[self.headers["ce-subject"]].append(
                        (self.headers["ce-id"], json.loads(body), self.headers["ce-roostversion"]))
                with contextlib.suppress(ConnectionError):
                    self.send_response(503 if refuses else 204)
                    self.end_headers()

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/outcomes"

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Background:
    """`prepare` in peace, `start` and `stop` around the chaos, `finish` in peace again, then `verdict`."""

    def __init__(self, chaos):
        self.chaos = chaos
        self.threads = []
        self.end = threading.Event()
        self.sink = Sink(chaos.seed)
        self.accepted, self.events_sent, self.repeated = set(), 0, 0
        self.counts = collections.Counter()
        self.steady, self.rolled = 1, 1
        self.job = None
        self.outputs, self.jobs_compared = 0, 0
        self.found = []
        self.rollouts = collections.Counter()

    @property
    def host(self):
        return self.chaos.host

    # Peace

    def prepare(self):
        self.host.manifest("evented", {
            "timeout": "2s", "feedback": False, "scale": {"idle": "300ms"},
            "triggers": [{"type": "event", "name": "rows", "sink": self.sink.url, "reply": False, "retry": RETRY,
                          "capacity": 100_000, "concurrency": 4}]})
        self.host.drop("evented@1.json", linear_model(1))
        self.host.wait_serving("evented", 1)
        wait_until(lambda: self.host.status("evented").get("triggers"), "the trigger")
        with open(ROOT / "functions/cancer/examples.jsonl") as file:
            rows = [row for line in file for row in json.loads(line)["inputs"] if None not in row]
        with open(self.host.home / "data" / "in.csv", "w") as file:
            for number in range(JOB_ROWS):
                file.write(",".join(map(str, rows[number % len(rows)])) + "\n")
        job = self.submit("peace.csv")
        wait_until(lambda: self.job_state(job)["state"] == "done", "a job in peace", patience=60)
        self.right = (self.host.home / "data" / "peace.csv").read_bytes()

    def start(self):
        self.end.clear()
        self.threads = [threading.Thread(target=self.go_on, args=(step,), daemon=True)
                        for step in (self.drop, self.roll_out, self.score, self.send, self.look_after)]
        for thread in self.threads:
            thread.start()

    def stop(self):
        self.end.set()
        for thread in self.threads:
            thread.join(PATIENCE + 5)
        self.threads = []

    def go_on(self, step):
        while not self.end.is_set():
            try:
                step()
            except TROUBLE as error:
                self.counts[f"{step.__name__} met {type(error).__name__}"] += 1
                self.end.wait(0.2)

    # Versions come and go

    def drop(self):
        self.steady += 1
        self.host.drop(f"steady@{self.steady}.json", linear_model(self.steady))
        self.counts["versions dropped"] += 1
        self.end.wait(0.6)
        for file in self.host.plugins.glob("steady@*.json"):
            if 1 < int(file.stem.split("@")[1]) < self.steady - 1:
                file.unlink(missing_ok=True)
                self.counts["versions deleted"] += 1

    def roll_out(self):
        """The next one when the last has ended, or has not for long."""
        self.rolled += 1
        self.host.drop(f"rolled@{self.rolled}.json", linear_model(self.rolled))
        end = time.monotonic() + 15
        while time.monotonic() < end and not self.end.wait(0.25):
            rollout = self.host.status("rolled").get("rollout")
            if rollout and rollout["canary"] == str(self.rolled) and rollout["state"] in ("promoted", "aborted"):
                self.rollouts[rollout["state"]] += 1
                break
        else:
            self.rollouts["not seen to end"] += 1
        for file in self.host.plugins.glob("rolled@*.json"):
            if 1 < int(file.stem.split("@")[1]) < self.rolled - 2:
                file.unlink(missing_ok=True)

    def look_after(self):
        """What a person does: lets versions in again that the host has given up."""
        self.end.wait(0.5)
        for function in self.host.status()["functions"]:
            if function["name"] not in ("code", "cancer", "rare", "evented"):
                continue
            state = function["versions"][0]["state"]
            if state not in ("serving", "draining"):
                why = function["versions"][0].get("reason", "")
                self.host.call("POST", f"/functions/{function['name']}/versions/1/restart", {})
                self.found.append(f"{function['name']}@1 was {state} and had to be restarted: {why}")

    # A file is scored

    def submit(self, output):
        reply = self.host.call("POST", "/functions/cancer/jobs", {
            "input": "in.csv", "output": output, "header": False, "columns": "none"})
        assert reply.status == 202, reply.body
        return reply.json["id"]

    def job_state(self, job):
        return self.host.get(f"/jobs/{job}").json

    def score(self):
        if self.job is None:
            # A name is used once: whoever did not hear of a job cannot say what became of it.
            self.outputs += 1
            self.job = self.submit(f"out-{self.outputs}.csv"), self.outputs
        self.end.wait(0.2)
        self.look_at_job()

    def look_at_job(self):
        """A person resumes what has stopped; what is done has to be what it was in peace."""
        job, number = self.job
        state = self.job_state(job)
        if state["state"] == "failed":
            self.found.append(f"job {job} failed: {state.get('reason')}")
            self.job = None
        elif state["state"] == "stopped":
            self.counts[f"jobs stopped, and resumed: {state.get('reason', '')[:60]}"] += 1
            self.host.call("POST", f"/jobs/{job}/resume", {})
        elif state["state"] == "done":
            output = self.host.home / "data" / f"out-{number}.csv"
            if output.read_bytes() != self.right:
                self.found.append(f"job {job} wrote something else than in peace, {state['bad_rows']} bad rows")
            for file in output.parent.glob(f"out-{number}.csv*"):
                file.unlink()
            self.jobs_compared += 1
            self.job = None

    # Events arrive

    def send(self):
        """Until it is accepted: who was not told so says it again."""
        number = self.events_sent
        event = {"Content-Type": "application/json", "ce-specversion": "1.0", "ce-type": "chaos.rows",
                 "ce-source": "/chaos", "ce-id": str(number)}
        self.host_said(self.host.call("POST", "/events", [[number, 0]], event), number)
        self.end.wait(0.05)

    def host_said(self, reply, number):
        if reply.status == 202 and reply.json["unmatched"] == 0:
            self.accepted.add(number)
            self.events_sent += 1
        elif reply.status in (429, 503) and reply.error:
            self.repeated += 1
            self.end.wait(0.1)
        else:
            self.found.append(f"event {number} was answered {reply.status} {reply.body[:200]!r}")
            self.events_sent += 1

    # The end

    def finish(self):
        """The last job and all events come to their end in peace."""
        if self.job is not None:
            def over():
                with contextlib.suppress(*TROUBLE):
                    self.look_at_job()
                return self.job is None

            wait_until(over, lambda: f"the end of {self.job_state(self.job[0])}", patience=120)

        def settled():
            triggers = self.host.status("evented")["triggers"]
            return all(one["waiting"] + one["running"] == 0 for one in triggers)

        wait_until(settled, lambda: f"the end of {self.host.status('evented')['triggers']}", patience=120)

    def check_events(self, database):
        """Each that was accepted has a result that the sink has heard, or a dead letter."""
        rows = database.execute("SELECT kind, key, phase FROM items WHERE kind IN ('event', 'sink')").fetchall()
        events = {int(json.loads(key)[1]): phase for kind, key, phase in rows if kind == "event"}
        dead_at_sink = sum(1 for kind, _, phase in rows if kind == "sink" and phase == "dead")
        lost = [number for number in self.accepted if events.get(number) not in ("done", "dead")]
        heard = {int(subject) for subject in self.sink.heard}
        done = {number for number, phase in events.items() if phase == "done"}
        dead = {number for number, phase in events.items() if phase == "dead"}
        if lost:
            self.found.append(f"events that were accepted and have no end: {lost[:20]}")
        if len(done - heard) > dead_at_sink:
            self.found.append(f"outcomes that no sink has heard of: {sorted(done - heard)[:20]}, {dead_at_sink} dead")
        for subject, outcomes in self.sink.heard.items():
            if len({name for name, _, _ in outcomes}) != 1:
                self.found.append(f"event {subject} has several outcomes: {outcomes}")
            for _, answer, version in outcomes:
                if answer["predictions"] != [int(subject) + int(version)]:
                    self.found.append(f"event {subject} was scored {answer} by version {version}")
        self.events = (f"{len(self.accepted)} events accepted ({self.repeated} times refused, and sent again): "
                       f"{len(done)} done, {len(dead)} dead letters; the sink heard "
                       f"{sum(map(len, self.sink.heard.values()))} times of {len(heard)}, {dead_at_sink} dead there")

    def verdict(self):
        print(self.events)
        print(f"{self.jobs_compared} jobs of {JOB_ROWS} rows, each byte for byte as in peace; rollouts "
              f"{dict(self.rollouts)}")
        for what, count in sorted(self.counts.items()):
            print(f"{count:6} × {what}")
        self.sink.stop()
        return self.found
