"""Plugins that crash, hang, fork or fill memory end as one instance's failure with a reason; a host leaves nobody behind."""

import concurrent.futures
import os
import random
import re
import signal
import socket
import subprocess
import time

import pytest

from host import (
    ABORT, ALLOCATE, CRASH_IN_BATCH, DOUBLE_FORK, EXIT, FAIL, FAIL_ROW, FORK, Host, NOTHING, PRINT, ROOST, SEGFAULT,
    SLEEP, SPIN, THREAD, TURN, Steady, build_plugin, linear_model, runs, wait_until)

ROW = [3.0, NOTHING]


@pytest.fixture(scope="module")
def plugin(tmp_path_factory):
    return build_plugin(tmp_path_factory.mktemp("builds") / "chaos.so")


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    with Host(tmp_path_factory.mktemp("home")) as host:
        host.drop("beside.json", linear_model(1))
        host.wait_serving("beside", 1)
        with Steady(host, "beside", ROW, 4.0) as steady:
            host.steady = steady
            yield host
        assert host.stop() == 0


@pytest.fixture
def host(shared):
    """A host whose function `beside` is called all the while and always answers."""
    yield shared
    shared.steady.check()


@pytest.fixture
def own(tmp_path):
    with Host(tmp_path / "home") as host:
        yield host


def deploy(host, name, plugin, **manifest):
    if manifest:
        host.manifest(name, manifest)
        wait_until(lambda: (host.functions / f"{name}.json").exists(), "the manifest")
    host.drop(f"{name}@1.so", plugin)
    host.wait_serving(name, 1)
    assert host.predict(name, [ROW]).predictions == [3.0]
    return name


def together(host, name, rows, before=0):
    """Requests that find their instance busy for `before` milliseconds, so that they share its next batch."""
    with concurrent.futures.ThreadPoolExecutor(len(rows) + 1) as pool:
        first = pool.submit(host.predict, name, [[before, SLEEP]])
        wait_until(lambda: busy(host, name) > 0, "the first one runs")
        rest = [pool.submit(host.predict, name, [row]) for row in rows]
        return first.result(), [one.result() for one in rest]


def busy(host, name):
    status = host.version(name, 1)
    return sum(one["outstanding"] for one in status["instances"]) + status["queue"]


# Deaths

@pytest.mark.parametrize("mark, reason", [
    (SEGFAULT, "killed by signal 11 (segmentation fault)"),
    (ABORT, "killed by signal 6 (abort)"),
    (EXIT, "called exit(3)"),
])
def test_a_row_that_ends_its_instance_is_answered_500_with_the_reason(host, plugin, mark, reason):
    name = deploy(host, f"dies{mark}", plugin)
    before = host.version(name, 1)["instances"][0]["id"]
    reply = host.predict(name, [[1.0, mark]])
    assert reply.status == 500 and reason in reply.error
    assert host.predict(name, [ROW]).predictions == [3.0]
    status = host.version(name, 1)
    assert reason in status["last_failure"] and status["state"] == "serving"
    assert status["requests"]["death"] == 1
    assert [one["id"] for one in status["instances"]] != [before]
    assert reason in host.log(name, 1)


@pytest.mark.parametrize("mark", [SEGFAULT, EXIT])
def test_only_the_poisoned_one_of_a_batch_is_refused(host, plugin, mark):
    name = deploy(host, f"poison{mark}", plugin, scale={"max": 1})
    rows = [[float(row), mark if row == 3 else NOTHING] for row in range(8)]
    first, replies = together(host, name, rows, before=300)
    assert first.status == 200
    assert [reply.status for reply in replies] == [500 if row == 3 else 200 for row in range(8)]
    assert all(reply.predictions == [row] for row, reply in enumerate(replies) if row != 3)


def test_rows_that_are_deadly_only_together_are_all_answered(host, plugin):
    name = deploy(host, "together", plugin, scale={"max": 1})
    first, replies = together(host, name, [[float(row), CRASH_IN_BATCH] for row in range(6)], before=300)
    assert [first.status] + [reply.status for reply in replies] == [200] * 7
    assert "signal 6" in host.version(name, 1)["last_failure"]


def test_a_model_error_is_answered_with_its_words_and_ends_nothing(host, plugin):
    name = deploy(host, "errs", plugin, scale={"max": 1})
    before = wait_until(lambda: host.instances(name, 1), "an instance")
    first, replies = together(host, name, [[float(row), FAIL if row == 2 else NOTHING] for row in range(5)], before=300)
    assert [reply.status for reply in replies] == [500 if row == 2 else 200 for row in range(5)]
    assert "this model has failed" in replies[2].error
    failed = host.predict(name, [ROW, [1.0, FAIL_ROW]])
    assert failed.status in (400, 500) and "no answer for this row" in failed.error
    assert host.instances(name, 1) == before


def test_a_plugin_that_spins_is_answered_504_and_replaced(host, plugin):
    name = deploy(host, "spins", plugin, timeout="1s")
    before = wait_until(lambda: host.instances(name, 1), "an instance")
    begin = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        spinning = pool.submit(host.predict, name, [[1.0, SPIN]])
        reply = spinning.result()
    assert reply.status == 504 and time.monotonic() - begin < 3
    wait_until(lambda: host.instances(name, 1) not in (before, []), lambda: f"another {host.version(name, 1)}")
    assert "did not answer for" in host.version(name, 1)["last_failure"]
    assert host.version(name, 1)["requests"]["timeout"] == 1
    assert host.predict(name, [ROW]).predictions == [3.0]


def test_a_plugin_that_allocates_without_end_meets_its_limit(host, plugin):
    name = deploy(host, "eats", plugin, limits={"memory": "64MiB"})
    reply = host.predict(name, [[1.0, ALLOCATE]])
    assert reply.status == 500 and "signal 6" in reply.error
    assert host.predict(name, [ROW]).predictions == [3.0]


def test_much_output_is_kept_to_its_end_and_blocks_nobody(host, plugin):
    name = deploy(host, "talks", plugin)
    assert host.predict(name, [[1.0, PRINT]]).predictions == [1.0]
    wait_until(lambda: "the last line" in host.log(name, 1), "the last line in the log")
    assert len(host.log(name, 1)) <= 65_536 + 1024


def test_forks_and_threads_without_saying_so_are_refused_with_the_reason(host, plugin):
    name = deploy(host, "splits", plugin)
    assert host.predict(name, [[1.0, FORK]]).predictions == [-1.0]
    assert host.predict(name, [[1.0, THREAD]]).predictions == [-1.0]
    assert host.predict(name, [[1.0, DOUBLE_FORK]]).predictions == [-1.0]
    wait_until(lambda: "sandbox refused" in host.log(name, 1), lambda: f"the refusal in {host.log(name, 1)!r}")


def test_a_plugin_that_says_it_needs_threads_serves_and_is_never_forked(host, tmp_path):
    threads = build_plugin(tmp_path / "threads.so", FLAGS="ROOST_NEEDS_THREADS", LOAD="THREAD")
    name = deploy(host, "threads", threads, scale={"min": 2})
    assert host.version(name, 1)["single"] is True
    wait_until(lambda: len(host.instances(name, 1)) == 2, "two instances, each loaded afresh")
    assert host.predict(name, [[1.0, THREAD]]).predictions == [1.0]
    assert host.predict(name, [[1.0, SEGFAULT]]).status == 500
    assert host.predict(name, [ROW]).predictions == [3.0]


def test_a_plugin_takes_whole_bodies_by_invoke(host, tmp_path):
    host.drop("whole@1.so", build_plugin(tmp_path / "invoke.so", INVOKE=None))
    host.wait_serving("whole", 1)
    reply = host.call("POST", host.path("whole"), b"anything", {"Content-Type": "image/png"})
    assert reply.status == 200 and reply.body == b"8 bytes of image/png"
    assert reply.headers["Content-Type"] == "text/x-answer"


def test_instances_that_are_killed_from_outside_fail_no_request(host, plugin):
    name = deploy(host, "shot", plugin)
    with Steady(host, name, ROW, 3.0, connections=4):
        for _ in range(5):
            pid = wait_until(lambda: host.instances(name, 1), "an instance")[0]
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda: host.instances(name, 1) not in ([], [pid]), "another instance")
    assert "killed by signal 9" in host.version(name, 1)["last_failure"]


def test_a_lost_template_fails_no_request(host, plugin):
    name = deploy(host, "stem", plugin, scale={"min": 1})
    before = host.descendants()
    host.drop("stem@2.so", plugin)
    host.wait_serving(name, 2)
    wait_until(lambda: host.instances(name, 2), "an instance")
    template = [one for one in host.descendants() - before if one not in host.instances(name, 2)]
    with Steady(host, name, ROW, 3.0):
        for pid in template:
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not any(map(runs, template)), "the end of the template")
        os.kill(host.instances(name, 2)[0], signal.SIGKILL)
        wait_until(lambda: host.instances(name, 2) or host.state(name, 2) == "rejected", "another instance")
    assert host.predict(name, [ROW]).predictions == [3.0]


def test_a_callers_own_deadline_ends_its_wait_and_nothing_else(host, plugin):
    name = deploy(host, "patient", plugin)
    before = host.instances(name, 1)
    reply = host.predict(name, [[600.0, SLEEP]], headers={"Roost-Timeout": "100ms"})
    assert reply.status == 504
    assert host.predict(name, [ROW]).predictions == [3.0]
    assert set(before) <= set(host.instances(name, 1))  # perhaps with another one beside it


def test_a_caller_that_goes_away_leaves_nothing_behind(host, plugin):
    name = deploy(host, "left", plugin)
    with socket.create_connection(("127.0.0.1", host.port)) as connection:
        body = b"[[300.0, %d]]" % SLEEP
        connection.sendall(b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                           b"Content-Length: %d\r\n\r\n%s" % (host.path(name).encode(), len(body), body))
        wait_until(lambda: busy(host, name) == 1, "it runs")
    wait_until(lambda: busy(host, name) == 0, "nothing runs")
    assert host.predict(name, [ROW]).predictions == [3.0]


def test_a_lost_nursery_comes_back_and_versions_with_it(own, plugin):
    deploy(own, "again", plugin)
    own.drop("model.json", linear_model(1))
    own.wait_serving("model", 1)
    with Steady(own, "model", ROW, 4.0) as steady:
        [pid] = own.instances("model", 1)
        nursery = next(one for one in own.descendants() if one in parents_of(pid))
        os.kill(nursery, signal.SIGKILL)
        wait_until(lambda: own.instances("model", 1) not in ([], [pid]), "another instance")
        answered = steady.answered
        wait_until(lambda: steady.answered > answered + 5, "more answers")
    assert own.predict("again", [ROW]).predictions == [3.0]
    assert any("nursery" in line for line in own.warnings)


def parents_of(pid):
    status = open(f"/proc/{pid}/status").read()
    return {int(re.search(r"PPid:\s+(\d+)", status)[1])}


# Ends of the host

@pytest.mark.parametrize("environment", [{}, {"ROOST_SANDBOX": "no-fork-rule"}], ids=["sandbox", "forks allowed"])
def test_kill_9_leaves_no_process_behind_and_a_restart_serves_the_same(tmp_path, plugin, environment):
    with Host(tmp_path / "home", environment=environment) as host:
        deploy(host, "kept", plugin)
        host.drop("kept@2.so", build_plugin(tmp_path / "two.so", OFFSET=2))
        host.wait_serving("kept", 2)
        if environment:
            host.drop("forker@1.so", build_plugin(tmp_path / "forker.so", LOAD=DOUBLE_FORK))
            host.wait_serving("forker", 1)
            before = len(host.descendants())
            assert host.predict("forker", [[1.0, DOUBLE_FORK]]).predictions == [0.0]
            assert len(host.descendants()) > before
        left = host.descendants()
        assert len(left) >= 4  # nursery, templates, instances
        host.kill()
        wait_until(lambda: not any(map(runs, left)), lambda: f"the end of {list(filter(runs, left))}", patience=1)
        host.restart()
        assert host.state("kept", 2) == "serving" and host.predict("kept", [ROW]).predictions == [5.0]
        assert host.predict("kept", [ROW], version=1).predictions == [3.0]
        left = host.descendants()
        assert host.stop() == 0
        wait_until(lambda: not any(map(runs, left)), "the end of all processes")


def test_kill_9_in_the_midst_of_deploying_loses_and_doubles_nothing(own):
    seed = int(os.environ.get("ROOST_SEED", "7"))
    print(f"seed {seed}")
    chance = random.Random(seed)
    for number in range(1, 6):
        own.drop("next.json", linear_model(number))
        own.drop(f"fixed@{number}.json", linear_model(number))
        for _ in range(chance.randrange(30)):
            own.get("/v2/health/live")
            time.sleep(TURN)
        own.kill()
        own.restart()
        for name in ("next", "fixed"):
            own.wait_serving(name, number)
            wait_until(lambda: own.predict(name, [ROW]).version == str(number), f"traffic at {name}@{number}")
            assert own.predict(name, [ROW]).predictions == [3.0 + number]
        assert len(own.status("next")["versions"]) == number


def test_sigterm_lets_what_runs_finish_and_exits_0(own, plugin):
    deploy(own, "slow", plugin)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        running = [pool.submit(own.predict, "slow", [[400.0, SLEEP]]) for _ in range(3)]
        wait_until(lambda: busy(own, "slow") == 3, "all of them run or wait")
        left = own.descendants()
        own.terminate()
        assert [one.result().predictions for one in running] == [[400.0]] * 3
    assert own.process.wait(10) == 0
    wait_until(lambda: not any(map(runs, left)), "the end of all processes")


def test_a_second_signal_ends_it_at_once(own, plugin):
    deploy(own, "slow", plugin)
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        running = pool.submit(own.predict, "slow", [[20_000.0, SLEEP]])
        wait_until(lambda: busy(own, "slow") == 1, "it runs")
        left = own.descendants()
        own.terminate()
        own.wait_for_line("draining")
        own.terminate()
        assert own.process.wait(5) == 1
        assert isinstance(running.exception(), OSError)
    wait_until(lambda: not any(map(runs, left)), "the end of all processes", patience=1)


def test_the_drain_time_ends_what_still_runs(tmp_path, plugin):
    with Host(tmp_path / "home", "--drain", "500ms") as host:
        deploy(host, "slow", plugin)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            pool.submit(host.predict, "slow", [[20_000.0, SLEEP]])
            wait_until(lambda: busy(host, "slow") == 1, "it runs")
            assert host.stop() == 0


def test_a_second_host_on_the_same_home_fails_with_one_line(own):
    second = subprocess.run(
        [ROOST, "serve", "--home", own.home, "--listen", "127.0.0.1:0"], capture_output=True, text=True, timeout=10)
    assert second.returncode == 1
    assert len(second.stderr.splitlines()) == 1 and str(own.home) in second.stderr
    assert own.get("/v2/health/live").status == 200
