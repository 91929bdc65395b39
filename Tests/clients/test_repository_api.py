"""The statistics and model repository extensions of the Open Inference Protocol v2, by Triton's own client."""

import concurrent.futures
import json
import socket
import time

import numpy as np
import pytest
import tritonclient.http as triton
from host import SLEEP, Host, build_plugin, linear_model, roost, wait_until
from tritonclient.utils import InferenceServerException


@pytest.fixture
def host(tmp_path):
    """sum@1 and sum@2, of which 2 serves: the sum of two columns plus the version."""
    with Host(tmp_path / "home") as host:
        for version in (1, 2):
            host.drop(f"sum@{version}.json", linear_model(version))
            host.wait_serving("sum", version)
        yield host


@pytest.fixture
def client(host):
    client = triton.InferenceServerClient(f"127.0.0.1:{host.port}", concurrency=4)
    yield client
    client.close()


def tensor(rows):
    tensor = triton.InferInput("features", [len(rows), 2], "FP32")
    tensor.set_data_from_numpy(np.array(rows, dtype=np.float32), binary_data=False)
    return tensor


def infer(client, rows=((1, 2),), version=""):
    outputs = [triton.InferRequestedOutput("predictions", binary_data=False)]
    return client.infer("sum", [tensor(rows)], model_version=version, outputs=outputs).as_numpy("predictions").tolist()


def index(client):
    return {(one["name"], one["version"]): (one["state"], one["reason"]) for one in client.get_model_repository_index()}


def statistics(client, version="2"):
    (found,) = client.get_inference_statistics("sum", version)["model_stats"]
    return found


def test_the_extensions_are_named(client):
    assert {"model_repository", "statistics"} <= set(client.get_server_metadata()["extensions"])


# Statistics.


PHASES = ("queue", "compute_input", "compute_infer", "compute_output")


def test_a_version_that_was_never_called_has_done_nothing(client):
    nothing = {"count": 0, "ns": 0}
    assert statistics(client, "1") == {
        "name": "sum", "version": "1", "last_inference": 0, "inference_count": 0, "execution_count": 0,
        "inference_stats": {name: nothing for name in ("success", "fail", *PHASES, "cache_hit", "cache_miss")},
        "batch_stats": []}


def test_what_was_done_is_counted_and_measured(host, client):
    began = time.monotonic_ns(), time.time()
    for rows in (1, 1, 1, 5, 5, 200):
        infer(client, [[1, 2]] * rows)
    took = time.monotonic_ns() - began[0]
    for _ in range(4):
        with pytest.raises(InferenceServerException):
            client.infer("sum", [tensor([[1, 2]])], parameters={}, model_version="2", outputs=[
                triton.InferRequestedOutput("nix", binary_data=False)])
    found = statistics(client)
    assert (found["inference_count"], found["execution_count"]) == (213, 6)
    assert began[1] - 1 <= found["last_inference"] / 1000 <= time.time() + 1
    stats = found["inference_stats"]
    assert stats["success"]["count"] == 6 and stats["fail"]["count"] == 4
    assert {stats[phase]["count"] for phase in PHASES} == {6}
    assert all(stats[phase]["ns"] > 0 for phase in ("success", "fail", "compute_input", "compute_infer", "compute_output"))
    # They are parts of the whole, and the whole is what the client has waited, at most.
    assert sum(stats[phase]["ns"] for phase in PHASES) <= stats["success"]["ns"] <= took
    assert [batch["batch_size"] for batch in found["batch_stats"]] == [1, 5, 200]
    assert [batch["compute_infer"]["count"] for batch in found["batch_stats"]] == [3, 2, 1]
    for phase in ("compute_input", "compute_infer", "compute_output"):
        parts = [batch[phase] for batch in found["batch_stats"]]
        assert all(part["ns"] > 0 for part in parts) and sum(part["count"] for part in parts) == 6
        assert abs(sum(part["ns"] for part in parts) - stats[phase]["ns"]) <= len(parts)


def test_decoding_and_encoding_are_told_apart_from_the_model(client):
    """Of many rows of numbers with many digits, reading takes longer than a sum of two columns."""
    infer(client, np.random.default_rng(1).random((20_000, 2)).tolist())
    stats = statistics(client)["inference_stats"]
    assert stats["compute_input"]["ns"] > stats["compute_infer"]["ns"]
    assert stats["compute_output"]["ns"] > 10_000


def test_a_batch_of_several_requests_is_one_execution(host, client):
    """Sent together, while the only instance is busy with the first."""
    host.manifest("sum", {"scale": {"max": 1, "min": 1}})
    wait_until(lambda: host.version("sum", 2).get("instances"), "the instance")
    body = json.dumps([[1, 2]] * 3)
    request = f"POST /functions/sum/predict HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
    with socket.create_connection(("127.0.0.1", host.port), timeout=20) as connection:
        connection.sendall(request * 16)
        answer = b""
        while answer.count(b"\r\n\r\n") < 16:
            answer += connection.recv(65536)
    found = statistics(client)
    assert found["inference_count"] == 48 and found["inference_stats"]["success"]["count"] == 16
    assert 1 <= found["execution_count"] < 16
    sizes = {batch["batch_size"]: batch["compute_infer"]["count"] for batch in found["batch_stats"]}
    assert sum(size * count for size, count in sizes.items()) == 48 and sum(sizes.values()) == found["execution_count"]


def test_statistics_of_one_of_all_and_of_none(host, client):
    host.drop("other@1.json", linear_model(1))
    host.wait_serving("other", 1)
    names = [(one["name"], one["version"]) for one in client.get_inference_statistics()["model_stats"]]
    assert names == [("other", "1"), ("sum", "1"), ("sum", "2")]
    names = [(one["name"], one["version"]) for one in client.get_inference_statistics("sum")["model_stats"]]
    assert names == [("sum", "1"), ("sum", "2")]
    for name, version, words in [("nix", "", "no function"), ("sum", "9", "no version"), ("sum", "x", "x")]:
        with pytest.raises(InferenceServerException, match=words):
            client.get_inference_statistics(name, version)
    assert host.call("POST", "/v2/models/sum/stats", {}).status == 405


# The repository.


def test_the_index_shows_every_version_and_why_it_is_not_ready(host, client):
    host.drop("broken@1.json", b'{"format": "roost-linear", "version": 1}')
    host.wait_for_state("broken", 1, "failed")
    found = index(client)
    assert found["sum", "1"] == ("READY", "") and found["sum", "2"] == ("READY", "")
    state, reason = found["broken", "1"]
    assert state == "UNAVAILABLE" and reason.startswith("failed: ")
    ready = host.call("POST", "/v2/repository/index", {"ready": True}).json
    assert [(one["name"], one["version"]) for one in ready] == [("sum", "1"), ("sum", "2")]
    host.remove("sum@1.json")
    host.wait_for_state("sum", 1, "retired")
    assert ("sum", "1") not in index(client)
    for body, words in [({"ready": 1}, "ready"), ({"raedy": True}, "raedy"), ([], "object"), ("{", "body")]:
        reply = host.call("POST", "/v2/repository/index", body)
        assert reply.status == 400 and words in reply.error, reply.body
    assert host.get("/v2/repository/index").status == 405


def test_unload_takes_a_function_out_of_service_and_load_takes_it_back(host, client):
    assert infer(client) == [5]
    wait_until(lambda: host.version("sum", 2).get("instances"), "an instance")
    client.unload_model("sum")
    assert not client.is_model_ready("sum") and not client.is_model_ready("sum", "1")
    for version in ("", "1", "2"):
        with pytest.raises(InferenceServerException, match=r"\[503\].*sum is unloaded: POST /v2/repository/models/sum/load"):
            infer(client, version=version)
    with pytest.raises(InferenceServerException, match="unloaded"):
        client.get_model_metadata("sum")
    # Nothing of it is left in memory.
    wait_until(lambda: all(version["warmth"] == "cold" for version in host.status("sum")["versions"]), host.status)
    wait_until(lambda: set(index(client).values()) == {("UNAVAILABLE", "unloaded")}, lambda: index(client))
    assert any("unloaded" in note for note in host.status("sum")["notes"]) and "unloaded" in roost(
        "status", "sum", "--home", host.home).stdout
    client.unload_model("sum")  # again it changes nothing
    client.load_model("sum")
    # It is there when the client is told so: the next request waits for a fork at most.
    assert host.version("sum", 2)["warmth"] != "cold" and client.is_model_ready("sum")
    assert infer(client) == [5] and infer(client, version="1") == [4]
    assert index(client)["sum", "2"] == ("READY", "")


def test_load_brings_what_serves_into_memory(host, client):
    host.kill()
    host.start()
    client = triton.InferenceServerClient(f"127.0.0.1:{host.port}")
    wait_until(client.is_server_ready, "it is ready")
    client.load_model("sum")
    assert host.version("sum", 2)["warmth"] != "cold"
    for _ in range(3):
        client.load_model("sum")
    assert infer(client) == [5]
    client.close()


def test_what_runs_is_answered_before_it_goes(tmp_path):
    with Host(tmp_path / "home") as host:
        host.drop("slow@1.so", build_plugin(tmp_path / "chaos.so"))
        host.wait_serving("slow", 1)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            running = pool.submit(host.predict, "slow", [[700, SLEEP]])
            wait_until(lambda: any(one["outstanding"] for one in host.version("slow", 1).get("instances", [])), "it runs")
            reply = host.call("POST", "/v2/repository/models/slow/unload", None)
            assert reply.json["versions"] == [{"name": "slow", "version": "1", "state": "UNLOADING", "reason": "unloaded"}]
            assert host.predict("slow", [[1, 0]]).status == 503
            assert running.result().status == 200
        wait_until(lambda: host.version("slow", 1)["warmth"] == "cold", lambda: host.version("slow", 1))
        assert host.version("slow", 1)["requests"]["death"] == 0


def test_unloading_is_remembered_and_recorded(host, client):
    client.unload_model("sum", headers={"Roost-User": "ann"})
    host.kill()
    host.start()
    wait_until(lambda: host.call("GET", "/v2/health/ready").status == 200, "it is ready")
    assert host.predict("sum", [[1, 2]]).status == 503
    assert host.call("POST", "/v2/repository/models/sum/load", None, {"Roost-User": "ben"}).status == 200
    assert host.predict("sum", [[1, 2]]).predictions == [5]
    log = json.loads(roost("audit", "sum", "--json", "--home", host.home).stdout)
    assert log["chain"] == "intact"
    acts = [(one["by"], one["act"]) for one in log["entries"]]
    assert ("ann", "unloaded") in acts and ("ben", "loaded") in acts


def test_versions_come_and_go_while_it_is_unloaded(host, client):
    client.unload_model("sum")
    host.drop("sum@3.json", linear_model(3))
    host.wait_for_state("sum", 3, "ready")
    deployed = roost("deploy", "--home", host.home, "--as", "sum@4", make(host, 4))
    assert deployed.returncode == 0 and "loaded again" in deployed.stdout + deployed.stderr, deployed
    assert host.predict("sum", [[1, 2]]).status == 503
    for arguments in (("traffic", "sum", "2=100"), ("traffic", "sum", "latest"), ("rollback", "sum")):
        refused = roost(*arguments, "--home", host.home)
        assert refused.returncode == 1 and "unloaded" in refused.stderr, refused
    # Others than the last one was are still told from it.
    host.drop("sum@5.json", linear_model(5, columns=3))
    host.wait_for_state("sum", 5, "held")
    host.remove("sum@4.json")
    host.wait_for_state("sum", 4, "retired")
    client.load_model("sum")
    assert infer(client) == [6]


def make(host, version):
    file = host.home / f"{version}.json"
    file.write_bytes(linear_model(version))
    return file


def test_with_a_plan_a_version_that_came_meanwhile_has_to_earn_its_traffic(host, client):
    host.manifest("sum", {"rollout": {"steps": [10, 100], "interval": "5s"}})
    wait_until(lambda: not host.status("sum")["notes"], lambda: host.status("sum")["notes"])
    client.unload_model("sum")
    host.drop("sum@3.json", linear_model(3))
    host.wait_for_state("sum", 3, "ready")
    client.load_model("sum")
    assert infer(client) == [5]
    wait_until(lambda: host.status("sum").get("rollout", {}).get("canary") == "3", lambda: host.status("sum"))
    with pytest.raises(InferenceServerException, match=r"\[409\].*rollout"):
        client.unload_model("sum")


@pytest.mark.parametrize("call,parameters,words", [
    ("load", {"config": "{}"}, "functions/sum.json is its configuration"), ("load", {"file:1/model": "eA=="}, "file:1/model"),
    ("unload", {"unload_dependents": "yes"}, "unload_dependents"), ("unload", {"now": True}, "now"), ("unload", [], "object")])
def test_parameters_that_mean_nothing_here_are_refused(host, client, call, parameters, words):
    reply = host.call("POST", f"/v2/repository/models/sum/{call}", {"parameters": parameters})
    assert reply.status == 400 and words in reply.error, reply.body
    assert infer(client) == [5]


def test_triton_is_told_what_cannot_be(host, client):
    client.unload_model("sum", unload_dependents=True)
    client.load_model("sum")
    for act in (client.load_model, client.unload_model):
        with pytest.raises(InferenceServerException, match=r"\[404\].*no function"):
            act("nix")
    with pytest.raises(InferenceServerException, match="config"):
        client.load_model("sum", config="{}")
    host.drop("broken@1.json", b'{"format": "roost-linear", "version": 1}')
    host.wait_for_state("broken", 1, "failed")
    with pytest.raises(InferenceServerException, match=r"\[503\].*broken@1 is failed"):
        client.load_model("broken")
    assert host.get("/v2/repository/models/sum/load").status == 405
    for path in ("/v2/repository", "/v2/repository/models", "/v2/repository/models/sum", "/v2/repository/models/sum/nix"):
        assert host.call("POST", path, {}).status == 404
