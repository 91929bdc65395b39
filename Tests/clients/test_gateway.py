"""What lies between requests and models: queues and deadlines under crowds, manifests, framing, who may call."""

import json
import os
import re
import signal
import socket
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import tritonclient.http as triton
from running_host import PATIENCE, Host, command

LINEAR = {
    "format": "roost-linear", "version": 1, "model": "linear", "features": ["age", "income"],
    "coefficients": [[2, 3]], "intercepts": [1]}


@pytest.fixture(scope="module")
def served(host, compiled, tmp_path_factory):
    """plus (2 age + 3 income + 1) and deeds (what its rows say)."""
    file = tmp_path_factory.mktemp("models") / "plus.json"
    file.write_text(json.dumps(LINEAR))
    host.drop(file, "plus.json")
    host.drop(compiled("deeds"), "deeds.so")
    for name in ("plus", "deeds"):
        host.wait_for(f"^{name} traffic 1=100")
    return host


def exchange(address, request, until=None):
    """What the host sends to these bytes: all, or until it contains `until`."""
    host, port = address.rsplit(":", 1)
    with socket.create_connection((host, int(port)), timeout=PATIENCE) as connection:
        connection.sendall(request)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
            if until is not None and until in answer:
                break
        return answer


# Crowds.


def test_many_clients_at_once_get_each_their_own_answer(served):
    def ask(number):
        client = triton.InferenceServerClient(served.address, concurrency=1)
        try:
            tensor = triton.InferInput("features", [1, 2], "FP32")
            answers = []
            for turn in range(20):
                tensor.set_data_from_numpy(np.array([[number, turn]], dtype=np.float32), binary_data=False)
                answers.append(client.infer("plus", [tensor]).as_numpy("predictions").item())
            return answers
        finally:
            client.close()

    with ThreadPoolExecutor(32) as pool:
        for number, answers in enumerate(pool.map(ask, range(64))):
            assert answers == [2 * number + 3 * turn + 1 for turn in range(20)]


def test_one_that_fails_does_not_spoil_those_beside_it(served):
    def ask(number):
        deed = {0: 1, 1: 2, 2: 3}.get(number % 7, 0)
        body = json.dumps([[deed, number]])
        request = (f"POST /functions/deeds/predict HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                   f"Content-Length: {len(body)}\r\n\r\n{body}").encode()
        answer = exchange(served.address, request)
        return int(answer[9:12]), answer

    with ThreadPoolExecutor(32) as pool:
        for number, (status, answer) in enumerate(pool.map(ask, range(300))):
            assert status == {0: 500, 1: 400, 2: 500}.get(number % 7, 200), answer
            assert status != 200 or b'"predictions":[%d.0]' % number in answer


def test_a_full_queue_is_429_with_a_time_to_try_again(served, compiled):
    (served.home / "functions/crowd.json").write_text('{"scale": {"max": 1, "queue": 2}, "batch": {"max_size": 1}}')
    served.drop_and_wait(compiled("deeds"), "crowd.so", "crowd@1")
    body = b"[[4, 400]]"
    request = (b"POST /functions/crowd/predict HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s"
               % (len(body), body))
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: exchange(served.address, request), range(12)))
    statuses = sorted(int(answer[9:12]) for answer in answers)
    assert set(statuses) == {200, 429}
    for answer in answers:
        if answer.startswith(b"HTTP/1.1 429"):
            assert int(re.search(rb"Retry-After: (\d+)", answer)[1]) > 0 and b"Roost-Version: 1" in answer
    assert served.versions("crowd")["1"]["requests"]["overload"] == statuses.count(429)
    assert served.ask("/functions/crowd/predict", [[0, 3]])["predictions"] == [3]


def test_callers_that_go_away_disturb_nobody(served):
    before = served.versions("deeds")["1"]["requests"]["ok"]
    host, port = served.address.split(":")
    body = b"[[4, 50]]"
    request = b"POST /functions/deeds/predict HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    for _ in range(8):
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(request)
    assert served.ask("/functions/deeds/predict", [[0, 5]])["predictions"] == [5]
    after = served.versions("deeds")["1"]
    assert after["requests"]["death"] == 0 and after["queue"] == 0
    assert after["requests"]["ok"] == before + 1


# Manifests.


def test_a_manifest_takes_effect_and_its_errors_are_shown(served, compiled):
    served.drop_and_wait(compiled("deeds"), "ruled.so", "ruled@1")
    manifest = served.home / "functions/ruled.json"
    assert served.ask("/functions/ruled/predict", [[4, 250]])["predictions"] == [250]
    manifest.write_text('{"timeout": "100ms", "description": "rules", "owner": "me", "labels": {"team": "a"}}')
    served.until(lambda: served.get("/functions/ruled").json.get("description") == "rules")
    report = served.get("/functions/ruled").json
    assert (report["owner"], report["labels"]) == ("me", {"team": "a"})
    served.refused("/functions/ruled/predict", [[4, 20_000]], 504)
    for text, words in [
        ('{\n  "tiemout": "9s"\n}', ["ruled.json:2", "tiemout"]), ('{"timeout": 7}', ["ruled.json:1", "timeout"]),
        ('{"timeout": "100ms",}', ["ruled.json:1"]), ('{"sinks": []}', ["sinks", "not supported"])
    ]:
        manifest.write_text(text)
        served.until(lambda: all(
            word in " ".join(served.get("/functions/ruled").json["notes"]) for word in words))
        # The last good one stays in force.
        assert served.get("/functions/ruled").json["description"] == "rules"
        served.refused("/functions/ruled/predict", [[4, 20_000]], 504)
    manifest.unlink()
    served.until(lambda: "description" not in served.get("/functions/ruled").json)
    assert served.get("/functions/ruled").json["notes"] == []
    assert served.ask("/functions/ruled/predict", [[4, 250]])["predictions"] == [250]


def test_traffic_from_the_manifest(served, tmp_path):
    file = tmp_path / "shared.json"
    for version in (1, 2):
        file.write_text(json.dumps(LINEAR | {"intercepts": [version]}))
        served.drop_and_wait(file, f"shared@{version}.json", f"shared@{version}")
    (served.home / "functions/shared.json").write_text('{"traffic": {"1": 90, "2": 10}}')
    served.until(lambda: served.get("/functions/shared").json["traffic"]["origin"] == "manifest")
    answered = [served.ask("/functions/shared/predict", [[0, 0]])["version"] for _ in range(100)]
    assert 9 <= answered.count("2") <= 11
    (served.home / "functions/shared.json").write_text('{"traffic": {"1": 90, "7": 10}}')
    served.until(lambda: served.get("/functions/shared").json["traffic"]["pending"])
    assert served.get("/functions/shared").json["traffic"]["pending"] == {"7": 10}
    assert served.ask("/functions/shared/predict", [[0, 0]])["version"] == "1"


# Framing.


def test_expect_100_continue(served):
    head = b"POST /functions/plus/predict HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 6\r\n\r\n"
    host, port = served.address.split(":")
    with socket.create_connection((host, int(port)), timeout=PATIENCE) as connection:
        connection.sendall(head)
        assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"[1, 2]")
        assert b'"predictions":[9.0]' in connection.recv(10000)
    answer = exchange(served.address, head.replace(b"Content-Length: 6", b"Content-Length: 99999999"))
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert exchange(served.address, head.replace(b"100-continue", b"nix")).startswith(b"HTTP/1.1 417 ")


def test_older_http_and_other_forms_of_the_target(served):
    for request in (b"GET /v2/health/live HTTP/1.0\r\n\r\n", b"GET /v2/health/live HTTP/1.0\r\nHost: x\r\n\r\n",
                    b"GET http://x/v2/health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                    b"GET /v2/health/%6cive?a=b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
                    b"GET /v2/health/live/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"):
        answer = exchange(served.address, request)
        assert re.match(rb"HTTP/1\.[01] 200 OK\r\n", answer) and answer.endswith(b'{"live":true}'), request


@pytest.mark.parametrize("target", ["/functions/plus/../deeds", "/functions/pl%2fus", "/functions/plus%00", "/%", "*"])
def test_strange_paths_are_answered(served, target):
    answer = exchange(served.address, f"GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    assert re.match(rb"HTTP/1\.1 40[04] ", answer) and b'"error"' in answer, answer


def test_a_head_that_is_too_large(served):
    answer = exchange(served.address, b"GET / HTTP/1.1\r\nHost: x\r\nA: " + b"x" * 20_000 + b"\r\n\r\n")
    assert re.match(rb"HTTP/1\.1 4(00|31) ", answer) and b'"error"' in answer


def test_a_connection_goes_on_after_an_error_that_was_no_framing_error(served):
    requests = [("GET", "/nix", ""), ("POST", "/functions/plus/predict", "{"), ("PATCH", "/metrics", "x"),
                ("POST", "/functions/nix/predict", "[1]"), ("POST", "/functions/plus/predict", "[1, 2]")]
    text = "".join(
        f"{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        for method, path, body in requests)
    answer = exchange(served.address, text.encode(), until=b'"predictions":[9.0]')
    assert re.findall(rb"HTTP/1\.1 (\d+)", answer) == [b"404", b"400", b"405", b"404", b"200"]


# Limits and doors.


@pytest.fixture(scope="module")
def public(binary, tmp_path_factory):
    """A host that listens beyond loopback, with small limits."""
    home = tmp_path_factory.mktemp("public") / "home"
    (home / "plugins").mkdir(parents=True)
    (home / "plugins/plus@1.json").write_text(json.dumps(LINEAR))
    host = Host(binary, home, "--max-body", "64KiB", "--host", "models.example", listen="0.0.0.0:0")
    host.wait_for("^plus traffic 1=100")
    yield host
    host.stop()


def test_beyond_loopback_there_is_inference_health_and_metrics_only(public):
    assert public.ask("/functions/plus/predict", [[2, 3]])["predictions"] == [14]
    for path in ("/v2", "/v2/health/ready", "/v2/models/plus", "/metrics"):
        assert public.get(path).status == 200
    for path in ("/functions", "/functions/plus", "/functions/plus/logs"):
        reply = public.get(path)
        assert reply.status == 403 and "beyond loopback" in reply.error
    for method, path in (("PUT", "/functions/plus/traffic"), ("POST", "/functions/plus/rollback"),
                         ("PUT", "/functions/plus/versions/2")):
        assert public.request(method, path, "{}", headers={"Content-Type": "application/json"}).status == 403
    assert "plus" in public.run("status").stdout
    public.run("traffic", "plus", "1=100")


def test_the_body_limit_holds_for_bodies_of_known_and_unknown_length(public):
    body = json.dumps([[1, 2]] * 9000)
    assert len(body) > 64 << 10
    reply = public.post("/functions/plus/predict", body)
    assert reply.status == 413 and "--max-body" in reply.error
    request = (b"POST /functions/plus/predict HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
               + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body.encode()))
    assert exchange(public.address.replace("0.0.0.0", "127.0.0.1"), request).startswith(b"HTTP/1.1 413 ")
    assert public.ask("/functions/plus/predict", [[1, 2]] * 5000)["predictions"] == [9] * 5000


# Coming back, and going.


def test_a_restart_serves_what_was_served(binary, tmp_path):
    home = tmp_path / "home"
    host = Host(binary, home)
    try:
        for version in (1, 2, 3):
            (tmp_path / "m.json").write_text(json.dumps(LINEAR | {"intercepts": [version]}))
            host.run("deploy", tmp_path / "m.json", "--as", f"kept@{version}")
        host.run("rollback", "kept")
        host.run("traffic", "kept", "1=50", "2=50")
    finally:
        host.stop()
    host = Host(binary, home)
    try:
        host.until(lambda: host.get("/v2/health/ready").status == 200)
        report = host.get("/functions/kept").json
        assert (report["traffic"]["origin"], report["traffic"]["shares"]) == ("set", {"1": 50, "2": 50})
        assert [version["state"] for version in report["versions"]] == ["rejected", "serving", "serving"]
        answers = [host.ask("/functions/kept/predict", [[0, 0]]) for _ in range(100)]
        assert {(answer["version"], answer["predictions"][0]) for answer in answers} == {("1", 1), ("2", 2)}
    finally:
        host.stop()


def test_sigterm_lets_finish_what_runs(binary, compiled, tmp_path):
    host = Host(binary, tmp_path / "home")
    host.run("deploy", compiled("deeds"), "--as", "deeds@1")
    answers = []
    body = b"[[4, 700]]"
    request = b"POST /functions/deeds/predict HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    caller = threading.Thread(target=lambda: answers.append(exchange(host.address, request)))
    caller.start()
    host.until(lambda: any(one["outstanding"] for one in host.versions("deeds")["1"]["instances"]))
    host.stop()
    caller.join(PATIENCE)
    assert b'"predictions":[700.0]' in answers[0] and b"Connection: close" in answers[0]


def test_sigint_and_a_second_signal(binary, compiled, tmp_path):
    host = Host(binary, tmp_path / "home")
    host.run("deploy", compiled("deeds"), "--as", "deeds@1")
    body = b"[[4, 20000]]"
    request = b"POST /functions/deeds/predict HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    address, port = host.address.split(":")
    with socket.create_connection((address, int(port)), timeout=PATIENCE) as connection:
        connection.sendall(request)
        host.until(lambda: any(one["outstanding"] for one in host.versions("deeds")["1"]["instances"]))
        host.process.send_signal(signal.SIGINT)
        host.wait_for("draining")
        host.process.send_signal(signal.SIGINT)
        code = host.process.wait(PATIENCE)
        assert (connection.recv(1000), code) == (b"", 1)


def test_following_the_logs(served):
    follower = subprocess.Popen(
        [served.binary, "logs", "deeds", "-f", "--home", served.home], text=True, stdout=subprocess.PIPE)
    try:
        served.ask("/functions/deeds/predict", [[7, 1234]])
        for line in follower.stdout:
            if "printed 1234" in line:
                break
        served.ask("/functions/deeds/predict", [[7, 5678]])
        assert "printed 5678" in follower.stdout.readline()
    finally:
        follower.send_signal(signal.SIGINT)
        follower.wait(PATIENCE)


def test_the_url_from_the_environment(served, binary):
    environment = os.environ | {"ROOST_URL": served.url}
    done = subprocess.run([binary, "status", "plus@1"], text=True, capture_output=True, env=environment, cwd="/")
    assert done.returncode == 0 and "plus" in done.stdout
    assert "--home" in command(binary, "status", "--help").stdout
