"""Requests that share a predict: by themselves when they wait, and by waiting for each other when a manifest says so."""

import concurrent.futures
import re

import pytest

from host import Host, linear_model, wait_until


@pytest.fixture
def host(tmp_path):
    with Host(tmp_path / "home") as host:
        yield host


def deploy(host, name, **batch):
    host.manifest(name, {"batch": batch, "scale": {"max": 1}})
    host.drop(f"{name}@1.json", linear_model(1))
    host.wait_serving(name, 1)


def sizes(host, name):
    """Requests that ran in a batch, and the rows of these batches."""
    text = host.get("/metrics").body.decode()
    found = re.findall(rf'roost_batch_rows_(count|sum){{function="{name}",version="1"}} (\d+)', text)
    return {kind: int(value) for kind, value in found}


def test_requests_wait_for_each_other_until_the_batch_is_full(host):
    deploy(host, "patient", max_size=4, max_delay="20s")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda row: host.predict("patient", [[row, 0]]), range(8)))
    assert [reply.predictions for reply in replies] == [[row + 1.0] for row in range(8)]
    assert sizes(host, "patient") == {"count": 8, "sum": 32}


def test_what_fills_a_batch_by_itself_waits_for_nobody(host):
    deploy(host, "full", max_size=1, max_delay="20s")
    assert host.predict("full", [[3, 4]]).predictions == [8.0]
    assert sizes(host, "full") == {"count": 1, "sum": 1}


def test_requests_that_do_not_fit_together_do_not_hold_each_other_up(host):
    deploy(host, "mixed", max_size=64, max_delay="300ms")
    bodies = [{"inputs": [{"name": "features", "shape": [1, 2], "datatype": "FP32", "data": [row, 0]}],
               "parameters": {"kind": row}} for row in range(6)]
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        replies = list(pool.map(lambda body: host.call("POST", "/v2/models/mixed/infer", body), bodies))
    assert [reply.json["outputs"][0]["data"] for reply in replies] == [[row + 1.0] for row in range(6)]
    assert sizes(host, "mixed") == {"count": 6, "sum": 6}


def test_a_shorter_deadline_is_kept_while_a_request_waits_for_others(host):
    deploy(host, "late", max_size=4, max_delay="20s")
    assert host.predict("late", [[1, 2]], headers={"Roost-Timeout": "100ms"}).status == 504


def test_an_edited_delay_is_in_force_without_a_new_instance(host):
    deploy(host, "edited", max_size=4)
    assert host.predict("edited", [[1, 2]]).predictions == [4.0]
    host.manifest("edited", {"batch": {"max_size": 4, "max_delay": "20s"}, "scale": {"max": 1}})

    def shared():
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            before = sizes(host, "edited")
            list(pool.map(lambda row: host.predict("edited", [[row, 0]]), range(4)))
            return sizes(host, "edited")["sum"] - before["sum"] == 16
    wait_until(shared, "the manifest is in force")
