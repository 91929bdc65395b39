"""How requests are shared out among versions: exact splits, bound callers, tags, deaths of a canary, and shadows."""

import http.client
import json
import re

import pytest

from host import (
    NOTHING, ROOT, SEGFAULT, SLEEP, Host, Reply, Steady, build_plugin, linear_model, roost, wait_until)

ROW = [3.0, NOTHING]


@pytest.fixture
def host(tmp_path):
    with Host(tmp_path / "home") as host:
        yield host
        assert host.stop() == 0


@pytest.fixture(scope="module")
def chaos(tmp_path_factory):
    return build_plugin(tmp_path_factory.mktemp("builds") / "chaos.so")


def deploy(host, name, count=2, **manifest):
    """Versions 1 to `count`, each of which adds its number to the sum of a row."""
    if manifest:
        host.manifest(name, manifest)
    for version in range(1, count + 1):
        host.drop(f"{name}@{version}.json", linear_model(version))
        host.wait_serving(name, version)
    return name


def share(host, name, **percents):
    """share(host, "credit", v1=90, v2=10), in force when this returns."""
    shares = {version[1:]: percent for version, percent in percents.items()}
    reply = host.call("PUT", f"/functions/{name}/traffic", shares)
    assert reply.status == 200, reply.body
    wanted = {version: percent for version, percent in shares.items() if percent}
    wait_until(lambda: host.status(name)["traffic"]["shares"] == wanted, lambda: host.status(name)["traffic"])


class Caller:
    """One kept connection; answers with the version that answered, whose answer must be its own."""

    def __init__(self, host, name):
        self.connection = http.client.HTTPConnection("127.0.0.1", host.port, timeout=20)
        self.name = name

    def version(self, headers=None, query="", row=ROW):
        self.connection.request(
            "POST", f"/functions/{self.name}/predict{query}", json.dumps([row]),
            {"Content-Type": "application/json", **(headers or {})})
        reply = Reply(self.connection.getresponse())
        assert reply.predictions == [sum(row) + int(reply.version)], (reply.version, reply.body)
        return int(reply.version)


def metric(host, name, **labels):
    """The value of one series; None while there is none."""
    for line in host.get("/metrics").body.decode().splitlines():
        found = re.fullmatch(rf"{name}\{{(.*)\}} (\S+)", line)
        if found and dict(re.findall(r'(\w+)="([^"]*)"', found[1])) == labels:
            return float(found[2])
    return None


# Shares

def test_ninety_ten_is_exact_over_ten_thousand_requests(host):
    name = deploy(host, "credit")
    share(host, name, v1=90, v2=10)
    caller = Caller(host, name)
    hits = [caller.version() == 2 for _ in range(10_000)]
    assert sum(hits) == 1000
    windows = [sum(hits[start:start + 100]) for start in range(len(hits) - 99)]
    assert min(windows) >= 9 and max(windows) <= 11
    for period in (10, 100):
        for phase in range(0, period, period // 10):
            own = hits[phase::period]
            assert 0.03 < sum(own) / len(own) < 0.2, f"period {period}, phase {phase}: {sum(own)} of {len(own)}"
    assert metric(host, "roost_requests_total", function=name, version="2", outcome="ok") == 1000


def test_shares_over_three_versions_survive_a_restart(host):
    name = deploy(host, "credit", 3)
    share(host, name, v1=20, v2=50, v3=30)
    assert host.stop() == 0
    host.restart()
    assert host.status(name)["traffic"]["shares"] == {"1": 20, "2": 50, "3": 30}
    caller = Caller(host, name)
    versions = [caller.version() for _ in range(1000)]
    assert [versions.count(version) for version in (1, 2, 3)] == [200, 500, 300]


@pytest.mark.parametrize("shares, status, words", [
    ({"1": 90, "2": 5}, 400, "shares must sum to 100, got 95"),
    ({"1": 90, "9": 10}, 404, "no version credit@9"),
    ({"1": 90, "3": 10}, 409, "credit@3 cannot take traffic, it is rejected"),
    ({"1": 90, "4": 10}, 409, "credit@4 cannot take traffic, it is failed"),
    ({"1": "90", "2": 10}, 400, "1 must be an integer"),
    ({"v1": 100}, 400, "\"v1\" is no version number"),
])
def test_bad_shares_are_refused_and_change_nothing(bad, shares, status, words):
    before = bad.status("credit")["traffic"]
    reply = bad.call("PUT", "/functions/credit/traffic", shares)
    assert (reply.status, words in reply.error) == (status, True), reply.error
    assert bad.status("credit")["traffic"] == before


@pytest.fixture(scope="module")
def bad(tmp_path_factory):
    """credit@1 and @2 can serve, @3 was rolled back, @4 failed."""
    with Host(tmp_path_factory.mktemp("home")) as host:
        deploy(host, "credit", 3)
        assert host.call("POST", "/functions/credit/rollback", {}).status == 200
        host.drop("credit@4.json", b'{"format": "roost-linear"}')
        host.wait_for_state("credit", 4, "failed")
        yield host


# Bound callers

@pytest.mark.parametrize("key, carry", [
    ("header:X-User", lambda user: {"headers": {"x-user": user}}),
    ("cookie:sid", lambda user: {"headers": {"Cookie": f"a=1; sid={user}; sid=other"}}),
    ("query:user id", lambda user: {"query": f"?a=1&user%20id={user}&user+id=other"}),
])
def test_nobody_goes_back_while_a_share_grows(host, key, carry):
    name = deploy(host, "credit", 3, sticky=key)
    users = [f"user-{number}" for number in range(300)]
    caller = Caller(host, name)
    before = {}
    for percent in (1, 5, 25, 50, 75, 100):
        share(host, name, v1=max(0, 30 - percent), v2=100 - percent - max(0, 30 - percent), v3=percent)
        now = {user: caller.version(**carry(user)) for user in users}
        assert now == {user: caller.version(**carry(user)) for user in users}, "a user meets one version only"
        assert all(now[user] == 3 for user, version in before.items() if version == 3), "somebody went back"
        assert abs(sum(version == 3 for version in now.values()) / 3 - percent) < 10
        before = now
        if percent == 50:
            caller.connection.close()
            host.kill()
            host.restart()
            caller = Caller(host, name)
            assert now == {user: caller.version(**carry(user)) for user in users}, "a restart moved somebody"


def test_requests_without_the_key_are_split_exactly_and_counted(host):
    name = deploy(host, "credit", sticky="header:X-User")
    share(host, name, v1=90, v2=10)
    caller = Caller(host, name)
    versions = [caller.version({"X-User": ""} if number % 2 else {}) for number in range(1000)]
    assert versions.count(2) == 100
    assert len({caller.version({"X-User": "ada"}) for _ in range(20)}) == 1
    assert metric(host, "roost_requests_without_key_total", function=name) == 1000
    assert host.status(name)["traffic"]["sticky"] == {"key": "header:X-User", "without_key": 1000}
    host.manifest(name, {})
    wait_until(lambda: "sticky" not in host.status(name)["traffic"], "the end of the key")
    assert {caller.version({"X-User": "ada"}) for _ in range(100)} == {1, 2}


# Tags

def test_tags_stand_wherever_a_version_does(host):
    name = deploy(host, "credit", 3, tags={"champion": "1", "lost": "9"})
    share(host, name, v2=90, v3=10)

    def answers(tag):
        by_path = host.predict(name, [ROW], version=tag)
        by_header = host.predict(name, [ROW], headers={"Roost-Version": tag})
        infer = host.call(
            "POST", f"/v2/models/{name}/versions/{tag}/infer",
            {"inputs": [{"name": "features", "shape": [1, 2], "datatype": "FP32", "data": ROW}]})
        assert by_path.version == by_header.version == infer.version
        cli = roost("predict", f"{name}@{tag}", "-", "--home", host.home, input=json.dumps([ROW]))
        assert json.loads(cli.stdout)["version"] == by_path.version, cli.stderr
        return int(by_path.version)

    assert {tag: answers(tag) for tag in ("stable", "canary", "champion", "3")} == {
        "stable": 2, "canary": 3, "champion": 1, "3": 3}
    status = host.status(name)
    assert status["tags"] == {"stable": "2", "canary": "3", "champion": "1", "lost": "9"}
    assert "tag lost names version 9, which is not there" in status["notes"]
    assert json.loads(roost("status", f"{name}@canary", "--json", "--home", host.home).stdout)["version"] == "3"
    assert roost("logs", f"{name}@champion", "--home", host.home).returncode == 0
    for tag, words in [
        ("loser", 'credit has no tag "loser" (there is stable, canary, champion, lost)'),
        ("lost", "no version credit@9"), ("no.tag", "neither a version number nor a tag"),
    ]:
        reply = host.predict(name, [ROW], version=tag)
        assert reply.status == 404 and words in reply.error
    assert host.predict(name, [ROW], version="2", headers={"Roost-Version": "stable"}).version == "2"
    assert host.predict(name, [ROW], version="2", headers={"Roost-Version": "canary"}).status == 400
    share(host, name, v3=100)
    missing = host.predict(name, [ROW], version="canary")
    assert missing.status == 404 and "credit has no canary now" in missing.error
    host.manifest(name, {"tags": {"champion": "2"}})
    wait_until(lambda: host.predict(name, [ROW], version="champion").version == "2", "the new champion")


# Deaths

def deploy_chaos(host, chaos):
    """credit@1 adds up and has all traffic; credit@2 does what the second number of a row says."""
    host.drop("credit@1.json", linear_model(1))
    host.wait_serving("credit", 1)
    share(host, "credit", v1=100)
    host.drop("credit@2.so", chaos)
    # Its columns have no names.
    host.wait_for_state("credit", 2, "held")
    assert host.call("POST", "/functions/credit/versions/2/allow", {}).status == 200
    host.wait_for_state("credit", 2, "ready")


def canary(host, chaos, percent=10):
    deploy_chaos(host, chaos)
    share(host, "credit", v1=100 - percent, v2=percent)


def test_a_canary_that_dies_is_answered_for_by_stable(host, chaos):
    canary(host, chaos)
    answered = {"1": 0, "2": 0}
    for number in range(400):
        deadly = number % 2 == 0
        reply = host.predict("credit", [[3.0, SEGFAULT if deadly else NOTHING]])
        answered[reply.version] += 1
        # Whatever the canary would say, it dies of these.
        assert reply.predictions == ([5.0] if deadly else [4.0] if reply.version == "1" else [3.0])
        assert not deadly or reply.version == "1"
    status = host.version("credit", 2)
    assert 10 <= status["requests"]["death"] <= 30 and status["requests"]["ok"] == answered["2"] > 0
    assert sum(answered.values()) == 400 and answered["2"] + status["requests"]["death"] == 40
    assert "segmentation fault" in status["last_failure"]
    assert host.version("credit", 1)["requests"]["death"] == 0


def test_a_version_that_a_caller_names_answers_for_itself(host, chaos):
    canary(host, chaos)
    for target in ("2", "canary"):
        reply = host.predict("credit", [[3.0, SEGFAULT]], version=target)
        assert (reply.status, reply.version) == (500, "2") and "segmentation fault" in reply.error


def test_a_canary_that_only_dies_costs_nobody_an_answer(host, chaos):
    canary(host, chaos, percent=40)
    with Steady(host, "credit", [3.0, SEGFAULT], 5.0, connections=4):
        host.wait_for_state("credit", 2, "rejected")
    assert host.status("credit")["traffic"]["shares"] == {"1": 100}
    assert host.version("credit", 2)["reason"].startswith("quarantined: 8 deaths in a row")


def test_without_retry_a_death_is_told(host, chaos):
    host.manifest("credit", {"retry": False})
    canary(host, chaos, percent=40)
    replies = [host.predict("credit", [[3.0, SEGFAULT]]) for _ in range(5)]
    assert {(reply.status, reply.version) for reply in replies} == {(200, "1"), (500, "2")}


# Shadows

def shadow(host, name, version):
    return host.version(name, version).get("shadow", {})


def test_a_shadow_compares_its_answers_and_nobody_notices(host):
    host.manifest("credit", {"shadow": {"version": "2", "percent": 50}})
    host.drop("credit@1.json", linear_model(1))
    host.wait_serving("credit", 1)
    assert any("nothing is copied" in note for note in host.status("credit")["notes"])
    share(host, "credit", v1=100)
    host.drop("credit@2.json", linear_model(1.25))
    host.wait_for_state("credit", 2, "ready")
    assert host.status("credit")["traffic"]["shadow"] == {"wanted": "2", "version": "2", "percent": 50}
    caller = Caller(host, "credit")
    for number in range(200):
        assert caller.version() == 1
        # One at a time, so that none is in the way of another.
        done = lambda: sum(shadow(host, "credit", 2).get(key, 0) for key in ("pairs", "dropped", "failed"))
        if number % 20 == 19:
            wait_until(lambda: done() == (number + 1) // 2, lambda: shadow(host, "credit", 2))
    found = shadow(host, "credit", 2)
    assert found["pairs"] > 20 and found["failed"] == 0 and found["pairs"] + found["dropped"] == 100
    assert found["rows"] == found["pairs"] and found["decisions"] == found["flips"] == 0
    difference = found["difference"]["predictions"]
    assert difference["mean"] == difference["max"] == 0.25
    assert difference["mean_relative"] == pytest.approx(0.25 / 4.25)
    assert sum(host.version("credit", 2)["requests"].values()) == 0, "copies are no requests"
    assert metric(host, "roost_shadow_total", function="credit", version="2", outcome="compared") == found["pairs"]
    assert metric(host, "roost_requests_total", function="credit", version="1", outcome="ok") == 200
    host.manifest("credit", {})
    wait_until(lambda: "shadow" not in host.status("credit")["traffic"], "the end of the shadow")
    caller.version()
    assert done() == 100


def test_a_shadow_counts_other_classes(host):
    iris = json.loads((ROOT / "functions/iris/iris.json").read_text())
    host.drop("iris@1.json", json.dumps(iris).encode())
    host.wait_serving("iris", 1)
    assert host.call("PUT", "/functions/iris/traffic", {"1": 100}).status == 200
    turned = {key: value[1:] + value[:1] if key in ("coefficients", "intercepts") else value
              for key, value in iris.items()}
    host.drop("iris@2.json", json.dumps(turned).encode())
    host.manifest("iris", {"shadow": {"version": "2"}})
    wait_until(lambda: host.status("iris")["traffic"].get("shadow", {}).get("version") == "2", "the shadow")
    rows = [[5.1, 3.5, 1.4, 0.2], [6.7, 3.1, 5.6, 2.4], [5.9, 2.8, 4.3, 1.3]]
    assert host.predict("iris", rows).status == 200
    infer = {"inputs": [{"name": "features", "shape": [3, 4], "datatype": "FP32", "data": sum(rows, [])}]}
    wait_until(lambda: shadow(host, "iris", 2).get("pairs") == 1, lambda: shadow(host, "iris", 2))
    assert host.call("POST", "/v2/models/iris/infer", infer).status == 200
    found = wait_until(lambda: (found := shadow(host, "iris", 2))["pairs"] == 2 and found, "both")
    assert (found["rows"], found["decisions"], found["flips"]) == (6, 6, 6)
    assert found["difference"]["predictions"]["max"] > 0.5 and "label" not in found["difference"]


def test_a_shadow_that_is_slow_dies_or_fails_is_dropped_and_costs_nobody_anything(host, chaos):
    deploy_chaos(host, chaos)
    host.manifest("credit", {"shadow": {"version": "2", "percent": 100}})
    wait_until(lambda: host.status("credit")["traffic"].get("shadow", {}).get("version") == "2", "the shadow")
    caller = Caller(host, "credit")
    for _ in range(60):
        assert caller.version(row=[300.0, SLEEP]) == 1
    found = shadow(host, "credit", 2)
    assert found["dropped"] >= 40, "they do not queue up"
    # Who asks for that version goes before the copies that wait.
    assert host.predict("credit", [ROW], version=2).predictions == [3.0]
    wait_until(lambda: shadow(host, "credit", 2)["pairs"] + shadow(host, "credit", 2)["dropped"] == 60, "the rest")
    assert caller.version(row=[3.0, SEGFAULT]) == 1
    wait_until(lambda: shadow(host, "credit", 2)["failed"] == 1, lambda: shadow(host, "credit", 2))
    assert host.version("credit", 2)["requests"]["death"] == 0


@pytest.mark.parametrize("manifest, words", [
    ({"sticky": "X-User"}, "sticky: expected"), ({"shadow": {"version": "2", "percent": 0}}, "percent must be 1 to 100"),
    ({"shadow": {"percent": 5}}, "version"), ({"shadow": {"version": "a b"}}, "neither a version number nor a tag"),
    ({"tags": {"canary": "2"}}, "follows from traffic"),
])
def test_a_bad_manifest_leaves_the_last_good_one_in_force(bad, manifest, words):
    bad.manifest("credit", manifest)
    wait_until(lambda: any(words in note for note in bad.status("credit")["notes"]), bad.status("credit")["notes"])
    bad.manifest("credit", {})
    wait_until(lambda: not bad.status("credit")["notes"], lambda: bad.status("credit")["notes"])
