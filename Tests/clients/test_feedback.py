"""Late labels for real models: recorded, joined by whatever name the request has, turned into the figures that
scikit-learn computes; and requests recorded for replay without what is private."""

import json
import os
import signal
import time

import numpy as np
import pytest
from running_host import LINEAR, Host
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import accuracy_score, brier_score_loss, log_loss, mean_absolute_error, roc_auc_score

CSV = "text/csv"


@pytest.fixture(scope="module")
def served(host, root, tmp_path_factory):
    """cancer (binary), iris (three names), plus@1 and plus@2 (numbers)."""
    folder = tmp_path_factory.mktemp("models")
    host.drop(root / "functions/cancer/cancer.ubj", "cancer@1.ubj")
    host.drop(root / "functions/iris/iris.json", "iris@1.json")
    for version in (1, 2):
        (folder / "plus.json").write_text(json.dumps(LINEAR | {"intercepts": [version]}))
        host.drop(folder / "plus.json", f"plus@{version}.json")
    for line in ("cancer traffic 1=100", "iris traffic 1=100", "plus traffic 2=100", "plus@1 ready"):
        host.wait_for(line)
    return host


def infer(host, function, rows, name, **headers):
    rows = np.asarray(rows, dtype=np.float32)
    tensor = {"name": "features", "shape": list(rows.shape), "datatype": "FP32",
              "data": [None if np.isnan(value) else float(value) for value in rows.ravel()]}
    return host.ask(f"/v2/models/{function}/infer", {"inputs": [tensor]} | ({"id": name} if name else {}), **headers)


def give(host, function, labels, status=200, **headers):
    reply = host.post(f"/functions/{function}/feedback", labels, **headers)
    assert reply.status == status, reply
    return reply.json


def quality(host, function, window="all", version="1"):
    report = host.get(f"/functions/{function}/quality?window={window}").json
    assert report["function"] == function
    return report["windows"][window]["versions"].get(version)


@pytest.fixture(scope="module")
def judged(served):
    """cancer, answered in requests of several rows, and labelled."""
    data = load_breast_cancer()
    rows, truths = data.data.astype(np.float32)[:450], data.target[:450]
    scores, decisions, labels = [], [], []
    for first in range(0, len(rows), 9):
        part = rows[first:first + 9]
        answer = infer(served, "cancer", part, f"loan \"{first}\" é")
        outputs = {output["name"]: output["data"] for output in answer["outputs"]}
        scores += outputs["predictions"]
        decisions += outputs.get("label", [])
        # Every third row stays without a label, whatever it is.
        labels += [{"id": f"loan \"{first}\" é", "row": row, "label": int(truths[first + row])}
                   for row in range(len(part)) if row % 3]
    kept = [index for index in range(450) if index % 9 % 3]
    assert give(served, "cancer", labels) == {
        "joined": 300, "unknown": 0, "replaced": 0, "refused": 0, "errors": []}
    return truths[kept], np.asarray(scores)[kept], np.asarray(decisions)[kept]


def test_metrics_are_those_of_scikit_learn(served, judged):
    truths, scores, decisions = judged
    for window in ("1h", "24h", "7d", "all"):
        found = quality(served, "cancer", window)
        assert found["task"] == "binary" and found["labels_used"] == 300
        metrics = found["metrics"]
        assert metrics["auc"] == pytest.approx(roc_auc_score(truths, scores), abs=1e-9)
        assert metrics["accuracy"] == pytest.approx(accuracy_score(truths, decisions), abs=1e-9)
        assert metrics["log_loss"] == pytest.approx(log_loss(truths, scores), rel=1e-6)
        assert metrics["brier"] == pytest.approx(brier_score_loss(truths, scores), rel=1e-6)
        low, high = found["intervals"]["brier"]
        assert low < metrics["brier"] < high


def test_coverage_is_always_shown(served, judged):
    coverage = quality(served, "cancer")["coverage"]
    assert (coverage["recorded"], coverage["labelled"]) == (450, 300)
    assert coverage["text"].startswith("300 of 450 labelled, median delay ")
    assert coverage["share"] == pytest.approx(2 / 3) and coverage["median_delay_seconds"] >= 0
    status = served.get("/functions/cancer").json["quality"]["windows"]["24h"]
    assert status["versions"]["1"]["coverage"]["labelled"] == 300


def test_classes_with_names(served):
    rows = [[5.1, 3.5, 1.4, 0.2], [6.2, 2.8, 4.8, 1.8], [5.9, 3.0, 4.2, 1.5]]
    infer(served, "iris", rows, "flowers")
    text = "id,row,label\nflowers,0,setosa\nflowers,1,virginica\nflowers,2,setosa\n"
    assert give(served, "iris", text, content_type=CSV)["joined"] == 3
    found = quality(served, "iris")
    assert found["task"] == "multiclass" and found["metrics"]["accuracy"] == pytest.approx(2 / 3)
    answer = give(served, "iris", [{"id": "flowers", "label": 0}], status=400)
    assert "expected the name of a class, as text, got 0" in answer["errors"][0]["error"]


def test_every_name_of_a_request_finds_it(served):
    before = quality(served, "plus", version="2")
    lines = []
    # The body's id goes before the header, the header before the host's own id.
    infer(served, "plus", [[1, 2]], "by-body", roost_key="not-me", x_request_id="nor-me")
    lines.append({"id": "by-body", "label": 10})
    served.ask("/functions/plus/predict", [[1, 2], [3, 4]], roost_key="by-key", x_request_id="nor-me")
    lines += [{"key": "by-key", "row": row, "label": 20} for row in (0, 1)]
    served.ask("/functions/plus/predict", {"age": 1, "income": 2}, x_request_id="by-header")
    lines.append({"id": "by-header", "label": 10.5})
    given = served.post("/functions/plus/predict", "age,income\n1,2\n", content_type=CSV).headers["X-Request-Id"]
    lines.append({"id": given, "label": 10})
    answer = give(served, "plus", "\n".join(map(json.dumps, lines)), content_type="application/x-ndjson")
    assert (answer["joined"], answer["unknown"]) == (5, 0), answer
    found = quality(served, "plus", version="2")
    assert found["task"] == "regression" and found["coverage"]["labelled"] == 5 and before is None
    assert found["metrics"]["mae"] == pytest.approx(mean_absolute_error([10, 20, 20, 10.5, 10], [10, 10, 20, 10, 10]))
    for name in ("not-me", "nor-me"):
        assert give(served, "plus", {"id": name, "label": 1}, status=400)["unknown"] == 1
    # An id that is too long to be kept gives way to the next name.
    infer(served, "plus", [[1, 2]], "x" * 65, roost_key="instead")
    assert give(served, "plus", {"key": "instead", "label": 10})["joined"] == 1


def test_a_second_label_replaces_the_first(served):
    infer(served, "plus", [[0, 0]], "twice")
    assert give(served, "plus", {"id": "twice", "label": 2})["joined"] == 1
    again = give(served, "plus", {"id": "twice", "label": 3})
    assert (again["joined"], again["replaced"]) == (0, 1)
    assert give(served, "plus", {"id": "twice", "label": 3})["joined"] == 1


def test_what_cannot_be_used_is_named_and_the_rest_is_kept(served):
    infer(served, "plus", [[0, 0]], "good")
    answer = give(served, "plus", [
        {"id": "nobody", "label": 1}, {"id": "good", "row": 1, "label": 1}, {"id": "good", "label": "two"},
        {"id": "good", "lable": 2}, {"id": "good", "label": 2}])
    assert (answer["joined"], answer["unknown"], answer["refused"]) == (1, 2, 2)
    assert [(error["item"], error.get("id")) for error in answer["errors"]] == [
        (1, "nobody"), (2, "good"), (3, "good"), (4, None)]
    for error, words in zip(answer["errors"], (
            "no recorded prediction has this id", "1 rows of this request", 'expected a number, got "two"',
            'unknown key "lable"')):
        assert words in error["error"]


@pytest.mark.parametrize("body,headers,status,words", [
    ("", {"content_type": CSV}, 400, "the body is empty"),
    ("a,b\n1,2\n", {"content_type": CSV}, 400, 'unknown column "a": the header is id,row,label'),
    ("[", {"content_type": "application/json"}, 400, "body:1"),
    ("[]", {"content_type": "application/json"}, 400, "there are no labels in the body"),
    ("{}", {"content_type": "text/plain"}, 415, "expected Content-Type: application/json or"),
    ('{"id": "nobody", "label": 1}', {"content_type": "application/json"}, 400, "no recorded prediction has this id"),
    ('{"id": "nobody", "label": 1}', {"content_type": "application/json", "origin": "http://evil.example"}, 403, "Origin"),
])
def test_a_body_of_no_use_is_refused(served, body, headers, status, words):
    reply = served.post("/functions/plus/feedback", body, **headers)
    assert reply.status == status and words in reply.json["error"], reply


def test_functions_and_windows_that_are_not_there(served):
    assert served.post("/functions/nix/feedback", {"id": "a", "label": 1}).status == 404
    assert served.get("/functions/nix/quality").status == 404
    assert served.get("/functions/plus/feedback").status == 405
    assert "window: expected a time" in served.get("/functions/plus/quality?window=soon").error
    assert served.post("/functions/plus/predict", [[1, 2]], roost_key="k" * 129).status == 400


def test_no_verdict_where_labels_come_differently_often(served):
    """plus@1 answers as well as plus@2 here, but its labels come five times as often."""
    served.put("/functions/plus/traffic", {"1": 50, "2": 50})
    labels = []
    for number in range(400):
        reply = served.post("/functions/plus/predict", [[number, 0]], roost_key=f"split-{number}")
        version = reply.json["version"]
        if number % (10 if version == "2" else 2) == 0:
            labels.append({"id": f"split-{number}", "label": 2 * number})
    give(served, "plus", labels)
    window = served.get("/functions/plus/quality?window=1h").json["windows"]["1h"]
    (comparison,) = window["comparisons"]
    assert comparison["verdict"] is None and "coverage differs" in comparison["reason"], comparison
    served.put("/functions/plus/traffic", {"2": 100})


def test_counters(served):
    text = served.get("/metrics").body.decode()
    recorded = [line for line in text.splitlines() if line.startswith("roost_predictions_recorded_total{function=\"cancer\"")]
    assert recorded and recorded[0].endswith(" 50"), recorded
    assert 'roost_predictions_dropped_total{function="cancer",version="1"} 0' in text
    assert 'roost_feedback_total{function="cancer",outcome="joined"} 300' in text
    assert 'roost_feedback_total{function="plus",outcome="replaced"} 1' in text


def manifest(host, function, document):
    """Writes a manifest; what it changes is seen by asking."""
    (host.home / "functions" / f"{function}.json").write_text(json.dumps(document))


def segments(host, function):
    folder = host.home / "state" / "replay" / function
    lines = [json.loads(line) for file in sorted(folder.glob("*.jsonl")) for line in file.read_text().splitlines()]
    return [line for line in lines if "request" in line]


def test_requests_are_recorded_for_replay_without_what_is_private(served):
    served.drop(served.home / "plugins/plus@2.json", "asked@1.json")
    served.wait_for("asked traffic 1=100")
    manifest(served, "asked", {"replay": {"size": "1MiB", "rate": 1000}, "private": ["income"]})

    def recorded():
        served.ask("/functions/asked/predict", [{"age": 41, "income": 7}], roost_key="secret-key")
        return segments(served, "asked")

    # This model refuses missing values, so that a request without its income could never be answered.
    note = served.until(lambda: [note for note in served.get("/functions/asked").json["notes"] if "income" in note])
    assert "must not be missing" in note[0] and "nothing of it is recorded" in note[0]
    recorded()
    assert not segments(served, "asked")
    filled = served.home / "filled.json"
    filled.write_text(json.dumps(LINEAR | {"impute": [10, 20]}))
    served.drop(filled, "asked@2.json")
    served.wait_for("asked traffic 2=100")
    found = served.until(recorded)
    assert found[0]["version"] == "2" and abs(found[0]["at"] / 1e6 - time.time()) < 120
    (tensor,) = found[0]["request"]["inputs"]
    assert tensor == {"name": "features", "datatype": "FP32", "shape": [1, 2], "data": [41.0, None]}
    # What was recorded can be asked as it stands.
    assert served.ask("/v2/models/asked/infer", found[0]["request"])["outputs"][0]["data"] == [143.0]
    everything = b"".join(file.read_bytes() for file in (served.home / "state/replay").rglob("*.jsonl"))
    assert b"secret-key" not in everything


def test_an_unknown_private_name_records_nothing(served):
    manifest(served, "asked", {"replay": {"size": "1MiB", "rate": 1000}, "private": ["incom"]})
    note = served.until(lambda: [
        note for note in served.get("/functions/asked").json["notes"] if 'no column or input "incom"' in note])
    assert any("asked@2" in line and "nothing of it is recorded" in line for line in note)
    # The list has another name than that of the record, which goes.
    served.until(lambda: not segments(served, "asked"))
    for _ in range(20):
        served.ask("/functions/asked/predict", [[1, 2]])
    give(served, "asked", {"id": "nobody", "label": 1}, status=400)  # everything before it is written
    assert not segments(served, "asked")
    manifest(served, "asked", {})
    served.until(lambda: not (served.home / "state/replay/asked").exists())


def test_switched_off_nothing_is_recorded_and_what_was_goes(served):
    infer(served, "asked", [[1, 2]], "before")
    assert give(served, "asked", {"id": "before", "label": 1})["joined"] == 1
    manifest(served, "asked", {"feedback": False})
    served.until(lambda: quality(served, "asked", version="2") is None)
    infer(served, "asked", [[1, 2]], "after")
    assert give(served, "asked", {"id": "after", "label": 1}, status=400)["unknown"] == 1


def test_records_outlive_the_host_and_a_kill_costs_a_second_at_most(binary, tmp_path):
    model = tmp_path / "plus.json"
    model.write_text(json.dumps(LINEAR))
    home = tmp_path / "home"
    host = Host(binary, home)
    host.drop_and_wait(model, "plus@1.json", "plus@1")
    infer(host, "plus", [[1, 2]], "graceful")
    host.stop()
    host = Host(binary, home)
    host.until(lambda: host.get("/v2/models/plus/ready").status == 200)
    assert give(host, "plus", {"id": "graceful", "label": 9})["joined"] == 1
    infer(host, "plus", [[1, 2]], "old enough")
    counter = 'roost_predictions_recorded_total{function="plus",version="1"} 1'
    host.until(lambda: counter in host.get("/metrics").body.decode())
    os.kill(host.process.pid, signal.SIGKILL)
    host.process.wait()
    host = Host(binary, home)
    try:
        host.until(lambda: host.get("/v2/models/plus/ready").status == 200)
        assert give(host, "plus", {"id": "old enough", "label": 9})["joined"] == 1
        assert quality(host, "plus")["coverage"]["labelled"] == 2
    finally:
        host.stop()
