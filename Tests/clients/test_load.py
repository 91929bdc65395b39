"""Drops and deletes under load: no request fails, and afterwards the host holds what it held before.

ROOST_DROPS sets how many (20 by default; the full trial is 100, see Benchmarks/drops).
"""

import concurrent.futures
import contextlib
import os
import shutil
import signal
import subprocess
import time

import pytest

from host import PATIENCE, Host, NOTHING, PRINT, SLEEP, TURN, Steady, build_plugin, linear_model, wait_until

DROPS = int(os.environ.get("ROOST_DROPS", "20"))
WARM_UP = 10
MEMORY_SLACK = 2 << 20
ROW = [3.0, NOTHING]


@pytest.fixture
def host(tmp_path):
    with Host(tmp_path / "home") as host:
        host.manifest("busy", {"rollback_window": "1s", "scale": {"min": 1, "idle": "1s"}})
        yield host
        assert host.stop() == 0


def is_an_answer(predictions):
    """The right one of some version: every intercept is a whole number from 0 on."""
    return len(predictions) == 1 and predictions[0] >= ROW[0] and predictions[0] == int(predictions[0])


def drop_and_delete(host, count, first):
    """Each drop takes the traffic over and is deleted again; the version before it takes over once more."""
    for number in range(first, first + count):
        name = f"busy@{number}.json"
        host.drop(name, linear_model(number))
        wait_until(lambda: host.predict("busy", [ROW]).version == str(number), f"traffic at {name}")
        host.remove(name)
        wait_until(lambda: host.predict("busy", [ROW]).version == "1", f"traffic away from {name}")


def drained(host):
    """Only the first version is left, in one instance and its template."""
    versions = host.status("busy")["versions"]
    return all(one["state"] in ("serving", "retired") for one in versions) and len(host.descendants()) == 3


def at_rest(host):
    """Descriptors and resident bytes once everything has drained and all callers' connections are gone."""
    wait_until(lambda: drained(host), lambda: f"rest: {host.descendants()} {host.status('busy')}", patience=40)
    wait_until(lambda: host.status()["host"]["connections"] == 1, "all connections closed")
    # The host may not have seen yet that the last question's connection is closed.
    return min(host.descriptors() for _ in turns(10)), host.memory()


def turns(count):
    for _ in range(count):
        time.sleep(TURN)
        yield


@contextlib.contextmanager
def full_load(host, folder):
    """64 connections that ask as fast as they are answered, where wrk is installed; none may see an error."""
    if shutil.which("wrk") is None:
        yield
        return
    script = folder / "row.lua"
    script.write_text('wrk.method = "POST"\nwrk.body = "[[3.0, 0.0]]"\n'
                      'wrk.headers["Content-Type"] = "application/json"\n'
                      'done = function(summary) local e = summary.errors\n'
                      'print("errors " .. e.connect + e.read + e.write + e.status + e.timeout) end\n')
    url = f"http://127.0.0.1:{host.port}" + host.path("busy")
    load = subprocess.Popen(
        ["wrk", "-t1", "-c64", "-d600s", "--timeout", "10s", "-s", script, url], stdout=subprocess.PIPE, text=True)
    try:
        yield
    finally:
        load.send_signal(signal.SIGINT)
        output = load.communicate(timeout=PATIENCE)[0]
    assert "errors 0" in output.splitlines(), output


def test_drops_and_deletes_under_load_fail_no_request_and_leave_nothing(host, tmp_path):
    host.drop("busy@1.json", linear_model(1))
    host.wait_serving("busy", 1)

    def trial(count, first):
        with full_load(host, tmp_path), Steady(host, "busy", ROW, is_an_answer, connections=2):
            drop_and_delete(host, count, first)
        return at_rest(host)

    # What is allocated once, tables that grow to their size: before the count begins.
    descriptors, memory = trial(WARM_UP, 2)
    descriptors_after, memory_after = trial(DROPS, 2 + WARM_UP)
    print(f"{DROPS} drops: descriptors {descriptors} → {descriptors_after}, "
          f"memory {memory >> 10} KiB → {memory_after >> 10} KiB")
    assert descriptors_after == descriptors
    assert memory_after - memory <= MEMORY_SLACK


def test_more_than_the_queue_holds_is_refused_and_told_when_to_come_again(host, tmp_path):
    host.manifest("queued", {"scale": {"queue": 2, "max": 1}, "batch": {"max_size": 1}})
    host.drop("queued@1.so", build_plugin(tmp_path / "queued.so"))
    host.wait_serving("queued", 1)
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        replies = [one.result() for one in [pool.submit(host.predict, "queued", [[300.0, SLEEP]]) for _ in range(12)]]
    refused = [one for one in replies if one.status == 429]
    assert {one.status for one in replies} == {200, 429}
    # Two in the instance's window, two in the queue; more only if some came when others were done.
    assert 4 <= 12 - len(refused) <= 8
    assert all(int(one.headers["Retry-After"]) >= 1 for one in refused)
    assert host.version("queued", 1)["requests"]["overload"] == len(refused)


def test_large_replies_arrive_whole(host):
    host.drop("busy@1.json", linear_model(1))
    host.wait_serving("busy", 1)
    for rows in (100, 1000, 20_000):
        answer = host.predict("busy", [[float(row), 0.0] for row in range(rows)]).predictions
        assert answer == [row + 1.0 for row in range(rows)]


def test_output_without_end_is_not_kept_without_end(host, tmp_path):
    host.drop("talks@1.so", build_plugin(tmp_path / "talks.so"))
    host.wait_serving("talks", 1)
    assert host.predict("talks", [[1.0, PRINT]]).status == 200
    before = host.memory()
    for _ in range(10):
        assert host.predict("talks", [[1.0, PRINT]]).status == 200
    assert host.memory() - before <= MEMORY_SLACK
