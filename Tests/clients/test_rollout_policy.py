"""What a rollout counts of bound callers, and what becomes of new versions whose policy cannot be read."""

import http.client
import json
import sqlite3

import pytest

from host import NOTHING, Host, linear_model, roost, wait_until

ROW = [3.0, NOTHING]


@pytest.fixture
def host(tmp_path):
    with Host(tmp_path / "home") as host:
        yield host
        assert host.stop() == 0


def record(host, name):
    with sqlite3.connect(f"file:{host.home}/state/roost.db?mode=ro", uri=True) as ledger:
        return json.loads(ledger.execute("SELECT record FROM functions WHERE name = ?", [name]).fetchone()[0])


def audit(host, name):
    return host.get(f"/functions/{name}/audit").json["entries"]


def test_requests_of_bound_callers_are_counted_by_their_keys(host):
    host.manifest("credit", {
        "sticky": "header:X-User",
        "rollout": {"steps": [50, 100], "interval": "1s", "min_samples": 100_000}})
    host.drop("credit@1.json", linear_model(1))
    host.wait_serving("credit", 1)
    host.drop("credit@2.json", linear_model(2))
    wait_until(lambda: host.status("credit")["traffic"]["shares"] == {"1": 50, "2": 50}, "the first step")
    connection = http.client.HTTPConnection("127.0.0.1", host.port, timeout=20)

    def call(headers):
        connection.request(
            "POST", "/functions/credit/predict", json.dumps([ROW]), {"Content-Type": "application/json", **headers})
        connection.getresponse().read()

    for number in range(300):
        call({"X-User": f"user {number % 30}"} if number < 270 else {})

    def counted():
        strata = record(host, "credit").get("evidence", {}).get("strata", [])
        arms = [arm for stratum in strata for arm in stratum.values()]
        return arms if sum(arm["requests"] for arm in arms) == 300 else None

    arms = wait_until(counted, "the evidence of 300 requests")
    blocks = [arm["keys"][start:start + 3] for arm in arms if "keys" in arm
              for start in range(0, len(arm["keys"]), 3)]
    assert sum(requests for _, requests, _ in blocks) == 270
    # Thirty keys, nine requests each; two may share a block.
    assert all(requests % 9 == 0 for _, requests, _ in blocks) and 20 <= len(blocks) <= 30


def test_a_manifest_that_nobody_could_read_lets_no_new_version_through(host):
    host.drop("credit@1.json", linear_model(1))
    host.wait_serving("credit", 1)
    host.manifest("credit", '{\n  "rolout": true\n}\n')
    wait_until(lambda: host.status("credit")["notes"], "a note on the manifest")
    host.drop("credit@2.json", linear_model(2))
    waiting = wait_until(lambda: host.version("credit", 2).get("reason") and host.version("credit", 2), "a reason")
    assert waiting["state"] == "stored" and "functions/credit.json:2" in waiting["reason"]
    assert host.stop() == 0
    host.restart()
    wait_until(lambda: host.predict("credit", [ROW]).status == 200, "the version that served")
    assert host.version("credit", 2)["state"] == "stored"
    told = roost("deploy", str(host.plugins / "credit@2.json"), "--home", str(host.home))
    assert told.returncode == 1 and "waits until the manifest" in told.stderr
    assert host.predict("credit", [ROW]).version == "1"
    host.manifest("credit", {"rollout": {"steps": [10, 100], "interval": "1h"}})
    wait_until(lambda: host.status("credit")["traffic"]["shares"] == {"1": 90, "2": 10}, "the rollout")


def test_the_last_good_manifest_outlives_the_host(host):
    host.manifest("credit", {"threshold": 0.3, "rollout": {"steps": [10, 100], "interval": "1h"}})
    host.drop("credit@1.json", linear_model(1))
    host.wait_serving("credit", 1)
    host.manifest("credit", {"threshold": 0.4, "rollout": {"steps": [20, 100], "interval": "1h"}})
    wait_until(lambda: len([one for one in audit(host, "credit") if one["act"] == "threshold"]) == 2, "two entries")
    host.manifest("credit", "{")
    assert host.stop() == 0
    host.restart()
    wait_until(lambda: host.predict("credit", [ROW]).status == 200, "the version that served")
    assert "last good" in host.status("credit")["notes"][0]
    host.drop("credit@2.json", linear_model(2))
    wait_until(lambda: host.status("credit")["traffic"]["shares"] == {"1": 80, "2": 20}, "the rollout")
    thresholds = [(one["by"], one["from"], one["to"]) for one in audit(host, "credit") if one["act"] == "threshold"]
    assert thresholds == [("manifest", "the model's own", "0.3"), ("manifest", "0.3", "0.4")]
    edits = [one["reason"] for one in audit(host, "credit") if one["act"] == "manifest"]
    assert edits == ["changed: rollout", "changed: rollout"]
    assert host.get("/audit").json["chain"] == "intact"
