"""Rollouts of real models on a real host, from outside: what callers, people and other programs see of them."""

import contextlib
import http.server
import json
import re
import threading
import time

import pytest

from host import Host, linear_model, wait_until
from rollouts import (
    NAME, ROW, WIDE, LONG, plan, host, models, begin, drop, calling, rollout, wait_for, wait_for_share,
    shares, steer, audit, cli)


# By itself

def test_a_drop_under_a_plan_is_promoted_step_by_step(host):
    begin(host)
    with calling(host):
        drop(host)
        wait_until(lambda: rollout(host)["state"], "it has begun")
        watch = cli(host, "rollout", "status", NAME, "--watch")
    assert watch.returncode == 0 and "promoted" in watch.stdout, watch
    assert "step 1 of 3: 10 % of traffic" in watch.stdout, watch.stdout
    tables = [entry["to"] for entry in audit(host) if entry["act"] == "traffic"]
    assert tables == ["1=100", "1=90 2=10", "1=50 2=50", "2=100"]
    acts = [entry["act"] for entry in audit(host) if entry.get("version") == "2"]
    assert acts == ["ready", "rollout_started", "rollout_advanced", "rollout_advanced", "rollout_promoted"]
    promoted = next(entry for entry in audit(host) if entry["act"] == "rollout_promoted")
    assert promoted["numbers"]["samples"] >= 20 and promoted["by"] == "rollout"
    assert {finding["metric"] for finding in promoted["numbers"]["findings"]} >= {"errors", "latency"}
    assert shares(host) == {"2": 100} and host.predict(NAME, [ROW]).predictions == [5.0]


@pytest.mark.parametrize("kind, words", [("errors", "errors"), ("deaths", "signal 11"), ("slow", " of 1 row ")])
def test_a_bad_version_goes_back_and_stays_away(host, models, kind, words):
    begin(host, model=models["good"], analysis=WIDE | {"latency": {"p99_margin": 0.5}})
    steady = calling(host, row=[40, 0])
    with contextlib.suppress(AssertionError) if kind == "errors" else contextlib.nullcontext(), steady:
        drop(host, content=models[kind], kind="so")
        now = wait_for(host, *("aborted", "promoted"))
        assert now["state"] == "aborted" and words in now["reason"], now
        wait_until(lambda: shares(host) == {"1": 100}, "all traffic is the old version's")
    assert all(b"no answer for this row" in failure[1] for failure in steady.failures)
    assert host.state(NAME, 2) == "rejected"
    assert max(entry["to"] for entry in audit(host) if entry["act"] == "rollout_aborted") == "0 %"
    watch = cli(host, "rollout", "status", NAME, "--watch")
    assert watch.returncode == 1 and "aborted" in watch.stdout
    host.kill()
    host.restart()
    assert shares(host) == {"1": 100} and host.state(NAME, 2) == "rejected"
    assert rollout(host)["state"] == "aborted"
    # A person may try again; that is a rollout, too.
    assert cli(host, "deploy", f"{NAME}@2", "--restart").returncode == 0
    assert rollout(host)["state"] not in ("aborted", "promoted", None)


def test_recorded_requests_are_asked_before_callers_are(host, models):
    begin(host, {"replay": {"size": "1MiB", "rate": 1000}}, models["good"])
    with calling(host):
        wait_until(lambda: sum(path.stat().st_size for path in (host.home / "state" / "replay").rglob("*.*")) > 4096,
                   lambda: list((host.home / "state" / "replay").rglob("*")))
        drop(host, content=models["errors"], kind="so")
        now = wait_for(host, "aborted")
        assert now["reason"].startswith("replay: ") and "recorded requests" in now["reason"]
        drop(host, 3, models["good"], "so")
        assert wait_for(host, "promoted", canary="3")["unproven"] is not None
    assert all("2=" not in entry["to"] for entry in audit(host) if entry["act"] == "traffic")


def test_shadows_give_pairs_and_pairs_can_stop_it(host):
    # Of one column that says yes or no by 0.5: the other version says the opposite.
    def model(sign):
        return json.dumps({"format": "roost-linear", "version": 1, "model": "logistic",
                           "coefficients": [[sign, 0.0]], "intercepts": [0.0]}).encode()

    host.manifest(NAME, {"rollout": plan(
        analysis=WIDE | {"agreement": {"flips": 0.05, "collapse": 0.3}}, steps=[1, 50, 100])})
    host.drop(f"{NAME}@1.json", model(1.0))
    host.wait_for_state(NAME, 1, "serving", "failed")
    if host.state(NAME, 1) == "failed":
        pytest.fail(host.version(NAME, 1)["reason"])
    with calling(host):
        drop(host, content=model(-1.0))
        now = wait_for(host, "aborted", "paused", "promoted")
    assert now["state"] in ("aborted", "paused") and "other decisions" in now["reason"], now


def test_labels_decide_where_they_are_required(host):
    quality = {"metric": "mse", "margin": 0.2, "labels": "required"}
    begin(host, steps=[50, 100], analysis=WIDE | {"quality": quality})

    def label(rows):
        """The truth is what version 1 says."""
        labels = []
        for row in range(rows):
            name = f"loan {time.monotonic_ns()} {row}"
            request = {"id": name, "inputs": [
                {"name": "features", "shape": [1, 2], "datatype": "FP32", "data": [row % 7, 0]}]}
            assert host.call("POST", f"/v2/models/{NAME}/infer", request).status == 200
            labels.append({"id": name, "row": 0, "label": row % 7 + 1})
        reply = host.call("POST", f"/functions/{NAME}/feedback", labels)
        assert reply.json["joined"] == rows, reply.body

    with calling(host, pause=0.02):
        drop(host)
        waiting = wait_until(
            lambda: (now := rollout(host))["state"] == "waiting" and "labels" in str(now["missing"]) and now,
            lambda: rollout(host), patience=LONG)
        assert waiting["share"] == 50
        # Predictions count from the first whole minute of the comparison on.
        wait_until(lambda: label(100) or rollout(host)["state"] == "aborted", lambda: rollout(host), patience=150)
        now = rollout(host)
    assert "mse" in now["reason"], now


# By people

def test_a_canary_without_a_plan(host, tmp_path):
    host.drop(f"{NAME}@1.json", linear_model(1))
    host.wait_serving(NAME, 1)
    # The wish outlives the host.
    assert host.call("POST", f"/functions/{NAME}/rollout", {"next": True}).json == {"expected": True}
    host.kill()
    host.restart()
    drop(host)
    wait_for(host, "analysing", "waiting")
    assert shares(host) == {"1": 99, "2": 1}
    with calling(host):
        stopped = cli(host, "rollout", "abort", NAME, "--reason", "numbers look odd")
        assert stopped.returncode == 0 and "numbers look odd" in stopped.stdout, stopped
    assert shares(host) == {"1": 100} and "numbers look odd" in host.version(NAME, 2)["reason"]
    file = tmp_path / "credit@3.json"
    file.write_bytes(linear_model(3))
    deployed = cli(host, "deploy", str(file), "--canary")
    assert deployed.returncode == 0, deployed
    assert wait_for(host, "analysing", "waiting", canary="3")["share"] == 1
    # The next one was not asked for as a canary, and waits for its turn.
    drop(host, 4)
    wait_until(lambda: rollout(host).get("queued") == "4", lambda: rollout(host))
    promoted = cli(host, "rollout", "promote", NAME)
    assert promoted.returncode == 0 and "promoted" in promoted.stdout + str(audit(host))
    assert wait_for(host, "analysing", "waiting", canary="4")["stable"] == "3"


def test_people_steer_and_the_words_fit(host):
    begin(host, steps=[10, {"pause": True}, 100], max_duration="1h")
    drop(host)
    wait_for(host, "waiting", "analysing")
    status = cli(host, "rollout", "status", NAME)
    assert status.returncode == 0 and "step 1 of 2: 10 % of traffic" in status.stdout, status
    assert json.loads(cli(host, "rollout", "status", NAME, "--json").stdout)["canary"] == "2"
    assert host.status(NAME)["tags"] == {"stable": "1", "canary": "2"}
    by_tag = host.predict(NAME, [ROW], version="canary")
    assert by_tag.version == "2" and host.predict(NAME, [ROW], version="stable").version == "1"
    for command, words in (("pause", "paused"), ("resume", "step 1")):
        done = cli(host, "rollout", command, NAME)
        assert done.returncode == 0 and words in done.stdout, done
        again = cli(host, "rollout", command, NAME)
        assert again.returncode == 1 and "paused" in again.stderr, again
    with calling(host):
        wait_for(host, "pausing")
        assert "until `roost rollout resume`" in rollout(host)["explanation"]
        assert cli(host, "rollout", "resume", NAME).returncode == 0
        wait_for(host, "promoted")
    for command in ("pause", "resume", "promote", "abort"):
        late = cli(host, "rollout", command, NAME)
        assert late.returncode == 1 and "promoted" in late.stderr, late
    acts = [(entry["act"], entry["by"]) for entry in audit(host) if entry["act"].startswith("rollout_")]
    people = [act for act, by in acts if by != "rollout" and by != "plan"]
    assert people == ["rollout_paused", "rollout_resumed", "rollout_resumed"], acts
    preview = cli(host, "rollout", "plan", f"{NAME}@2")
    assert preview.returncode == 0 and re.search(r"10 %\s+\d+", preview.stdout), preview


def test_nobody_changes_traffic_under_a_rollout(host):
    begin(host, steps=[10, {"pause": True}, 100])
    drop(host)
    wait_for_share(host, 10)
    for refused in (cli(host, "traffic", NAME, "1=50", "2=50"), cli(host, "traffic", NAME, "latest")):
        assert refused.returncode == 1 and f"rollout of {NAME}@2 decides about traffic" in refused.stderr, refused
    assert shares(host) == {"1": 90, "2": 10}
    # A manifest that shares traffic out waits for the end.
    host.manifest(NAME, {"rollout": plan(), "traffic": {"1": 70, "2": 30}})
    wait_until(lambda: rollout(host)["manifest_changed"], lambda: rollout(host))
    assert shares(host) == {"1": 90, "2": 10} and "the manifest's plan changed" in rollout(host)["explanation"]
    host.kill()
    host.restart()
    wait_until(lambda: shares(host) == {"1": 90, "2": 10}, lambda: host.status(NAME)["traffic"])
    back = cli(host, "rollback", NAME)
    assert back.returncode == 0, back
    assert host.state(NAME, 2) == "rejected" and rollout(host)["state"] == "aborted"
    # The share of the rejected version is nobody's.
    wait_until(lambda: host.status(NAME)["traffic"]["origin"] == "manifest", lambda: host.status(NAME)["traffic"])
    assert shares(host) == {"1": 100} and host.status(NAME)["traffic"]["pending"] == {"2": 30}


@pytest.fixture(scope="module")
def bad(tmp_path_factory):
    """credit@1 serves, 2 was rolled back, 3 failed, 5 is in a rollout that waits for traffic; other has no rollout."""
    with Host(tmp_path_factory.mktemp("home")) as host:
        begin(host)
        drop(host)
        wait_for_share(host, 10)
        assert steer(host, "abort").status == 200
        host.drop(f"{NAME}@3.json", b'{"format": "roost-linear"}')
        host.wait_for_state(NAME, 3, "failed")
        for other in ("other@1.json", "other@2.json", "other@3.json"):
            host.drop(other, linear_model(int(other[6])))
            host.wait_serving("other", int(other[6]))
        assert host.call("POST", "/functions/other/rollback", {}).status == 200
        host.drop("other@4.json", b'{"format": "roost-linear"}')
        host.wait_for_state("other", 4, "failed")
        drop(host, 5)
        wait_for_share(host, 10)
        yield host


@pytest.mark.parametrize("path, body, status, words", [
    ("credit/rollout", {"version": "5"}, 409, "a rollout of credit@5 is under way"),
    ("credit/rollout", {"version": "9"}, 404, "no version credit@9"),
    ("nobody/rollout", {"version": "1"}, 404, "no function"),
    ("other/rollout", {"version": "3"}, 409, "other@3 cannot take traffic: it is rejected"),
    ("other/rollout", {"version": "4"}, 409, "other@4 cannot take traffic: it is failed"),
    ("other/rollout", {"version": "2"}, 409, "other@2 has all traffic already"),
    ("other/rollout", {"version": "1"}, 409, "other@1 is older than other@2"),
    ("other/rollout", {"version": "x"}, 400, "say {\"version\": \"3\"}"),
    ("other/rollout", {"versions": "3"}, 400, "versions"),
    ("other/rollout", "{", 400, "body"),
    ("other/rollout/abort", {}, 409, "other has no rollout"),
    ("nobody/rollout/promote", {}, 404, "no function"),
    ("credit/rollout/abort", {"why": 1}, 400, "why"),
    ("credit/rollout/stop", {}, 404, ""),
    ("credit/feedback", [{"id": "nobody knows", "label": 1}], 400, "nobody knows"),
    ("credit/feedback", [{"id": "x", "label": {}}], 400, "label"),
])
def test_bad_commands_are_refused_and_change_nothing(bad, path, body, status, words):
    def state():
        log = bad.get("/audit?limit=10000").json["entries"]
        return log, shares(bad), bad.status("other")["traffic"], rollout(bad)["state"] in ("analysing", "waiting")
    before = state()
    reply = bad.call("POST", f"/functions/{path}", body)
    assert (reply.status, words in reply.body.decode().replace('\\"', '"')) == (status, True), reply.body
    assert state() == before and before[3]


@pytest.mark.parametrize("bad_plan, place, words", [
    ('{"rollout": {"steps": [10, 50]}}', "1:", "must end at 100"),
    ('{"rollout": {"steps": [100]}}', "1:", "must begin with a share below 100"),
    ('{\n  "rollout": {\n    "steps": [50, 10, 100]}}', "3:", "must be more than the share before it"),
    ('{"rollout":\n {"steps": [10, {"pause": "2h"}, 100], "max_duration": "1h"}}', "2:", "cannot finish"),
    ('{"rollout": {"interval": "0s"}}', "1:", "interval"),
    ('{"rollout": {"gates": [{"url": "https://gate"}]}}', "1:", "speaks no TLS"),
    ('{"rollout": {"step": [10, 100]}}', "1:", "step"),
    ('{"rollout": "yes"}', "1:", "must be true, false or an object"),
    ('{"rollout": true, "bake": "100d"}', "1:", "bake"),
    ('{"traffic": {"1": 90, "2": 5}}', "1:", "sum to 100"),
])
def test_a_plan_that_cannot_be_is_refused_and_the_last_good_one_stays(bad, bad_plan, place, words):
    before = cli(bad, "rollout", "plan", f"{NAME}@5", "--json").stdout
    bad.manifest(NAME, bad_plan)
    try:
        note = wait_until(lambda: [note for note in bad.status(NAME)["notes"] if words in note],
                          lambda: bad.status(NAME)["notes"])
        assert f"functions/{NAME}.json:{place}" in note[0], note
        after = cli(bad, "rollout", "plan", f"{NAME}@5", "--json").stdout
        assert json.loads(after)["plan"] == json.loads(before)["plan"]
    finally:
        bad.manifest(NAME, {"rollout": plan()})
        wait_until(lambda: not bad.status(NAME)["notes"], lambda: bad.status(NAME)["notes"])


# Gates

class Gate:
    """Answers as it is told: a status, or None for never."""

    def __init__(self, answer=200):
        self.answer, self.asked = answer, []
        gate = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                gate.asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                while gate.answer is None:
                    time.sleep(0.05)
                with contextlib.suppress(ConnectionError):
                    self.send_response(gate.answer)
                    self.end_headers()
                    self.wfile.write(b"says the committee")

            def log_message(self, *words):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/gate?by=roost"

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def test_gates_pass_refuse_hang_and_vanish(host):
    start, last = Gate(), Gate(418)
    begin(host, steps=[10, 100], gates=[
        {"url": start.url, "at": "start"}, {"url": last.url, "at": "before-promotion", "timeout": "500ms"}])
    with calling(host):
        drop(host)

        def missing(words):
            return wait_until(lambda: words in str(rollout(host).get("missing")) and rollout(host)["share"] == 10,
                              lambda: rollout(host), patience=LONG)
        missing("status 418: says the committee")
        last.answer = None
        missing("no answer within 500")
        last.answer = 200
        last.close()
        missing("refused")
        assert shares(host) == {"1": 90, "2": 10}
        assert [one["at"] for one in start.asked] == ["start"] and start.asked[0]["function"] == NAME
        assert {(one["from"], one["to"], one["canary"]) for one in last.asked} == {(10, 100, "2")}
        refusals = [entry for entry in audit(host) if entry["act"] == "rollout_gate_refused"]
        assert len(refusals) >= 3
        assert cli(host, "rollout", "promote", NAME).returncode == 0
    assert rollout(host)["state"] == "promoted" and "promoted by" in str(rollout(host)["unproven"])


# Time

def test_a_promotion_that_bakes_can_be_taken_back(host):
    begin(host, {"bake": "1h"})
    with calling(host):
        drop(host)
        wait_for(host, "baking")
        assert shares(host) == {"2": 100} and host.status(NAME)["tags"]["canary"] == "2"
        assert cli(host, "rollback", NAME).returncode == 0
        wait_until(lambda: shares(host) == {"1": 100}, lambda: host.status(NAME)["traffic"])
        assert host.state(NAME, 2) == "rejected"
        host.manifest(NAME, {"rollout": plan(), "bake": "1s"})
        wait_until(lambda: rollout(host)["manifest_changed"], lambda: rollout(host))
        drop(host, 3)
        wait_for(host, "promoted", canary="3")
    acts = [entry["act"] for entry in audit(host) if entry.get("version") == "3"]
    assert acts[-2:] == ["rollout_baking", "rollout_promoted"]


@pytest.mark.parametrize("on_newer", ["queue", "supersede"])
def test_newer_versions_wait_or_take_over(host, on_newer):
    begin(host, on_newer=on_newer)
    drop(host)
    wait_for_share(host, 10)
    drop(host, 3)
    if on_newer == "queue":
        wait_until(lambda: rollout(host).get("queued") == "3", lambda: rollout(host))
        assert shares(host) == {"1": 90, "2": 10}
    else:
        wait_for(host, "analysing", "waiting", canary="3")
        assert host.state(NAME, 2) == "rejected" and shares(host) == {"1": 90, "3": 10}
    with calling(host):
        now = wait_for(host, "promoted", canary="3")
    assert now["stable"] == ("2" if on_newer == "queue" else "1") and shares(host) == {"3": 100}


def test_nobody_who_is_bound_goes_back_but_at_an_abort(host):
    begin(host, {"sticky": "header:X-User"}, steps=[10, 30, 60, 100], min_samples=10 ** 6)
    users = [f"user-{number}" for number in range(200)]

    def versions():
        return {user: host.predict(NAME, [ROW], headers={"X-User": user}).version for user in users}

    for version, end in ((2, "abort"), (3, "promote")):
        drop(host, version)
        wait_until(lambda: rollout(host).get("canary") == str(version) and rollout(host)["share"] == 10,
                   lambda: rollout(host))
        first = versions()
        assert 5 <= sum(found == str(version) for found in first.values()) <= 45
        if end == "promote":
            host.kill()
            host.restart()
            wait_until(lambda: shares(host) == {"1": 90, "3": 10}, lambda: host.status(NAME)["traffic"])
        assert versions() == first
        assert steer(host, end).status == 200
        wait_until(lambda: len(shares(host)) == 1, lambda: shares(host))
        assert set(versions().values()) == ({"1"} if end == "abort" else {"3"})


def test_a_killed_host_goes_on_at_the_same_step_with_the_same_evidence(host):
    begin(host, min_samples=10 ** 6)
    with calling(host):
        drop(host)
        before = wait_until(lambda: (now := rollout(host)).get("samples", 0) > 20 and now, lambda: rollout(host))
    before = rollout(host)
    host.kill()
    host.restart()
    after = rollout(host)
    assert after["step"] == before["step"] and after["samples"] >= before["samples"]
    assert shares(host) == {"1": 90, "2": 10}
    known = {one["metric"]: one["canary_samples"] for one in before["findings"]}
    for finding in after["findings"]:
        assert finding["canary_samples"] >= known[finding["metric"]]
    assert after["step_s"] >= before["step_s"] - 1
