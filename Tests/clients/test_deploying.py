"""Dropped files become endpoints or a reason why not, and whatever already serves never notices."""

import collections
import json
import os
import pickle
import shutil
import struct
import time

import pytest

from host import DOUBLE_FORK, FAIL, Host, SEGFAULT, Steady, TURN, build_plugin, linear_model, roost, wait_until

ROW = [3.0, 0.0]


@pytest.fixture(scope="module")
def builds(tmp_path_factory):
    return tmp_path_factory.mktemp("builds")


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """A host with two functions that are called all the while; `old` is the one that broken files are dropped for."""
    with Host(tmp_path_factory.mktemp("home"), "--load-timeout", "2s") as host:
        host.drop("beside.json", linear_model(1))
        host.drop("old@1.json", linear_model(1))
        host.wait_serving("beside", 1)
        host.wait_serving("old", 1)
        with Steady(host, "beside", ROW, 4.0) as beside, Steady(host, "old", ROW, 4.0) as old:
            host.steady = [beside, old]
            yield host
        assert host.stop() == 0


@pytest.fixture
def host(shared):
    yield shared
    for steady in shared.steady:
        steady.check()


@pytest.fixture
def own(tmp_path):
    """A host of the test's own, to be ended and started at will."""
    with Host(tmp_path / "home") as host:
        yield host


def serves(host, function, version, intercept):
    host.wait_serving(function, version)
    wait_until(lambda: host.predict(function, [ROW]).version == str(version), f"traffic at {function}@{version}")
    assert host.predict(function, [ROW]).predictions == [ROW[0] + intercept]


# Names and versions

def test_a_bare_model_file_serves(host):
    host.drop("bare@3.json", linear_model(10))
    serves(host, "bare", 3, 10)
    status = host.version("bare", 3)
    assert status["runtime"] == "linear" and status["examples"] == 0
    assert any("bare@3 ready in" in line and "answers not checked" in line for line in host.lines)


def test_unversioned_files_are_numbered_and_the_same_bytes_again_are_no_version(host):
    host.drop("numbered.json", linear_model(10))
    serves(host, "numbered", 1, 10)
    with Steady(host, "numbered", ROW, lambda answer: answer in ([13.0], [23.0])):
        host.drop("numbered.json", linear_model(20))
        serves(host, "numbered", 2, 20)
        host.drop("numbered.json", linear_model(20))
        # What is dropped later is decided later: when this one serves, the other has been decided.
        host.drop("later.json", linear_model(5))
        serves(host, "later", 1, 5)
    assert [one["version"] for one in host.status("numbered")["versions"]] == ["2", "1"]
    host.remove("later.json")


def test_a_packed_plugin_serves_after_a_plain_copy(host, builds):
    model, packed = builds / "packed.json", builds / "packed.so"
    model.write_bytes(linear_model(7))
    examples = builds / "packed.jsonl"
    examples.write_text(json.dumps({"inputs": [ROW], "outputs": {"predictions": [10.0]}}) + "\n")
    done = roost("pack", model, "--examples", examples, "-o", packed)
    assert done.returncode == 0, done.stderr
    (host.plugins / "packed@2.so").write_bytes(packed.read_bytes())
    serves(host, "packed", 2, 7)
    assert host.version("packed", 2)["examples"] == 1


def test_a_large_plugin_serves(host, builds):
    host.drop("large@1.so", build_plugin(builds / "large.so", OFFSET=1, PADDING="(48 << 20)"))
    serves(host, "large", 1, 1)


def test_explicit_versions_are_immutable(host):
    host.drop("fixed@1.json", linear_model(10))
    serves(host, "fixed", 1, 10)
    host.drop("fixed@1.json", linear_model(20))
    note = host.wait_for_note("fixed@1.json", "immutable")
    assert "versions are immutable: drop it as fixed@2" in note
    assert host.predict("fixed", [ROW]).predictions == [13.0]
    host.drop("fixed@1.json", linear_model(10))
    host.wait_without_note("fixed@1.json")


def test_traffic_goes_to_the_highest_version_and_falls_back_when_its_file_is_deleted(host):
    answers = ([13.0], [23.0])
    host.drop("fall@1.json", linear_model(10))
    serves(host, "fall", 1, 10)
    with Steady(host, "fall", ROW, lambda answer: answer in answers):
        host.drop("fall@1.10.json", linear_model(20))
        serves(host, "fall", "1.10", 20)
        host.remove("fall@1.10.json")
        serves(host, "fall", 1, 10)
        host.wait_for_state("fall", "1.10", "retired", None)
        # A retired version may come again with other bytes.
        host.drop("fall@1.10.json", linear_model(20.0) + b"\n")
        serves(host, "fall", "1.10", 20)
    host.remove("fall@1.10.json")
    host.remove("fall@1.json")
    wait_until(lambda: host.predict("fall", [ROW]).status == 503, "nothing serves")


def test_two_files_for_one_version_are_refused_by_name(host, builds):
    host.drop("twice@1.json", linear_model(10))
    serves(host, "twice", 1, 10)
    host.drop("twice@1.so", build_plugin(builds / "twice.so", OFFSET=20))
    for name in ("twice@1.json", "twice@1.so"):
        note = host.wait_for_note(name, "remove all but one")
        assert "twice@1.json and twice@1.so are both twice@1" in note
    assert host.predict("twice", [ROW]).predictions == [13.0]
    host.remove("twice@1.so")
    host.wait_without_note("twice@1.json")
    host.wait_without_note("twice@1.so")
    assert host.predict("twice", [ROW]).predictions == [13.0]


def test_a_file_whose_name_says_nothing_is_shown_with_the_remedy(host):
    host.drop("my model.json", linear_model(1))
    unclear = wait_until(lambda: host.status()["host"]["unclear_files"], "an unclear file")
    assert unclear[0]["file"] == "my model.json" and "name it NAME@VERSION.EXT" in unclear[0]["reason"]
    host.remove("my model.json")
    wait_until(lambda: not host.status()["host"]["unclear_files"], "the name is forgotten")


def test_the_same_bytes_under_another_version_are_a_version_of_their_own(host):
    host.drop("alike@1.json", linear_model(10))
    serves(host, "alike", 1, 10)
    host.drop("alike@2.json", linear_model(10))
    serves(host, "alike", 2, 10)
    host.remove("alike@1.json")
    host.wait_for_state("alike", 1, "retired", None)
    assert host.predict("alike", [ROW]).version == "2"


def test_a_drop_folder_that_is_replaced_or_gone_for_a_while_is_watched_on(own):
    own.drop("first@1.json", linear_model(10))
    serves(own, "first", 1, 10)
    own.plugins.rename(own.home / "moved")
    own.plugins.mkdir()
    own.drop("second@1.json", linear_model(20))
    serves(own, "second", 1, 20)
    own.drop("third@1.json", linear_model(30))
    serves(own, "third", 1, 30)
    shutil.rmtree(own.plugins)
    own.wait_for_state("third", 1, "retired", "serving")
    (own.home / "moved").rename(own.plugins)
    serves(own, "first", 1, 10)
    own.drop("fourth@1.json", linear_model(40))
    serves(own, "fourth", 1, 40)


# Copies that take their time

def test_a_slow_copy_is_waited_for(host, builds):
    content = build_plugin(builds / "slow.so", OFFSET=30).read_bytes()
    pieces = 40
    size = -(-len(content) // pieces)
    with open(host.plugins / "slow@1.so", "wb", buffering=0) as file:
        for piece in range(pieces):
            file.write(content[piece * size:(piece + 1) * size])
            # Pieces come faster than a file counts as standing still, and all together take longer than that.
            wait_until(lambda: host.get("/v2/health/live").status == 200, "a turn of the host")
            time.sleep(TURN)
            assert host.note("slow@1.so") is None
    serves(host, "slow", 1, 30)
    assert host.note("slow@1.so") is None


def test_a_truncated_file_fails_and_its_rest_mends_it(host, builds):
    content = build_plugin(builds / "cut.so", OFFSET=31).read_bytes()
    (host.plugins / "cut@1.so").write_bytes(content[:len(content) // 2])
    host.wait_for_note("cut@1.so")
    with open(host.plugins / "cut@1.so", "ab") as file:
        file.write(content[len(content) // 2:])
    serves(host, "cut", 1, 31)
    host.wait_without_note("cut@1.so")


def test_a_preallocated_file_fails_until_its_bytes_come(host, builds):
    content = build_plugin(builds / "zeroes.so", OFFSET=32).read_bytes()
    with open(host.plugins / "zeroes@1.so", "wb", buffering=0) as file:
        os.posix_fallocate(file.fileno(), 0, len(content))
        assert "zeroes" in host.wait_for_note("zeroes@1.so")
        file.write(content)
    serves(host, "zeroes", 1, 32)
    host.wait_without_note("zeroes@1.so")


# Files that never can

def patched(path, offset, value):
    content = bytearray(path.read_bytes())
    content[offset:offset + len(value)] = value
    return bytes(content)


def other_architecture(builds):
    return patched(build_plugin(builds / "arm.so", OFFSET=40), 18, struct.pack("<H", 183))


def other_abi(builds):
    path = build_plugin(builds / "abi.so", OFFSET=41)
    return patched(path, path.read_bytes().index(b"ROOSTABI") + 8, struct.pack("<I", 99))


def wrong_example(builds):
    model, examples, packed = builds / "wrong.json", builds / "wrong.jsonl", builds / "wrong.so"
    model.write_bytes(linear_model(7))
    examples.write_text(json.dumps({"inputs": [ROW], "outputs": {"predictions": [11.0]}}) + "\n")
    done = roost("pack", model, "--examples", examples, "-o", packed)
    assert done.returncode == 0, done.stderr
    return packed


BROKEN = {
    "other architecture": (other_architecture, ".so", "aarch64"),
    "not ELF": (lambda builds: b"#!/bin/sh\necho no plugin\n", ".so", "plain text"),
    "not ELF, no text": (lambda builds: b"\x01\x02\x03" * 400, ".so", "not a plugin"),
    "empty": (lambda builds: b"", ".json", "empty"),
    "other ABI": (other_abi, ".so", "plugin ABI 99"),
    "no entry": (lambda builds: build_plugin(builds / "entry.so", NO_ENTRY=None), ".so", "roost_plugin_entry"),
    "missing symbol": (
        lambda builds: build_plugin(builds / "symbol.so", UNDEFINED=None), ".so", "nobody_defines_this"),
    "failing load": (lambda builds: build_plugin(builds / "load.so", LOAD_FAILS=None), ".so", "tree 7 has a cycle"),
    "load that crashes": (lambda builds: build_plugin(builds / "crash.so", LOAD=SEGFAULT), ".so", "signal 11"),
    "load that exits": (lambda builds: build_plugin(builds / "exit.so", LOAD="EXIT"), ".so", "exit(3)"),
    "load that forks": (lambda builds: build_plugin(builds / "forks.so", LOAD="FORK"), ".so", "fork"),
    "load that forks twice": (lambda builds: build_plugin(builds / "f2.so", LOAD=DOUBLE_FORK), ".so", "fork"),
    "load that starts a thread": (
        lambda builds: build_plugin(builds / "thread.so", LOAD="THREAD"), ".so", "ROOST_NEEDS_THREADS"),
    "wrong example": (wrong_example, ".so", "example"),
    "hanging initialiser": (
        lambda builds: build_plugin(builds / "hang.so", INITIALISER_HANGS=None), ".so", "did not finish loading"),
    "pickle": (lambda builds: pickle.dumps({"model": [1, 2, 3]}), ".pkl", "pickle"),
    "JSON of nobody": (lambda builds: b'{"some": "thing"}', ".json", "no installed runtime"),
    "linear file with a mistake": (
        lambda builds: linear_model(1).replace(b'"linear"', b'"square"'), ".json", "square"),
}


@pytest.fixture(scope="module")
def broken(shared, builds):
    """All of them at once, as versions of `old`, which serves, and as functions of their own; the names by kind."""
    names = {}
    for number, (kind, (make, extension, _)) in enumerate(BROKEN.items(), start=2):
        names[kind] = (f"old@{number}{extension}", f"mended{number}@1{extension}")
        content = make(builds)
        for name in names[kind]:
            shared.drop(name, content)
    return names


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_file_fails_with_its_reason_and_a_corrected_one_is_taken_up(host, builds, broken, kind):
    _, extension, reason = BROKEN[kind]
    name, mended = broken[kind]
    note = host.wait_for_note(name)
    assert reason in note, note
    assert host.predict("old", [ROW]).version == "1"
    host.remove(name)
    host.wait_without_note(name)
    # The one of its own function is mended in place.
    assert reason in host.wait_for_note(mended)
    host.drop(mended, build_plugin(builds / "good.so", OFFSET=5) if extension == ".so" else linear_model(5))
    serves(host, mended.split("@")[0], 1, 5)
    host.wait_without_note(mended)


# Held

def test_a_version_that_callers_cannot_call_is_held_until_released(host):
    host.drop("held@1.json", linear_model(10))
    serves(host, "held", 1, 10)
    with Steady(host, "held", ROW, 13.0):
        host.drop("held@2.json", linear_model(20, columns=3))
        held = host.wait_for_state("held", 2, "held")
        assert "not compatible with held@1" in held["reason"] and "--allow-incompatible" in held["reason"]
        refused = host.predict("held", [[1, 2, 3]], version=2)
        assert refused.status == 503 and "held" in refused.error
    released = host.call("POST", "/functions/held/versions/2/allow", {})
    assert released.status == 200, released.body
    host.wait_serving("held", 2)
    assert host.predict("held", [[1, 2, 3]]).predictions == [26.0]


# Restarts

def test_a_restart_serves_what_it_served(own):
    own.drop("kept@1.json", linear_model(10))
    own.drop("kept@2.json", linear_model(20))
    serves(own, "kept", 2, 20)
    own.drop("numbered.json", linear_model(1))
    serves(own, "numbered", 1, 1)
    own.drop("numbered.json", linear_model(2))
    serves(own, "numbered", 2, 2)
    assert own.stop() == 0
    own.restart()
    serves(own, "kept", 2, 20)
    serves(own, "numbered", 2, 2)
    assert own.predict("kept", [ROW], version=1).predictions == [13.0]
    # Deleted while the host is down counts as deleted.
    own.kill()
    own.remove("kept@2.json")
    own.restart()
    serves(own, "kept", 1, 10)
    assert own.state("kept", 2) in (None, "retired")


def test_a_rejected_version_stays_rejected_until_restarted_by_hand(own):
    own.drop("back@1.json", linear_model(10))
    serves(own, "back", 1, 10)
    refused = own.call("POST", "/functions/back/rollback", {})
    assert refused.status == 409 and "no other version" in refused.error
    own.drop("back@2.json", linear_model(20))
    serves(own, "back", 2, 20)
    with Steady(own, "back", ROW, lambda answer: answer in ([13.0], [23.0])):
        done = own.call("POST", "/functions/back/rollback", {})
        assert done.status == 200 and done.json == {"from": "2", "to": "1"}
        serves(own, "back", 1, 10)
    assert own.version("back", 2)["reason"] == "rolled back"
    assert own.predict("back", [ROW], version=2).status == 503
    own.kill()
    own.restart()
    assert own.state("back", 2) == "rejected"
    serves(own, "back", 1, 10)
    assert own.call("POST", "/functions/back/versions/2/restart", {}).status == 200
    serves(own, "back", 2, 20)


def test_the_store_forgets_after_a_day_what_no_version_refers_to(own):
    own.drop("kept@1.json", linear_model(10))
    serves(own, "kept", 1, 10)
    own.drop("gone@1.json", linear_model(20))
    serves(own, "gone", 1, 20)
    own.remove("gone@1.json")
    own.wait_for_state("gone", 1, "retired", None)
    assert own.stop() == 0
    store = own.home / "state" / "store"
    assert len(os.listdir(store)) == 2
    for file in store.iterdir():
        os.utime(file, (0, time.time() - 25 * 3600))
    own.restart()
    wait_until(lambda: len(os.listdir(store)) == 1, lambda: f"one file in {os.listdir(store)}")
    serves(own, "kept", 1, 10)


# The guard

def test_a_death_within_the_window_gives_the_traffic_back(host, builds):
    host.drop("guarded@1.so", build_plugin(builds / "guarded1.so", OFFSET=10))
    serves(host, "guarded", 1, 10)
    host.drop("guarded@2.so", build_plugin(builds / "guarded2.so", OFFSET=20))
    serves(host, "guarded", 2, 20)
    assert host.predict("guarded", [[0, SEGFAULT]]).status == 500
    rejected = host.wait_for_state("guarded", 2, "rejected")
    assert "signal 11" in rejected["reason"]
    serves(host, "guarded", 1, 10)


def test_errors_in_excess_within_the_window_give_the_traffic_back(host, builds):
    host.drop("erring@1.so", build_plugin(builds / "erring1.so", OFFSET=10))
    serves(host, "erring", 1, 10)
    host.drop("erring@2.so", build_plugin(builds / "erring2.so", ALWAYS=FAIL))
    host.wait_serving("erring", 2)
    statuses = collections.Counter()
    while statuses[200] == 0 and statuses[500] < 2000:
        statuses[host.predict("erring", [ROW]).status] += 1
    rejected = host.wait_for_state("erring", 2, "rejected")
    assert "errors in" in rejected["reason"] and statuses[500] >= 200
    serves(host, "erring", 1, 10)


# Manifests

def test_a_wrong_edit_of_a_manifest_is_shown_with_its_place_and_the_last_good_one_stays(host):
    host.manifest("ruled", {"description": "first", "timeout": "5s"})
    host.drop("ruled@1.json", linear_model(10))
    serves(host, "ruled", 1, 10)
    assert host.status("ruled")["description"] == "first"
    with Steady(host, "ruled", ROW, 13.0):
        host.manifest("ruled", '{\n  "description": "second",\n  "tiemout": "5s"\n}\n')
        notes = wait_until(lambda: host.status("ruled")["notes"], "a note on the manifest")
        assert "functions/ruled.json:3:" in notes[0] and "tiemout" in notes[0] and "last good" in notes[0]
        assert host.status("ruled")["description"] == "first"
        host.manifest("ruled", '{\n  "timeout": \n')
        wait_until(lambda: "tiemout" not in "".join(host.status("ruled")["notes"]), "another note")
        host.manifest("ruled", {"description": "third"})
        wait_until(lambda: host.status("ruled").get("description") == "third", "the mended manifest")
        assert host.status("ruled")["notes"] == []


def split(host, function, requests=100):
    return collections.Counter(host.predict(function, [ROW]).version for _ in range(requests))


def test_traffic_by_manifest_waits_for_versions_and_splits_evenly(host):
    host.manifest("split", {"traffic": {"1": 60, "2": 40}})
    host.drop("split@1.json", linear_model(10))
    host.wait_serving("split", 1)
    traffic = host.status("split")["traffic"]
    assert traffic["origin"] == "manifest" and traffic["pending"] == {"2": 40}
    assert split(host, "split", 10) == {"1": 10}
    with Steady(host, "split", ROW, lambda answer: answer in ([13.0], [23.0]), version=1):
        host.drop("split@2.json", linear_model(20))
        host.wait_serving("split", 2)
        assert host.status("split")["traffic"]["shares"] == {"1": 60, "2": 40}
        shares = split(host, "split")
        assert abs(shares["1"] - 60) <= 1, shares


def test_traffic_that_was_set_survives_restarts_and_drops(own):
    own.drop("set@1.json", linear_model(10))
    own.drop("set@2.json", linear_model(20))
    serves(own, "set", 2, 20)
    own.wait_for_state("set", 1, "ready")
    answer = own.call("PUT", "/functions/set/traffic", {"1": 70, "2": 30})
    assert answer.status == 200 and answer.json["shares"] == {"1": 70, "2": 30}
    refused = own.call("PUT", "/functions/set/traffic", {"1": 70, "3": 30})
    assert refused.status == 404 and "set@3" in refused.error
    wait_until(lambda: own.status("set")["traffic"]["shares"] == {"1": 70, "2": 30}, "the shares in force")
    own.drop("set@3.json", linear_model(30))
    own.wait_for_state("set", 3, "ready")
    assert abs(split(own, "set")["1"] - 70) <= 1
    own.kill()
    own.restart()
    assert own.status("set")["traffic"]["origin"] == "set"
    assert abs(split(own, "set")["1"] - 70) <= 1
    assert own.call("PUT", "/functions/set/traffic", {"origin": "latest"}).status == 200
    serves(own, "set", 3, 30)
