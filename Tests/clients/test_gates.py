"""What a manifest asks of new versions and of decisions: gates that let nothing through that misses them, thresholds
that take effect at once."""

import json
import re

import numpy as np
import pytest
import xgboost
from host import build_plugin
from scipy.special import expit
from sklearn import metrics
from sklearn.datasets import load_breast_cancer
from test_evaluate import identity, model_file, scorers, write_csv  # noqa: F401


def set_manifest(host, function, value):
    """At once, as careful editors do: no reader ever sees half of it."""
    partial = host.home / f"functions/.{function}.partial"
    partial.write_text(value if isinstance(value, str) else json.dumps(value))
    partial.rename(host.home / f"functions/{function}.json")


# Thresholds


def test_a_threshold_of_the_manifest_takes_effect_at_once(scorers):
    rows = [[-2.0], [-0.5], [0.5], [2.0]]

    def labels():
        answer = scorers.ask("/functions/scorer/versions/1/predict", rows)
        assert answer["predictions"] == pytest.approx(expit(np.array(rows)[:, 0]).tolist(), rel=1e-6)
        return answer["label"]

    assert labels() == [0, 0, 1, 1]
    # The first answer may come before the word of who gave it.
    scorers.until(lambda: all("pid" in one for one in scorers.versions("scorer")["1"]["instances"]))
    instances = [one["pid"] for one in scorers.versions("scorer")["1"]["instances"]]
    manifest = scorers.home / "functions/scorer.json"
    for threshold, wanted in ((0.8, [0, 0, 0, 1]), (0.1, [1, 1, 1, 1]), (0.3, [0, 1, 1, 1])):
        set_manifest(scorers, "scorer", {"threshold": threshold})
        scorers.until(lambda: labels() == wanted)
    answer = scorers.ask("/v2/models/scorer/versions/1/infer", {"inputs": [
        {"name": "features", "shape": [4, 1], "datatype": "FP32", "data": [row[0] for row in rows]}]})
    assert answer["outputs"][1]["data"] == [0, 1, 1, 1]
    # The same processes answered all the time.
    assert set(instances) <= {one.get("pid") for one in scorers.versions("scorer")["1"]["instances"]}
    manifest.unlink()
    scorers.until(lambda: labels() == [0, 0, 1, 1])


def test_a_threshold_that_does_nothing_is_said(scorers, tmp_path):
    set_manifest(scorers, "plain", {"threshold": 0.4})
    scorers.drop_and_wait(identity(tmp_path / "m.json"), "plain@1.json", "plain@1")
    assert scorers.get("/functions/plain").json["notes"] == [
        "threshold does nothing for plain@1: it gives no score beside a label of 0 or 1"]


# Gates of manifests


@pytest.fixture(scope="module")
def gated(host, root):
    """cancer, gated by its own data; cancer@1 serves."""
    data = load_breast_cancer()
    names = xgboost.Booster(model_file=model_file(root, "cancer")).feature_names
    folder = host.home / "functions/cancer"
    folder.mkdir()
    write_csv(folder / "holdout.csv", data.data, data.target, names)
    gate = {"data": "holdout.csv", "label": "label", "metric": "auc", "min": 0.95, "max_drop": 0.02}
    set_manifest(host, "cancer", {"gate": gate})
    host.drop_and_wait(model_file(root, "cancer"), "cancer@1.ubj", "cancer@1")
    return host


def train(path, features, target, rounds=5, **options):
    """A model that learns: `target` decides how well."""
    booster = xgboost.train(
        {"objective": "binary:logistic", "max_depth": 2, "nthread": 1, "seed": 1} | options,
        xgboost.DMatrix(features, target, feature_names=list(load_breast_cancer().feature_names)), rounds)
    booster.save_model(path)
    return path


def test_a_version_that_reaches_its_gate_serves_and_says_so(gated):
    line = gated.wait_for(r"^cancer@1 gate: auc (\S+)$")
    assert float(line[1]) > 0.95
    version = gated.versions("cancer")["1"]
    assert version["state"] == "serving"


def test_a_version_that_misses_its_gate_never_serves(gated, tmp_path):
    data = load_breast_cancer()
    shuffled = np.random.default_rng(3).permutation(data.target)
    since = len(gated.lines)
    gated.drop(train(tmp_path / "m.ubj", data.data, shuffled), "cancer@2.ubj")
    reason = gated.wait_for(r"^cancer@2 failed: (.*)$", since)[1]
    assert re.fullmatch(r"gate: auc 0\.\d+ < 0\.95", reason)
    version = gated.versions("cancer")["2"]
    assert version["state"] == "failed" and version["reason"] == reason and gated.note("cancer@2.ubj").strip() == reason
    booster = xgboost.Booster(model_file=tmp_path / "m.ubj")
    auc = metrics.roc_auc_score(data.target, booster.predict(xgboost.DMatrix(data.data), validate_features=False))
    assert float(reason.split()[2]) == pytest.approx(auc, rel=1e-3)
    # Also not when it is asked for by name, and the old one goes on.
    assert gated.post("/functions/cancer/versions/2/predict", [data.data[0].tolist()]).status in (404, 409, 503)
    assert gated.post("/functions/cancer/predict", [data.data[0].tolist()]).headers["Roost-Version"] == "1"


def test_a_drop_against_the_serving_version_is_a_miss(gated, tmp_path):
    data = load_breast_cancer()
    # Good enough for `min`, not beside cancer@1.
    since = len(gated.lines)
    gated.drop(train(tmp_path / "m.ubj", data.data, data.target, 2, max_depth=1), "cancer@3.ubj")
    reason = gated.wait_for(r"^cancer@3 failed: (.*)$", since)[1]
    assert re.fullmatch(
        r"gate: auc 0\.9\d+ is worse than cancer@1's \S+ by 0\.0\d+, more than max_drop, which is 0\.02", reason), reason
    gated.drop(train(tmp_path / "m.ubj", data.data, data.target, 60), "cancer@4.ubj")
    gated.wait_for(r"^cancer@4 gate: auc \S+; cancer@1 has \S+$", since)
    gated.wait_for(r"^cancer traffic 4=100", since)


@pytest.mark.parametrize("data, label, words", [
    ("nowhere.csv", "label", "there is no file nowhere.csv in functions/cancer/ or data/"),
    ("holdout.csv", "target", 'holdout.csv: line 1: there is no label column "target"; the columns are '),
    ("link.csv", "label", "link.csv is a link, and links are not followed here"),
    ("out/passwd", "label", "there is no file out/passwd in functions/cancer/ or data/"),
    ("broken.csv", "label", "broken.csv: line 3"),
])
def test_a_gate_that_cannot_be_applied_lets_nothing_through(gated, tmp_path, data, label, words):
    folder = gated.home / "functions/cancer"
    (tmp_path / "outside.csv").write_text((folder / "holdout.csv").read_text())
    for name, target in (("link.csv", tmp_path / "outside.csv"), ("out", "/etc")):
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(target)
    head, row = (folder / "holdout.csv").read_text().splitlines()[:2]
    (folder / "broken.csv").write_text("\n".join([head, row, "what?," + row.split(",", 1)[1], ""]))
    kept = (gated.home / "functions/cancer.json").read_text()
    serving = next(v for v, one in gated.versions("cancer").items() if one["state"] == "serving")
    version = 100 + len(gated.versions("cancer"))
    manifest = {"gate": {"data": data, "label": label, "metric": "auc", "min": 0.5}, "description": words}
    set_manifest(gated, "cancer", manifest)
    gated.until(lambda: gated.get("/functions/cancer").json.get("description") == words)
    try:
        since = len(gated.lines)
        breast = load_breast_cancer()
        gated.drop(train(tmp_path / "m.ubj", breast.data, breast.target, 7, seed=version), f"cancer@{version}.ubj")
        reason = gated.wait_for(rf"^cancer@{version} failed: (.*)$", since)[1]
        assert reason.startswith("gate: ") and words in reason, reason
        answer = gated.post("/functions/cancer/predict", [breast.data[0].tolist()])
        assert answer.status == 200 and answer.headers["Roost-Version"] == serving
    finally:
        set_manifest(gated, "cancer", kept)
        gated.until(lambda: "description" not in gated.get("/functions/cancer").json)


def test_what_missed_a_gate_is_tried_again_when_the_gate_was_mended(gated, tmp_path):
    data = load_breast_cancer()
    folder = gated.home / "functions/cancer"
    (folder / "holdout.csv").rename(folder / "away.csv")
    since = len(gated.lines)
    gated.drop(train(tmp_path / "m.ubj", data.data, data.target, 80), "cancer@200.ubj")
    assert gated.wait_for(r"^cancer@200 failed: (.*)$", since)[1].startswith("gate: there is no file holdout.csv")
    (folder / "away.csv").rename(folder / "holdout.csv")
    gated.run("deploy", "cancer@200", "--restart")
    gated.wait_for(r"^cancer@200 gate: auc ", since)
    gated.wait_for(r"^cancer traffic 200=100", since)


def test_a_version_that_dies_on_the_gates_rows_fails(host, compiled):
    """deeds does what its rows say: 5 is to crash."""
    (host.home / "data/deeds.csv").write_text("do,with,label\n0,1,1\n5,0,1\n")
    gate = {"data": "deeds.csv", "label": "label", "metric": "rmse", "max": 1}
    set_manifest(host, "mortal", {"gate": gate})
    since = len(host.lines)
    host.drop(compiled("deeds"), "mortal@1.so")
    reason = host.wait_for(r"^mortal@1 failed: (.*)$", since)[1]
    assert reason.startswith("gate: deeds.csv: lines 2 to 3: the instance was killed"), reason
    assert host.versions("mortal")["1"]["state"] == "failed"
    # A row that the model refuses is named by its line.
    (host.home / "data/deeds.csv").write_text("do,with,label\n0,1,1\n3,0,1\n")
    host.drop(compiled("deeds", "SECOND"), "mortal@2.so")
    reason = host.wait_for(r"^mortal@2 failed: (.*)$", since)[1]
    assert reason == "gate: deeds.csv: line 3: no answer here"


def test_a_gate_keeps_nobody_waiting(scorers, compiled):
    """Five rows of 400 ms each are measured while others are answered."""
    (scorers.home / "data/slow.csv").write_text("do,with,label\n" + "4,400,400\n" * 5)
    gate = {"data": "slow.csv", "label": "label", "metric": "mae", "max": 1}
    set_manifest(scorers, "slow", {"gate": gate})
    since = len(scorers.lines)
    scorers.drop(compiled("deeds"), "slow@1.so")
    scorers.until(lambda: scorers.get("/functions/slow").status == 200 and scorers.versions("slow"))
    for _ in range(50):
        scorers.ask("/functions/scorer/versions/1/predict", [[1.0]])
    assert scorers.versions("slow")["1"]["state"] in ("stored", "verifying")
    assert scorers.post("/functions/slow/predict", [[0, 1]]).status == 503
    assert scorers.wait_for(r"^slow@1 gate: mae (\S+)$", since)[1] == "0"
    scorers.wait_for(r"^slow traffic 1=100", since)


def test_a_version_that_is_never_forked_passes_its_gate_and_serves(host, tmp_path):
    (host.home / "data/alone.csv").write_text("a,b,label\n1,0,1\n2,0,2\n")
    gate = {"data": "alone.csv", "label": "label", "metric": "r2", "min": 0.9, "max_drop": 0}
    set_manifest(host, "alone", {"gate": gate})
    for version, offset in ((1, 0), (2, 0.01)):
        file = build_plugin(tmp_path / "alone.so", FLAGS="ROOST_NEEDS_THREADS", OFFSET=offset)
        since = len(host.lines)
        host.drop(file, f"alone@{version}.so")
        if version == 1:
            assert host.wait_for(r"^alone@1 gate: r2 (\S+)$", since)[1] == "1"
            host.wait_for(r"^alone traffic 1=100", since)
            assert host.ask("/functions/alone/predict", [[3, 0]])["predictions"] == [3]
        else:
            reason = host.wait_for(r"^alone@2 failed: gate: (.*)$", since)[1]
            assert reason == "r2 0.9996 is worse than alone@1's 1 by 0.0004, more than max_drop, which is 0"
    assert host.versions("alone")["1"]["single"] is True
