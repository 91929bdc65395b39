"""Real models through a running host: every row of the examples, and models of all shapes dropped as files, answered
as the library that saved them answers."""

import json
import time

import numpy as np
import pytest
import xgboost
from sklearn.datasets import (
    load_breast_cancer, load_diabetes, load_digits, load_iris, make_classification, make_regression)

DATA = {
    "cancer": load_breast_cancer, "diabetes": load_diabetes, "digits": load_digits, "iris": load_iris}


@pytest.fixture(scope="module")
def served(host, root):
    for name in DATA:
        folder = root / "functions" / name
        (host.home / "functions" / name).mkdir()
        (host.home / f"functions/{name}/examples.jsonl").write_bytes((folder / "examples.jsonl").read_bytes())
        (host.home / f"functions/{name}.json").write_bytes((root / f"functions/{name}.json").read_bytes())
        file = folder / (f"{name}.json" if name == "iris" else f"{name}.ubj")
        host.drop(file, f"{name}@1{file.suffix}")
    for name in DATA:
        host.wait_for(f"^{name} traffic 1=100")
    return host


def with_missing(features, seed, share=0.15):
    print(f"seed {seed}")
    features = features.astype(np.float32)
    features[np.random.default_rng(seed).random(features.shape) < share] = np.nan
    return features


def rows(features):
    """JSON with every float32 as a decimal that reads back exactly, and NaN as itself."""
    return json.dumps(features.astype(float).tolist())


def same(found, expected):
    """Float32 to 1e-6 of the value, in the shape that the library returns."""
    found, expected = np.asarray(found, dtype=np.float32), np.asarray(expected, dtype=np.float32)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-37)


def softmax_by_formula(document, features):
    """What docs/LINEAR.md says, in double precision."""
    values = features.astype(np.float64)
    values = np.where(np.isnan(values), document["impute"], values)
    values = (values - document["mean"]) / document["scale"]
    scores = values @ np.transpose(document["coefficients"]) + document["intercepts"]
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def expected(root, name, features):
    """What the example's own library answers: predictions, and labels where it has classes."""
    if name == "iris":
        document = json.loads((root / "functions/iris/iris.json").read_text())
        predictions = softmax_by_formula(document, features)
        return predictions, [document["classes"][i] for i in predictions.argmax(axis=1)]
    booster = xgboost.Booster(model_file=root / f"functions/{name}/{name}.ubj")
    predictions = booster.predict(xgboost.DMatrix(features), validate_features=False)
    if name == "diabetes":
        return predictions, None
    labels = predictions.argmax(axis=1) if predictions.ndim == 2 else (predictions > 0.5).astype(int)
    return predictions, labels.tolist()


@pytest.mark.parametrize("name", DATA)
@pytest.mark.parametrize("missing", [False, True])
def test_every_row_of_the_examples_equals_its_library(served, root, name, missing):
    features = DATA[name]().data.astype(np.float32)
    if missing:
        features = with_missing(features, 21)
    predictions, labels = expected(root, name, features)
    for size in (len(features), 64, 7):
        parts = [
            served.ask(f"/functions/{name}/predict", rows(features[i : i + size]))
            for i in range(0, len(features), size)]
        same(np.concatenate([part["predictions"] for part in parts]), predictions)
        assert labels is None or sum((part["label"] for part in parts), []) == labels
    together = np.concatenate([part["predictions"] for part in parts])
    for index, row in enumerate(features):
        answer = served.ask(f"/functions/{name}/predict", rows(row[None]))
        # One row has the same bits alone as in company.
        assert np.array_equal(answer["predictions"][0], together[index])
        assert labels is None or answer["label"] == [labels[index]]


@pytest.mark.parametrize("name", DATA)
def test_the_same_by_protocol_csv_and_objects(served, root, name):
    features = with_missing(DATA[name]().data, 22)[:100]
    predictions, _ = expected(root, name, features)
    tensor = {"name": "features", "shape": list(features.shape), "datatype": "FP32",
              "data": features.astype(float).ravel().tolist()}
    answer = served.ask(f"/v2/models/{name}/infer", {"inputs": [tensor]})["outputs"][0]
    same(np.reshape(answer["data"], answer["shape"]), predictions)
    text = "".join(",".join("" if np.isnan(v) else repr(v) for v in row) + "\n" for row in features.astype(float).tolist())
    answer = served.ask(f"/functions/{name}/predict", text, content_type="text/csv")
    same(answer["predictions"], predictions)
    if name != "iris":
        # The columns' own names, in another order.
        booster = xgboost.Booster(model_file=root / f"functions/{name}/{name}.ubj")
        names = booster.feature_names or [f"f{i}" for i in range(features.shape[1])]
        objects = [dict(reversed(list(zip(names, row)))) for row in features.astype(float).tolist()]
        same(served.ask(f"/functions/{name}/predict", json.dumps(objects))["predictions"], predictions)


def test_the_examples_were_checked_and_described(served, root):
    for name in DATA:
        lines = (root / f"functions/{name}/examples.jsonl").read_text().splitlines()
        report = served.get(f"/functions/{name}").json
        assert report["versions"][0]["examples"] == len(lines) and report["notes"] == []
        assert report["description"] == json.loads((root / f"functions/{name}.json").read_text())["description"]


def classifier(seed, classes=2, columns=12, **parameters):
    features, target = make_classification(
        n_samples=600, n_features=columns, n_informative=min(columns, 8), n_redundant=0, n_classes=classes,
        random_state=seed)
    model = xgboost.XGBClassifier(random_state=seed, **parameters).fit(with_missing(features, seed), target)
    return model, features


def regressor(seed, columns=9, **parameters):
    features, target = make_regression(n_samples=500, n_features=columns, noise=3, random_state=seed)
    return xgboost.XGBRegressor(random_state=seed, **parameters).fit(with_missing(features, seed), target), features


MODELS = {
    "small": lambda: classifier(31, n_estimators=1, max_depth=1, columns=8),
    "deep": lambda: classifier(32, n_estimators=60, max_depth=12, columns=40),
    "based": lambda: classifier(33, n_estimators=20, base_score=0.03, subsample=0.6),
    "leafwise": lambda: classifier(34, n_estimators=25, grow_policy="lossguide", max_leaves=50, max_depth=0),
    "forest": lambda: classifier(35, n_estimators=8, num_parallel_tree=6, subsample=0.5, colsample_bynode=0.5),
    "five": lambda: classifier(36, classes=5, n_estimators=15, max_depth=4),
    "five-forest": lambda: classifier(37, classes=5, n_estimators=6, num_parallel_tree=3, subsample=0.5),
    "line": lambda: regressor(38, n_estimators=120),
    "line-based": lambda: regressor(39, n_estimators=10, base_score=-1234.5, columns=3),
    "line-wide": lambda: regressor(40, n_estimators=30, columns=200, max_depth=3),
}


@pytest.mark.parametrize("extension", ["ubj", "json"])
@pytest.mark.parametrize("name", MODELS)
def test_save_model_is_a_deployment(served, name, extension):
    model, features = MODELS[name]()
    features = with_missing(features, 41)
    kind = isinstance(model, xgboost.XGBClassifier)
    predictions = model.predict_proba(features) if kind else model.predict(features)
    predictions = predictions[:, 1] if kind and predictions.shape[1] == 2 else predictions
    function = f"{name}-{extension}"
    since, start = len(served.lines), time.monotonic()
    model.save_model(served.home / f"plugins/{function}.{extension}")
    served.wait_for(f"^{function} traffic 1=100", since)
    first = served.ask(f"/functions/{function}/predict", rows(features[:1]))
    print(f"{function}: answers {1000 * (time.monotonic() - start):.0f} ms after save_model began")
    answer = served.ask(f"/functions/{function}/predict", rows(features))
    same(answer["predictions"], predictions)
    assert first["predictions"] == answer["predictions"][:1]
    if kind:
        assert answer["label"] == model.predict(features).tolist()


def test_a_model_retrained_under_its_name_is_the_next_version(served):
    for version, seed in (("1", 51), ("2", 52), ("3", 53)):
        model, features = regressor(seed, n_estimators=5)
        since = len(served.lines)
        model.save_model(served.home / "plugins/again.ubj")
        served.wait_for(f"^again traffic {version}=100", since)
        answer = served.ask("/functions/again/predict", rows(features))
        assert answer["version"] == version
        same(answer["predictions"], model.predict(features))
    model, features = regressor(51, n_estimators=5)
    same(served.ask("/functions/again/versions/1/predict", rows(features))["predictions"], model.predict(features))


def test_what_is_not_supported_fails_with_its_reason_and_never_with_a_number(served):
    generator = np.random.default_rng(61)
    features, target = generator.normal(size=(200, 4)), generator.poisson(3, size=200)
    for name, parameters, word in [
        ("counts", {"objective": "count:poisson"}, "count:poisson"), ("dropout", {"booster": "dart"}, "dart")
    ]:
        booster = xgboost.train(parameters, xgboost.DMatrix(features, target), 3)
        since = len(served.lines)
        booster.save_model(served.home / f"plugins/{name}@1.ubj")
        served.wait_for(f"^{name}@1 failed", since)
        assert word in served.refused(f"/functions/{name}/predict", rows(features[:1]), 503)
        assert word in served.note(f"{name}@1.ubj")
