"""CloudEvents over HTTP, sent by the official SDK: modes, filters, duplicates, replies, and sinks that fail."""

import http.server
import json
import os
import random
import signal
import sqlite3
import threading
import time
import warnings

import pytest
from cloudevents.conversion import to_binary, to_structured
from cloudevents.http import CloudEvent, from_http

from host import FAIL, NOTHING, Host, build_plugin, roost, wait_until

RETRY = {"attempts": 3, "backoff": "10ms", "max_backoff": "20ms"}


class Sink:
    """A server that takes events, and fails as it is told."""

    def __init__(self):
        self.events, self.failures = [], []
        sink = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, headers = sink.failures.pop(0) if sink.failures else (204, {})
                if status < 300:
                    sink.events.append(from_http(dict(self.headers.items()), body))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/outcomes?from=roost"


@pytest.fixture
def sink():
    sink = Sink()
    yield sink
    sink.server.shutdown()
    sink.server.server_close()


@pytest.fixture(scope="module")
def plugin(tmp_path_factory):
    return build_plugin(tmp_path_factory.mktemp("builds") / "chaos.so")


@pytest.fixture
def host(tmp_path, plugin):
    with Host(tmp_path / "home") as host:
        host.drop("f@1.so", plugin)
        host.wait_serving("f", 1)
        yield host


def listen(host, *triggers, function="f"):
    host.manifest(function, {"triggers": [{"type": "event", "retry": RETRY, **trigger} for trigger in triggers]})
    wait_until(lambda: len([one for one in host.status(function).get("triggers", []) if one["type"] == "event"])
               == len(triggers), "the triggers")


def event(number, rows, **attributes):
    return CloudEvent({"type": "com.example.rows", "source": "/shop/a", "id": str(number), **attributes}, rows)




def send(host, event, write=to_binary):
    headers, body = write(event)
    headers = {"Content-Type": "application/json", **{name.title(): value for name, value in headers.items()}}
    return host.call("POST", "/events", body, headers)


@pytest.mark.parametrize("write", [to_binary, to_structured])
def test_the_reply_is_the_prediction_as_an_event(host, write):
    listen(host, {})
    reply = send(host, event("a-1", [[3.0, NOTHING]]), write)
    assert reply.status == 200, reply.body
    answer = from_http(dict(reply.headers.items()), reply.body)
    assert (answer["type"], answer["source"], answer["subject"]) == ("roost.prediction", "/functions/f", "a-1")
    assert (answer["roostversion"], answer.data["predictions"]) == ("1", [3.0])
    # The same event again is answered with the same event, and not predicted again.
    again = from_http(dict((reply := send(host, event("a-1", [[3.0, NOTHING]]), write)).headers.items()), reply.body)
    assert (again["id"], again.data) == (answer["id"], answer.data)
    assert host.version("f", 1)["requests"]["ok"] == 1


def test_a_batch_is_counted(host):
    listen(host, {"filter": {"type": "com.example.rows"}})
    events = [event(number, [[float(number), NOTHING]]) for number in (1, 2, 2)] + [event(9, [[1.0, 0]], type="other")]
    body = b"[" + b",".join(to_structured(one)[1] for one in events) + b"]"
    reply = host.call("POST", "/events", body, {"Content-Type": "application/cloudevents-batch+json"})
    assert (reply.status, reply.json) == (202, {"accepted": 2, "duplicates": 1, "unmatched": 1})
    wait_until(lambda: host.status("f")["triggers"][0]["done"] == 2, "both")
    reply = host.call("POST", "/events", b"[]", {"Content-Type": "application/cloudevents-batch+json"})
    assert (reply.status, reply.json) == (202, {"accepted": 0, "duplicates": 0, "unmatched": 0})


def test_filters_choose_by_attributes_and_extensions(host):
    listen(host, {"name": "exact", "reply": False, "filter": {"exact": {"type": "order", "region": "eu"}}},
           {"name": "prefix", "reply": False, "filter": {"prefix": {"source": "/shop/"}}},
           {"name": "suffix", "reply": False, "filter": {"suffix": {"subject": ".csv"}}})

    def taken():
        return {one["name"]: one["done"] for one in host.status("f")["triggers"]}

    cases = [
        (dict(type="order", region="eu", source="/x"), {"exact"}),
        (dict(type="order", region="us", source="/x"), set()),
        (dict(type="order", source="/x"), set()),
        (dict(type="t", source="/shop/b"), {"prefix"}),
        (dict(type="t", source="/x", subject="a.csv"), {"suffix"}),
        (dict(type="order", region="eu", source="/shop/c", subject="b.csv"), {"exact", "prefix", "suffix"}),
        (dict(type="Order", region="eu", source="/Shop/"), set()),
    ]
    expected = dict.fromkeys(("exact", "prefix", "suffix"), 0)
    for number, (attributes, names) in enumerate(cases):
        reply = send(host, event(number, [[1.0, NOTHING]], **attributes))
        assert reply.json == {"accepted": int(bool(names)), "duplicates": 0, "unmatched": int(not names)}, attributes
        for name in names:
            expected[name] += 1
        wait_until(lambda: taken() == expected, lambda: f"{expected}, it is {taken()}")


def test_what_is_no_event_is_refused_with_the_attribute(host):
    listen(host, {})
    headers, body = to_binary(event(1, [[1.0, NOTHING]]))
    for change, word in [({"ce-type": ""}, "type"), ({"ce-specversion": "0.3"}, "specversion"),
                         ({"ce-time": "yesterday"}, "time")]:
        reply = host.call("POST", "/events", body, {**headers, **change})
        assert reply.status == 400 and f'"{word}"' in reply.error, reply.body
    assert host.call("POST", "/events", b"[[1, 0]]").status == 415
    assert host.call("POST", "/events", b"{}", {"Content-Type": "application/cloudevents+json"}).status == 400
    assert host.get("/events").status == 405


def test_csv_data_and_data_that_no_model_can_read(host):
    listen(host, {})
    csv = CloudEvent({"type": "t", "source": "/s", "id": "1", "datacontenttype": "text/csv"}, "3,0\n4,0\n")
    reply = host.call("POST", "/events", "3,0\n4,0\n", {"Content-Type": "text/csv", "ce-specversion": "1.0",
                                                       "ce-type": "t", "ce-source": "/s", "ce-id": "1"})
    assert reply.status == 200 and reply.json["predictions"] == [3.0, 4.0], (csv, reply.body)
    refused = send(host, event(2, [["word", 0]]))
    assert refused.status == 422 and "word" in refused.error
    letter = host.get(f"/functions/f/async/{refused.json['deadletter']}?trigger=event-1")
    assert (letter.status, letter.json["cause"]) == (422, "permanent")
    assert send(host, event(2, [["word", 0]])).status == 422
    assert send(host, event(3, None)).status == 422


def test_outcomes_reach_a_sink_that_fails_at_first_once_each(host, sink):
    listen(host, {"sink": sink.url, "emit": "com.example.scored"})
    sink.failures = [(503, {"Retry-After": "0"}), (500, {})]
    assert send(host, event("e", [[3.0, NOTHING]])).json["accepted"] == 1
    wait_until(lambda: sink.events, "the outcome")
    (found,) = sink.events
    assert (found["type"], found["subject"], found.data["predictions"]) == ("com.example.scored", "e", [3.0])
    wait_until(lambda: {one["name"]: one["done"] for one in host.status("f")["triggers"]}
               == {"event-1": 1, "event-1/sink": 1}, "both done")
    assert host.version("f", 1)["requests"]["ok"] == 1
    assert len(sink.events) == 1


def test_a_sink_that_stays_away_leaves_a_dead_letter_that_can_be_replayed(host, sink):
    listen(host, {"sink": sink.url})
    sink.failures = [(500, {})] * 3
    send(host, event("e", [[3.0, NOTHING]]))
    letters = wait_until(
        lambda: host.get("/functions/f/async?trigger=event-1/sink").json["items"], "the dead letter")
    assert (letters[0]["cause"], letters[0]["attempts"]) == ("exhausted", 3) and "500" in letters[0]["error"]
    done = roost("deadletters", "f", "replay", letters[0]["id"], "--trigger", "event-1/sink", "--home", host.home)
    assert done.returncode == 0, done
    wait_until(lambda: sink.events, "the outcome")
    assert host.version("f", 1)["requests"]["ok"] == 1


def test_a_file_that_an_event_names_is_scored_once(host, sink):
    (host.home / "data" / "inbox").mkdir(parents=True)
    (host.home / "data" / "inbox" / "rows.csv").write_text("a,b\n" + "".join(f"{n},0\n" for n in range(100)))
    listen(host, {"input": {"file": "path"}, "output": "scored", "sink": sink.url})
    for _ in range(2):
        assert send(host, event("e", {"path": "inbox/rows.csv"})).status == 202
    wait_until(lambda: sink.events, "the outcome")
    (found,) = sink.events
    assert found["type"] == "roost.job.finished" and found.data["rows"] == 100, found.data
    (output,) = [file for file in (host.home / "data" / "scored").iterdir() if file.suffix == ".csv"]
    assert output.name.startswith("rows-") and len(output.read_text().splitlines()) == 101
    assert len(host.get("/jobs").json["jobs"]) == 1
    # What names no file is a dead letter.
    send(host, event("bad", {"path": "../rows.csv"}))
    (letter,) = wait_until(lambda: host.get("/functions/f/async?trigger=event-1").json["items"], "the dead letter")
    assert letter["cause"] == "permanent"


def test_every_event_has_one_output_or_one_dead_letter_whoever_dies(host, sink):
    """Hosts and instances are killed meanwhile. Benchmarks/events is a larger one of this."""
    count, kills = int(os.environ.get("ROOST_EVENTS", 1000)), int(os.environ.get("ROOST_EVENTS_KILLS", 1))
    random.seed(int(os.environ.get("ROOST_SEED", 1)))
    listen(host, {"sink": sink.url, "capacity": 100_000, "concurrency": 8,
                  "retry": {"attempts": 6, "backoff": "10ms", "max_backoff": "100ms"}})
    failing = set(random.sample(range(count), count // 20))
    began, repeated, duplicates, deaths = time.monotonic(), 0, 0, 0
    sizes, size = range(0, count, 50), 50
    moments = set(random.sample(sizes[1:], kills))
    for start in sizes:
        body = b"[" + b",".join(
            to_structured(event(number, [[float(number), FAIL if number in failing else NOTHING]]))[1]
            for number in range(start, min(start + size, count))) + b"]"
        headers = {"Content-Type": "application/cloudevents-batch+json"}
        killer = None
        if start in moments:
            # Before, while or after the events are written, as it happens.
            killer = threading.Timer(random.uniform(0, 0.05), host.kill)
            killer.start()
        elif random.random() < 0.2:
            deaths += end_an_instance(host)
        while True:
            try:
                reply = host.call("POST", "/events", body, headers)
                if reply.status == 202:
                    break
                assert reply.status == 503, (reply.status, reply.body)
            except OSError:
                pass
            # Whoever was not told that it was heard says it again.
            repeated += 1
            if killer is not None:
                killer.join()
                killer = None
                host.restart()
        duplicates += reply.json["duplicates"]
        if killer is not None:
            killer.join()
            host.restart()

    def settled():
        found = {one["name"]: one for one in host.status("f")["triggers"]}
        return all(one["waiting"] + one["running"] == 0 for one in found.values()) and found

    found = wait_until(settled, lambda: f"the end of all: {host.status('f')['triggers']}", patience=300)
    seconds = time.monotonic() - began
    assert host.stop() == 0
    with sqlite3.connect(host.home / "state" / "deliveries.db") as database:
        items = database.execute("SELECT key, phase, bytes FROM items LEFT JOIN results USING (id) "
                                 "WHERE kind = 'event'").fetchall()
    numbers = [int(json.loads(key)[1]) for key, _, _ in items]
    done = {number for number, (_, phase, result) in zip(numbers, items) if phase == "done" and result is not None}
    dead = {number for number, (_, phase, result) in zip(numbers, items) if phase == "dead" and result is None}
    print(f"\n{count} events, {kills} kills of the host, {deaths} of instances: {len(done)} outputs, {len(dead)} dead "
          f"letters ({len(dead - failing)} of events that could be done), {len(items) - len(done) - len(dead)} of both "
          f"or neither; {repeated} batches repeated, {duplicates} duplicates recognised; the sink heard "
          f"{len(sink.events)} times of {len({one['id'] for one in sink.events})}; {seconds:.1f} s")
    assert sorted(numbers) == list(range(count))
    assert done | dead == set(range(count)) and not done & dead
    assert failing <= dead
    assert (found["event-1"]["done"], found["event-1"]["dead"]) == (len(done), len(dead))
    outputs = {one["subject"]: one.data["predictions"] for one in sink.events}
    assert outputs == {str(number): [float(number)] for number in done}
    # A sink may hear twice of what was under way at the kill; then with the same id.
    assert len({one["id"] for one in sink.events}) == len(done)


def end_an_instance(host):
    """Kills one as the kernel does when memory is short; 1 if there was one."""
    pids = host.instances("f", 1)
    if not pids:
        return 0
    try:
        os.kill(random.choice(pids), signal.SIGKILL)
    except ProcessLookupError:
        return 0
    return 1
