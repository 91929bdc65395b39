"""Models on labelled rows: metrics as scikit-learn computes them, gates, thresholds, differences between versions."""

import json
import re
import warnings

import numpy as np
import pytest
import xgboost
from running_host import command
from scipy.special import expit
from sklearn import metrics
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris
from test_examples import expected

DATA = {"cancer": load_breast_cancer, "diabetes": load_diabetes, "digits": load_digits, "iris": load_iris}
BINARY = ["accuracy", "balanced_accuracy", "precision", "recall", "f1", "f1_macro", "f1_micro", "precision_macro",
          "recall_macro", "precision_micro", "recall_micro", "auc", "average_precision", "log_loss", "brier", "mcc"]


def write_csv(path, features, labels, names=None, label="label", more=None):
    """A labelled file: values as decimals that read back exactly, the label in the second column."""
    names = list(names or [f"x{i}" for i in range(features.shape[1])])
    more = more or {}
    with open(path, "w") as file:
        file.write(",".join([names[0], label, *names[1:], *more]) + "\n")
        for index, row in enumerate(features.tolist()):
            cells = ["" if value != value else repr(value) for value in row]
            extra = [str(column[index]) for column in more.values()]
            file.write(",".join([cells[0], str(labels[index]), *cells[1:], *extra]) + "\n")
    return path


def model_file(root, name):
    return root / f"functions/{name}/{name}{'.json' if name == 'iris' else '.ubj'}"


def identity(path, kind="linear", outputs=1, classes=None):
    """A linear model whose scores are its columns: what it predicts is up to the rows."""
    model = {"format": "roost-linear", "version": 1, "model": kind, "coefficients": np.eye(outputs).tolist(),
             "intercepts": [0.0] * outputs}
    path.write_text(json.dumps(model | ({"classes": classes} if classes else {})))
    return path


def evaluate(binary, *arguments, code=0):
    done = command(binary, "evaluate", *map(str, arguments), "--json", code=code)
    report = json.loads(done.stdout)
    return report["models"] if len(report["models"]) > 1 else report["models"][0]


def values(model):
    return {name: found["value"] for name, found in model["metrics"].items()}


def classification(truth, scores, decided, positive=1):
    """scikit-learn's values under our names; `scores` of the positive class, or a column for each class."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = {
            "accuracy": metrics.accuracy_score(truth, decided), "mcc": metrics.matthews_corrcoef(truth, decided),
            "balanced_accuracy": metrics.balanced_accuracy_score(truth, decided)}
        for average in ("binary", "macro", "micro"):
            if average == "binary" and scores.ndim == 2:
                continue
            suffix = "" if average == "binary" else f"_{average}"
            options = {"average": average} | ({"pos_label": positive} if average == "binary" else {})
            found |= {f"precision{suffix}": metrics.precision_score(truth, decided, **options),
                      f"recall{suffix}": metrics.recall_score(truth, decided, **options),
                      f"f1{suffix}": metrics.f1_score(truth, decided, **options)}
        if scores.ndim == 1:
            truth = np.asarray(truth) == positive
            found |= {"auc": metrics.roc_auc_score(truth, scores), "log_loss": metrics.log_loss(truth, scores),
                      "average_precision": metrics.average_precision_score(truth, scores),
                      "brier": metrics.brier_score_loss(truth, scores)}
        else:
            classes = np.unique(truth)
            found |= {"auc": metrics.roc_auc_score(truth, scores, multi_class="ovr"),
                      "average_precision": metrics.average_precision_score(truth, scores),
                      "log_loss": metrics.log_loss(truth, scores, labels=classes),
                      "brier": metrics.brier_score_loss(truth, scores, labels=classes)}
    return found


def same(found, wanted):
    assert found.keys() == wanted.keys()
    for name, value in wanted.items():
        assert found[name] == pytest.approx(value, rel=2e-6, abs=1e-9), name


# Metrics


@pytest.mark.parametrize("seed", range(6))
def test_binary_metrics_are_scikit_learns_with_ties(binary, tmp_path, seed):
    random = np.random.default_rng(seed)
    # Few levels make many ties; the last seeds have a rare class and a useless model.
    score = random.integers(-3, 4, 400).astype(float) + (0 if seed % 2 else random.normal(size=400).round(1))
    truth = (random.random(400) < (expit(score) if seed < 4 else 0.04)).astype(int)
    data = write_csv(tmp_path / "rows.csv", score[:, None], truth)
    found = evaluate(binary, identity(tmp_path / "m.json", "logistic"), data, "--label", "label")
    scores = expit(score).astype(np.float32).astype(float)
    assert found["task"] == "binary" and list(found["metrics"])[:5] == BINARY[:5]
    same(values(found), classification(truth, scores, (score > 0).astype(int)))
    assert found["confusion_matrix"]["counts"] == metrics.confusion_matrix(truth, score > 0).tolist()


@pytest.mark.parametrize("seed", range(4))
def test_multiclass_metrics_are_scikit_learns_with_ties(binary, tmp_path, seed):
    random = np.random.default_rng(seed)
    truth = random.integers(0, 4, 300)
    logits = random.integers(-2, 3, (300, 4)).astype(float)
    logits[np.arange(300), truth] += seed - 1
    names = ["ash", "beech", "cedar", "elm"]
    model = identity(tmp_path / "m.json", "softmax", 4, names if seed % 2 else None)
    labels = [names[i] for i in truth] if seed % 2 else truth
    data = write_csv(tmp_path / "rows.csv", logits, labels)
    found = evaluate(binary, model, data, "--label", "label")
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    # As the model answers: in double precision two equal scores may differ in their last digit.
    scores = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32).astype(float)
    assert found["task"] == "multiclass"
    same(values(found), classification(truth, scores, logits.argmax(axis=1)))
    assert found["confusion_matrix"]["classes"] == (names if seed % 2 else ["0", "1", "2", "3"])


@pytest.mark.parametrize("constant", [False, True])
def test_regression_metrics_are_scikit_learns(binary, tmp_path, constant):
    random = np.random.default_rng(5)
    predicted = random.normal(50, 20, 500).astype(np.float32).astype(float)
    truth = np.full(500, 3.5) if constant else predicted + random.normal(1, 5, 500)
    data = write_csv(tmp_path / "rows.csv", predicted[:, None], truth)
    found = evaluate(binary, identity(tmp_path / "m.json"), data, "--label", "label")
    same(values(found), {
        "mse": metrics.mean_squared_error(truth, predicted), "rmse": metrics.root_mean_squared_error(truth, predicted),
        "mae": metrics.mean_absolute_error(truth, predicted), "r2": metrics.r2_score(truth, predicted)})


def test_rankings_are_scored_within_their_groups(binary, tmp_path):
    random = np.random.default_rng(6)
    groups, scores = random.integers(0, 30, 200), random.integers(0, 5, 200).astype(float)
    relevance = random.integers(0, 4, 200)
    data = write_csv(tmp_path / "rows.csv", scores[:, None], relevance, more={"query": groups})
    model = identity(tmp_path / "m.json")
    found = evaluate(binary, model, data, "--label", "label", "--task", "ranking", "--group", "query")
    sizes = [np.sum(groups == g) for g in range(30)]
    wanted = [metrics.ndcg_score([relevance[groups == g]], [scores[groups == g]]) for g in range(30) if sizes[g] > 1]
    assert values(found)["ndcg"] == pytest.approx(np.mean(wanted), rel=1e-9)
    done = command(binary, "evaluate", str(model), str(data), "--label", "label", "--task", "ranking", code=1)
    assert "say by --group COLUMN which rows belong together" in done.stderr


@pytest.mark.parametrize("name", DATA)
def test_real_models_equal_scikit_learn_on_their_own_predictions(binary, root, tmp_path, name):
    data = DATA[name]()
    features = data.data.astype(np.float32).astype(float)
    predictions, labels = expected(root, name, features.astype(np.float32))
    truth = [data.target_names[i] for i in data.target] if name == "iris" else data.target
    if name == "iris":
        names = [n.removesuffix(" (cm)") for n in data.feature_names]
    else:
        names = xgboost.Booster(model_file=model_file(root, name)).feature_names
    file = write_csv(tmp_path / "rows.csv", features, truth, names, label="truth")
    found = evaluate(binary, model_file(root, name), file, "--label", "truth")
    scores = np.asarray(predictions, dtype=float)
    if name == "diabetes":
        assert found["task"] == "regression"
        wanted = {"mse": metrics.mean_squared_error(truth, scores), "mae": metrics.mean_absolute_error(truth, scores),
                  "rmse": metrics.root_mean_squared_error(truth, scores), "r2": metrics.r2_score(truth, scores)}
        same(values(found), wanted)
    else:
        # scikit-learn wants float32 rows to sum to one more exactly than they do.
        if scores.ndim == 2:
            scores /= scores.sum(axis=1, keepdims=True)
        same(values(found), classification(truth, scores, labels))
    for one in found["metrics"].values():
        assert one["low"] <= one["value"] + 1e-9 and one["value"] <= one["high"] + 1e-9
    assert found["size"] == model_file(root, name).stat().st_size
    assert found["speed"]["rows_per_second"] > 0
    assert 0 < found["speed"]["single_p50_ms"] <= found["speed"]["single_p99_ms"]
    assert found["disturbed"]["noise_1_percent"].keys() == found["disturbed"]["missing_5_percent"].keys()


def test_a_disturbance_costs_a_sharp_model_its_quality(binary, tmp_path):
    random = np.random.default_rng(8)
    values_ = random.normal(size=2000)
    data = write_csv(tmp_path / "rows.csv", values_[:, None], values_)
    found = evaluate(binary, identity(tmp_path / "m.json"), data, "--label", "label")
    # The model copies its column: what noise adds is all its error, 1 % of the column's deviation.
    assert found["disturbed"]["noise_1_percent"]["rmse"] == pytest.approx(0.01 * values_.std(), rel=0.05)
    # And it has no way to deal with a missing value.
    assert re.search(r'rows.csv: line \d+, column "f0": is missing', found["disturbed"]["missing_5_percent"]["refused"])


def test_one_class_alone_has_no_auc_and_says_so(binary, tmp_path):
    data = write_csv(tmp_path / "rows.csv", np.array([[1.0], [-1.0], [2.0]]), [1, 1, 1])
    model = identity(tmp_path / "m.json", "logistic")
    found = evaluate(binary, model, data, "--label", "label", "--gate", "auc>=0.5", code=1)
    assert found["metrics"]["auc"] == {"value": None, "undefined": "none of the labels is not positive"}
    assert found["metrics"]["accuracy"]["value"] == pytest.approx(2 / 3)
    assert found["gates"][0]["miss"] == "auc is undefined: none of the labels is not positive"


def test_names_of_classes_and_the_positive_one(binary, tmp_path):
    score = np.array([2.0, 1.0, -1.0, -2.0, 0.5, -0.5])
    truth = ["good", "bad", "bad", "bad", "good", "good"]
    data = write_csv(tmp_path / "rows.csv", score[:, None], truth)
    model = identity(tmp_path / "m.json", "logistic", classes=["bad", "good"])
    decided = np.where(score > 0, "good", "bad")
    scores = expit(score).astype(np.float32).astype(float)
    for positive, of in (("good", scores), ("bad", 1 - scores)):
        found = evaluate(binary, model, data, "--label", "label", "--positive", positive)
        same(values(found), classification(truth, of, decided, positive))
    done = command(binary, "evaluate", str(model), str(data), "--label", "label", "--positive", "ugly", code=1)
    assert '"ugly" is neither "bad" nor "good"' in done.stderr


def test_a_threshold_moves_decisions_only(binary, tmp_path):
    score = np.linspace(-3, 3, 61)
    truth = (score + np.sin(7 * score) > 0).astype(int)
    data = write_csv(tmp_path / "rows.csv", score[:, None], truth)
    model = identity(tmp_path / "m.json", "logistic")
    found = evaluate(binary, model, data, "--label", "label", "--threshold", "0.8")
    same(values(found), classification(truth, expit(score).astype(np.float32).astype(float), expit(score) >= 0.8))


# Bad input


@pytest.mark.parametrize("text, words", [
    ("", "rows.csv is empty"), ("a,label\n", "rows.csv has a header and no rows"),
    ("a,b\n1,2\n", 'rows.csv: line 1: there is no label column "label"; the columns are a, b'),
    ("a,label,label\n1,1,1\n", 'rows.csv: line 1: two columns are named "label"'),
    ("a,label\n1,1\n2\n", "rows.csv: line 3: expected 2 columns, got 1"),
    ("a,label\n1,0\n2,\n", 'rows.csv: line 3: column "label" is empty'),
    ("a,label\n1,0\n\n2,maybe\n", 'rows.csv: line 4: column "label": "maybe" is none of the model\'s classes "0" and "1"'),
    ('a,label\n"1,0\n', "rows.csv: line 2: a quote is not closed"),
    ("a,label\n1,0\nx,1\n", "rows.csv: line 3"), ("a,b,label\n1,2,0\n", "rows.csv: line 1: expected 1 columns, got 2"),
])
def test_bad_data_is_named_by_file_line_and_column(binary, tmp_path, text, words):
    (tmp_path / "rows.csv").write_text(text)
    model = identity(tmp_path / "m.json", "logistic")
    done = command(binary, "evaluate", str(model), str(tmp_path / "rows.csv"), "--label", "label", code=1)
    assert words in done.stderr and done.stderr.count("\n") == 1, done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("arguments, words", [
    (["m.json", "rows.csv"], "--label COLUMN is missing"), (["rows.csv", "--label", "y"], "TARGET… DATA.csv is missing"),
    (["m.json", "rows.csv", "--label", "y", "--gate", "gini>=1"], 'unknown metric "gini"; known are accuracy, '),
    (["m.json", "rows.csv", "--label", "y", "--gate", "auc"], "expected METRIC>=NUMBER"),
    (["m.json", "rows.csv", "--label", "y", "--task", "magic"], "--task must be binary, multiclass"),
])
def test_wrong_usage(binary, arguments, words):
    assert words in command(binary, "evaluate", *arguments, code=2).stderr


def test_gates_decide_the_exit_code(binary, root, tmp_path):
    data = load_breast_cancer()
    names = xgboost.Booster(model_file=model_file(root, "cancer")).feature_names
    file = write_csv(tmp_path / "rows.csv", data.data, data.target, names)
    arguments = ["evaluate", str(model_file(root, "cancer")), str(file), "--label", "label"]
    done = command(binary, *arguments, "--gate", "auc>=0.9", "--gate", "log_loss<0.5")
    assert "auc>=0.9: met" in done.stdout and "confusion matrix" in done.stdout and "95 % intervals" in done.stdout
    done = command(binary, *arguments, "--gate", "auc>=0.9", "--gate", "accuracy>=1.5", code=1)
    assert re.search(r"misses accuracy>=1.5: accuracy 0\.\d+ < 1.5\n$", done.stderr)
    done = command(binary, *arguments, "--gate", "rmse<=3", code=1)
    assert "rmse is undefined: a binary model has accuracy, " in done.stderr


# Through a host


@pytest.fixture(scope="module")
def scorers(host, tmp_path_factory):
    """scorer@1 answers with its column's logistic; scorer@2 with that of its negative."""
    folder = tmp_path_factory.mktemp("scorers")
    for version, sign in ((1, 1.0), (2, -1.0)):
        model = json.loads(identity(folder / "m.json", "logistic").read_text()) | {"coefficients": [[sign]]}
        (folder / "m.json").write_text(json.dumps(model))
        host.drop_and_wait(folder / "m.json", f"scorer@{version}.json", f"scorer@{version}")
    return host


def test_versions_stand_beside_each_other(scorers, tmp_path):
    random = np.random.default_rng(11)
    score = random.normal(size=700)
    truth = (random.random(700) < expit(2 * score)).astype(int)
    file = write_csv(tmp_path / "rows.csv", score[:, None], truth)
    done = scorers.run("evaluate", "scorer@1", "scorer", file, "--label", "label", "--json")
    first, second = json.loads(done.stdout)["models"]
    assert (first["target"], second["target"]) == ("scorer@1", "scorer@2")
    for model, sign in ((first, 1), (second, -1)):
        scores = expit(sign * score).astype(np.float32).astype(float)
        same(values(model), classification(truth, scores, (sign * score > 0).astype(int)))
    assert first["size"] > 100
    assert "scorer@9" in scorers.run("evaluate", "scorer@9", file, "--label", "label", code=1).stderr


def test_a_diff_shows_what_changed(scorers, binary, root, tmp_path):
    score = np.array([[0.1], [-0.2], [3.0], [0.0]])
    (tmp_path / "rows.csv").write_text("".join(f"{v}\n" for v in score[:, 0]))
    done = scorers.run("diff", "scorer@1", "scorer@2", tmp_path / "rows.csv", "--json")
    diff = json.loads(done.stdout)
    assert diff["signature"] == {"same": True, "compatible": True, "difference": None}
    assert diff["rows"] == 4 and diff["agreement"]["flips"] == 3 and diff["agreement"]["equal"] == 1
    top = diff["most_changed"][0]
    assert top["row"] == 3 and top["input"] == "3.0" and top["labels"] == ["1", "0"]
    assert top["difference"] == pytest.approx(expit(3) - expit(-3), rel=1e-6)
    assert diff["agreement"]["max_difference"] == top["difference"]
    file = write_csv(tmp_path / "labelled.csv", score, [0, 1, 0, 1])
    labelled = scorers.run("diff", "scorer@1", "scorer@2", file, "--label", "label", "--json")
    assert json.loads(labelled.stdout)["agreement"] == diff["agreement"]
    text = command(binary, "diff", str(model_file(root, "cancer")), str(model_file(root, "cancer"))).stdout
    assert "signature  the same" in text and "512 of 512 rows answered exactly alike, 0 other labels (0 %)" in text
    text = command(binary, "diff", str(model_file(root, "cancer")), str(model_file(root, "digits")), code=1).stderr
    assert "digits" in text
