"""`roost bench` against running hosts: what it sends, what it reports, and that a host's stall cannot hide from it."""

import json
import re
import signal
import subprocess

import pytest
from running_host import LINEAR, PATIENCE, Host, command

# Marks in the first column of a row for the plugin deeds.c.
FAIL, REFUSE, SLEEP_MILLISECONDS, CRASH = 1, 2, 4, 5


@pytest.fixture(scope="module")
def host(binary, compiled, tmp_path_factory):
    """plus@1 and plus@2 (linear, two columns), deeds@1 (does what its rows say), table@1 (words), mirror@1 (all types)."""
    folder = tmp_path_factory.mktemp("bench")
    host = Host(binary, folder / "home")
    for version in (1, 2):
        (folder / "plus.json").write_text(json.dumps(LINEAR | {"intercepts": [version]}))
        host.drop(folder / "plus.json", f"plus@{version}.json")
    for name in ("deeds", "table", "mirror"):
        host.drop(compiled(name), f"{name}@1.so")
    for line in ("plus traffic 2=100", "plus@1 ready", "deeds traffic 1=100", "table traffic 1=100",
                 "mirror traffic 1=100"):
        host.wait_for(line)
    yield host
    host.stop()


@pytest.fixture
def rows(tmp_path):
    """Writes a file of rows."""

    def write(text, name="rows.csv"):
        file = tmp_path / name
        file.write_text(text)
        return file

    return write


def bench(host, target, *options, code=0, **named):
    """Runs `roost bench TARGET --json …`; its report."""
    return json.loads(host.run("bench", target, "--json", *map(str, options), code=code, **named).stdout)


def succeeded(report):
    """How many went well, of how many that have an outcome at all."""
    return report["outcomes"]["ok"], sum(report["outcomes"].values())


def test_a_load_is_sent_as_planned_and_reported(host):
    report = bench(host, "plus", "--rate", 200, "--for", "1s")
    assert report["requests"] == {"due": 200, "sent": 200, "answered": 200}
    assert succeeded(report) == (200, 200)
    assert report["versions"] == {"2": 200}
    assert report["plan"]["protocol"] == "v2" and not report["interrupted"] and report["errors"] == []
    latency = report["latency_ms"]
    assert latency["count"] == 200
    assert 0 < latency["p50"] <= latency["p90"] <= latency["p99"] <= latency["p99_9"] <= latency["max"]
    assert latency["p50"] / 2 < latency["mean"] <= latency["max"]
    assert report["phases_ms"]["infer"]["count"] == 200 and report["phases_ms"]["infer"]["max"] <= latency["max"]
    assert 1 <= report["connections"]["opened"] and report["connections"]["peak"] <= 64
    assert report["elapsed_seconds"] >= 1 and report["answered_per_second"] <= 200


def test_the_host_counted_the_same_requests(host):
    def counted():
        text = host.get("/metrics").body.decode()
        found = re.search(r'roost_requests_total\{function="plus",version="1",outcome="ok"\} (\d+)', text)
        return int(found[1]) if found else 0

    before = counted()
    report = bench(host, "plus@1", "--rate", 500, "--for", "400ms", "--arrivals", "poisson", "--seed", 3)
    assert report["versions"] == {"1": report["requests"]["due"]}
    assert counted() - before == report["requests"]["due"]
    again = bench(host, "plus@1", "--rate", 500, "--for", "400ms", "--arrivals", "poisson", "--seed", 3)
    assert again["requests"] == report["requests"], "equal seeds make equal plans"


def test_text_is_for_people(host):
    done = host.run("bench", "plus", "--rate", "100", "--for", "200ms", at=("--url", host.url))
    lines = done.stdout.splitlines()
    assert any(line.startswith(f"plus on {host.url}: 100 requests/s for 200ms, constant arrivals") for line in lines)
    assert "requests     20 due, 20 sent, 20 answered" in done.stdout and "20 ok" in done.stdout
    for name in ("latency", "cold starts", "wait", "queue", "infer"):
        assert re.search(rf"^{name} +\d+ ", done.stdout, re.M), done.stdout
    assert done.stderr == "", "no progress where nobody looks"


def test_rows_come_from_csv(host, rows):
    report = bench(host, "plus", "--from", rows("income,age\n1,2\n3,4\n5,6\n"), "--rate", 100, "--for", "200ms")
    assert succeeded(report) == (20, 20) and report["plan"]["protocol"] == "predict"
    report = bench(host, "table", "--from", rows('red,1\n"light blue",2\n'), "--rate", 100, "--for", "200ms")
    assert succeeded(report) == (20, 20)
    report = bench(
        host, "plus", "--from", rows("1,2\n3,4,5\n"), "--rate", 100, "--for", "200ms", code=1)
    assert report["outcomes"]["ok"] == 10 and report["outcomes"]["client_error"] == 10
    [error] = report["errors"]
    assert (error["outcome"], error["status"], error["count"]) == ("client_error", 400, 10)
    assert "expected 2 columns, got 3" in error["message"]


@pytest.mark.parametrize("text", [
    "[[1, 2], [3, 4]]", '[{"age": 1, "income": 2}]', "[1, 2]\n[3, 4]\n", '{"income": 1, "age": 2}',
    '{"inputs": [{"name": "features", "shape": [2, 2], "datatype": "FP32", "data": [1, 2, 3, 4]}]}'])
def test_rows_come_from_json(host, rows, text):
    report = bench(host, "plus", "--from", rows(text, "rows.json"), "--rate", 100, "--for", "100ms")
    assert succeeded(report) == (10, 10), report["errors"]
    report = bench(host, "plus", "--from", "-", "--rate", 100, "--for", "100ms", input=text)
    assert succeeded(report) == (10, 10)


@pytest.mark.parametrize("target", ["plus", "table", "mirror"])
@pytest.mark.parametrize("protocol", ["v2", "predict"])
def test_made_requests_fit_every_signature(host, target, protocol):
    report = bench(
        host, target, "--protocol", protocol, "--rows-per-request", 3, "--rate", 200, "--for", "200ms")
    assert succeeded(report) == (40, 40), report["errors"]


def test_cold_starts_are_counted_apart(host, compiled):
    # A version that nobody has asked yet has no instance.
    host.drop_and_wait(compiled("table"), "cold@1.so", "cold@1")
    report = bench(host, "cold", "--rate", 100, "--for", "300ms")
    cold = report["cold_starts"]
    assert succeeded(report)[0] == 30
    assert 1 <= cold["count"] <= 30
    forks = report["phases_ms"]["fork"]["count"] + report["phases_ms"]["load"]["count"]
    assert forks >= cold["count"]
    assert cold["latency_ms"]["max"] <= report["latency_ms"]["max"]
    assert bench(host, "cold", "--rate", 10, "--for", "100ms")["cold_starts"]["count"] == 0


def test_a_stall_counts_for_all_that_was_due_in_it(host, rows):
    """One row in a hundred sleeps for half a second before the only connection; the others are quick."""
    text = "do,with\n" + f"{SLEEP_MILLISECONDS},500\n" + "0,1\n" * 99
    report = bench(host, "deeds", "--from", rows(text), "--rate", 100, "--for", "1s", "--connections", 1)
    assert succeeded(report) == (100, 100)
    # Half of all requests were due while it slept; in a closed loop a single one would have noticed.
    latency = report["latency_ms"]
    assert latency["max"] >= 500 and latency["p90"] > 300 and latency["mean"] > 90
    assert report["wait_ms"]["p90"] > 300, "they waited for the connection"
    assert report["connections"] == {"opened": 1, "peak": 1, "max": 1}
    assert any("connections were busy" in warning for warning in report["warnings"])


def test_failures_are_told_apart_and_end_with_1(host, rows):
    text = f"do,with\n0,1\n{FAIL},1\n{REFUSE},1\n"
    report = bench(host, "deeds", "--from", rows(text), "--rate", 60, "--for", "500ms", code=1)
    assert (report["outcomes"]["ok"], report["outcomes"]["model_error"], report["outcomes"]["client_error"]) == (
        10, 10, 10)
    messages = {error["outcome"]: error["message"] for error in report["errors"]}
    assert "gives up" in messages["model_error"] and "does not like" in messages["client_error"]
    assert report["latency_ms"]["count"] == 10 and report["failed_latency_ms"]["count"] == 20
    done = host.run("bench", "deeds", "--from", rows(text), "--rate", "60", "--for", "500ms", code=1)
    assert 'model_error (500), 10 times: ' in done.stdout


def test_who_gives_up_says_so(host, rows):
    text = f"do,with\n{SLEEP_MILLISECONDS},1500\n"
    report = bench(
        host, "deeds", "--from", rows(text), "--rate", 20, "--for", "100ms", "--timeout", "200ms", code=1)
    assert report["outcomes"]["no_answer"] == 2 and report["latency_ms"]["p50"] is None
    assert report["failed_latency_ms"]["p50"] >= 200
    assert any("had no answer" in warning for warning in report["warnings"])


def test_a_busy_host_is_no_failure(binary, compiled, rows, tmp_path):
    host = Host(binary, tmp_path / "home")
    (host.home / "functions" / "deeds.json").write_text(
        json.dumps({"scale": {"max": 1, "queue": 1}, "batch": {"max_size": 1}}))
    host.drop_and_wait(compiled("deeds"), "deeds@1.so", "deeds@1")
    report = bench(
        host, "deeds", "--from", rows(f"do,with\n{SLEEP_MILLISECONDS},100\n"), "--rate", 200, "--for", "500ms")
    assert report["outcomes"]["overload"] > 0 and report["outcomes"]["ok"] > 0
    assert sum(report["outcomes"].values()) == 100
    assert [error["status"] for error in report["errors"]] == [429]
    host.stop()
    report = host.run("bench", "deeds", "--for", "100ms", code=1)
    assert "no host is running" in report.stderr


def test_a_host_that_ends_is_reported(binary, tmp_path):
    host = Host(binary, tmp_path / "home")
    (tmp_path / "plus.json").write_text(json.dumps(LINEAR))
    host.drop_and_wait(tmp_path / "plus.json", "plus@1.json", "plus@1")
    load = subprocess.Popen(
        [binary, "bench", "plus", "--url", host.url, "--rate", "200", "--for", "3s", "--timeout", "10s", "--json"],
        stdout=subprocess.PIPE, text=True)
    host.until(lambda: host.versions("plus")["1"]["requests"]["ok"] > 20)
    host.process.kill()
    host.process.wait(PATIENCE)
    output, _ = load.communicate(timeout=PATIENCE)
    report = json.loads(output)
    assert load.returncode == 1
    assert report["requests"]["due"] == 600, "the plan does not wait for the host"
    assert report["outcomes"]["ok"] > 0 and report["outcomes"]["connection_error"] > 0
    assert succeeded(report)[1] == 600 and report["outcomes"]["no_answer"] == 0, report
    assert any("refused" in error["message"] or "closed" in error["message"] for error in report["errors"])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_early_with_what_there_is(host, binary, number):
    load = subprocess.Popen(
        [binary, "bench", "plus", "--home", host.home, "--rate", "100", "--for", "1h", "--json"],
        stdout=subprocess.PIPE, text=True)
    seen = host.versions("plus")["2"]["requests"]["ok"]
    host.until(lambda: host.versions("plus")["2"]["requests"]["ok"] > seen + 5)
    load.send_signal(number)
    output, _ = load.communicate(timeout=PATIENCE)
    report = json.loads(output)
    assert load.returncode == 0 and report["interrupted"]
    assert 5 < report["outcomes"]["ok"] == report["requests"]["answered"]
    assert report["elapsed_seconds"] < 3600
    assert any("ended early" in warning for warning in report["warnings"])


def test_wrong_use_and_unknown_targets(host, rows):
    for options, word in [
        (["plus", "--rate", "0"], "--rate"), (["plus", "--for", "soon"], "--for"), ([], "TARGET"),
        (["plus", "--arrivals", "bursty"], "constant or poisson"), (["plus", "--connections", "0"], "--connections"),
        (["./model.ubj"], "roost deploy ./model.ubj"), (["plus", "--from", rows("1,2\n"), "--protocol", "v2"], "v2"),
    ]:
        done = host.run("bench", *options, code=2)
        assert done.stdout == "" and word in done.stderr and len(done.stderr.splitlines()) == 1, done.stderr
    for options, word in [
        (["nobody"], "nobody"), (["plus@9"], "9"), (["plus", "--from", "missing.csv"], "missing.csv"),
        (["plus", "--from", rows("")], "no rows"), (["plus", "--from", rows("age,income\n")], "no rows"),
    ]:
        done = host.run("bench", *options, code=1)
        assert done.stdout == "" and word in done.stderr and len(done.stderr.splitlines()) == 1, done.stderr


def test_help_says_what_is_measured(binary):
    page = command(binary, "bench", "--help").stdout
    for word in ("due", "--rate N", "--for TIME", "--from FILE", "--rows-per-request", "poisson", "Exit code"):
        assert word in page, word
