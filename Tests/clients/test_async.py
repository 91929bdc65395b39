"""Requests that are answered later: kept through crashes, tried again, given up into dead letters, and replayed."""

import pytest

from host import FAIL, FAIL_ROW, NOTHING, SLEEP, Host, build_plugin, linear_model, roost, wait_until

RETRY = {"attempts": 3, "backoff": "10ms", "max_backoff": "20ms"}


@pytest.fixture(scope="module")
def plugin(tmp_path_factory):
    return build_plugin(tmp_path_factory.mktemp("builds") / "chaos.so")


@pytest.fixture
def host(tmp_path, plugin):
    with Host(tmp_path / "home") as host:
        host.manifest("f", {"triggers": [{"type": "queue", "retry": RETRY}]})
        host.drop("f@1.so", plugin)
        host.wait_serving("f", 1)
        yield host


def submit(host, rows, function="f", **headers):
    reply = host.call("POST", f"/functions/{function}/async", rows, headers)
    assert reply.status == 202, (reply.status, reply.body)
    assert reply.headers["Location"] == reply.json["result"]
    return reply.json


def answer(host, path):
    """The reply to an item that has come to its end."""
    return wait_until(lambda: (reply := host.get(path)).status != 202 and reply, f"the end of {path}")


def test_an_answer_can_be_fetched_again_and_again(host):
    path = submit(host, [[3.0, NOTHING], [4.0, NOTHING]])["result"]
    for reply in (answer(host, path), host.get(path)):
        assert reply.predictions == [3.0, 4.0]
        assert reply.headers["Content-Type"] == "application/json" and reply.version == "1"
    (trigger,) = host.status("f")["triggers"]
    assert (trigger["name"], trigger["done"], trigger["outcomes"]["done"]) == ("queue-1", 1, 1)
    assert trigger["last"]["outcome"] == "done"
    metrics = host.get("/metrics").body.decode()
    assert 'roost_trigger_items{function="f",trigger="queue-1",state="done"} 1\n' in metrics
    assert 'roost_trigger_outcomes_total{function="f",trigger="queue-1",outcome="done"} 1\n' in metrics


def test_csv_comes_and_goes_as_csv(host):
    reply = host.call("POST", "/functions/f/async", "3,0\n4,0\n", {"Content-Type": "text/csv", "Accept": "text/csv"})
    direct = host.call("POST", "/functions/f/predict", "3,0\n4,0\n", {"Content-Type": "text/csv", "Accept": "text/csv"})
    later = answer(host, reply.json["result"])
    assert later.body == direct.body and later.headers["Content-Type"].startswith("text/csv")


def test_the_same_key_is_the_same_request(host):
    one = submit(host, [[1.0, NOTHING]], **{"Idempotency-Key": "order 17"})
    two = submit(host, [[1.0, NOTHING]], **{"Idempotency-Key": "order 17"})
    assert (one["id"], one["duplicate"], two["duplicate"]) == (two["id"], False, True)
    assert submit(host, [[1.0, NOTHING]])["id"] != one["id"]
    assert host.call("POST", "/functions/f/async", [[1.0, 0.0]], {"Idempotency-Key": "x" * 300}).status == 400


def test_what_cannot_be_done_is_a_dead_letter_at_once(host):
    letter = answer(host, submit(host, [["no number", NOTHING]])["result"])
    assert (letter.status, letter.json["cause"], letter.json["attempts"]) == (422, "permanent", 1)
    assert "no number" in letter.error
    mended = host.call("POST", f"/functions/f/async/{letter.json['id']}/replay", None, {"Content-Type": "application/json"})
    assert mended.status == 202
    again = wait_until(
        lambda: (reply := host.get(f"/functions/f/async/{letter.json['id']}")).status == 422 and reply, "its end")
    assert again.json["replays"] == 1


def test_what_fails_is_tried_as_often_as_the_manifest_says_then_replayed(host, plugin):
    path = submit(host, [[5.0, FAIL]])["result"]
    letter = answer(host, path)
    assert (letter.status, letter.json["cause"], letter.json["attempts"]) == (422, "exhausted", 3)
    assert "this model has failed" in letter.error
    listed = host.get("/functions/f/async?state=dead").json["items"]
    assert [one["id"] for one in listed] == [letter.json["id"]]

    shown = roost("deadletters", "f", "list", "--home", host.home)
    assert shown.returncode == 0 and "this model has failed" in shown.stdout, shown
    shown = roost("deadletters", "f", "show", letter.json["id"], "--home", host.home)
    assert "cause: exhausted" in shown.stdout, shown
    for wrong in (["f"], ["f", "burn"], ["f", "show"], ["f", "list", "x"], ["f", "replay", "x"]):
        assert roost("deadletters", *wrong, "--home", host.home).returncode == 2, wrong
    assert roost("deadletters", "nix", "list", "--home", host.home).returncode == 1

    # A model that can do it: what is replayed succeeds.
    host.drop("f@2.json", linear_model(1))
    host.wait_serving("f", 2)
    done = roost("deadletters", "f", "replay", "--home", host.home)
    assert (done.returncode, done.stdout) == (0, "1 replayed\n"), done
    reply = wait_until(lambda: (reply := host.get(path)).status == 200 and reply, "the answer of the new version")
    assert reply.predictions == [5.0 + FAIL + 1] and reply.version == "2"
    assert host.get("/functions/f/async").json["items"] == []
    (trigger,) = host.status("f")["triggers"]
    assert (trigger["done"], trigger["dead"]) == (1, 0)


def test_a_full_backlog_says_when_to_come_again(host):
    host.manifest("f", {"triggers": [{"type": "queue", "name": "two", "capacity": 2, "concurrency": 1}]})
    wait_until(lambda: [one["name"] for one in host.status("f")["triggers"]] == ["two"], "the new queue")
    replies = [host.call("POST", "/functions/f/async", [[3000.0, SLEEP]]) for _ in range(3)]
    assert [reply.status for reply in replies] == [202, 202, 429]
    refused = replies[2]
    assert int(refused.headers["Retry-After"]) >= 1 and "the most is 2" in refused.error
    assert host.status("f")["triggers"][0]["outcomes"]["refused"] == 1


def test_who_waits_can_be_cancelled(host):
    host.manifest("f", {"triggers": [{"type": "queue", "name": "one", "concurrency": 1, "retry": RETRY}]})
    wait_until(lambda: [one["name"] for one in host.status("f")["triggers"]] == ["one"], "the new queue")
    first = submit(host, [[3000.0, SLEEP]])
    second = submit(host, [[1.0, NOTHING]])
    assert host.call("DELETE", second["result"]).status == 200
    letter = answer(host, second["result"])
    assert (letter.status, letter.json["cause"], letter.error) == (422, "cancelled", "cancelled by api")
    assert answer(host, first["result"]).status == 200
    assert host.call("DELETE", first["result"]).status == 409


def test_without_a_queue_the_manifest_line_is_said(host, plugin):
    host.drop("g@1.so", plugin)
    host.wait_serving("g", 1)
    refused = host.call("POST", "/functions/g/async", [[1.0, NOTHING]])
    assert refused.status == 404
    assert refused.error == 'g has no queue: write "triggers": [{"type": "queue"}] in functions/g.json'
    assert host.get("/functions/f/async/999").status == 404
    assert host.get("/functions/f/async/x").status == 404
    assert host.call("POST", "/functions/f/async", "1,2", {"Content-Type": "text/plain"}).status == 415


def test_what_was_acknowledged_survives_kills_and_a_trigger_that_was_away(host):
    paths = {}
    for turn in range(3):
        for number in range(turn * 40, turn * 40 + 40):
            paths[number] = submit(host, [[float(number), NOTHING]], **{"Idempotency-Key": str(number)})["result"]
        host.kill()
        host.restart()
    for number, path in paths.items():
        assert answer(host, path).predictions == [float(number)]

    host.manifest("f", {})
    wait_until(lambda: host.get(paths[0]).status == 404, "the end of the trigger")
    host.manifest("f", {"triggers": [{"type": "queue"}]})
    reply = wait_until(lambda: (reply := host.get(paths[0])).status == 200 and reply, "the trigger")
    assert reply.predictions == [0.0]
    assert host.status("f")["triggers"][0]["done"] == len(paths)
