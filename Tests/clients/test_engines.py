"""The engines behind the plugin ABI against the libraries that trained the models, on whole data sets."""

import json
import subprocess

import numpy as np
import plugin_abi as abi
import pytest
import xgboost
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits, load_iris
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.preprocessing import StandardScaler

EXTENSIONS = ["json", "ubj"]


def with_missing(features, seed, share=0.15):
    features = features.astype(np.float32)
    features[np.random.default_rng(seed).random(features.shape) < share] = np.nan
    return features


def saved(model, path, **options):
    model.save_model(path)
    return path.read_bytes()


def bits(array):
    return np.ascontiguousarray(array, dtype=np.float32).view(np.int32)


def same(found, expected):
    """Bit for bit, but for the last bits of the exponential function, which is the C library's."""
    found, expected = np.asarray(found), np.asarray(expected, dtype=np.float32)
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-37)


@pytest.fixture
def trees(runtimes):
    return lambda data: abi.Model(runtimes / "libtrees.so", data)


@pytest.fixture
def linear(runtimes):
    return lambda document: abi.Model(runtimes / "liblinear.so", json.dumps(document).encode())


BINARY = [
    {"n_estimators": 200, "max_depth": 6, "random_state": 1},
    {"n_estimators": 37, "max_depth": 3, "base_score": 0.11, "random_state": 2, "subsample": 0.7},
    {"n_estimators": 10, "num_parallel_tree": 5, "subsample": 0.5, "colsample_bynode": 0.4, "random_state": 3},
    {"n_estimators": 30, "max_depth": 0, "grow_policy": "lossguide", "max_leaves": 40, "random_state": 4},
    {"n_estimators": 25, "tree_method": "exact", "max_depth": 12, "random_state": 5},
    {"n_estimators": 1, "max_depth": 1, "random_state": 6},
    {"n_estimators": 20, "scale_pos_weight": 3.0, "gamma": 2.0, "reg_alpha": 1.0, "random_state": 7},
]


@pytest.mark.parametrize("extension", EXTENSIONS)
@pytest.mark.parametrize("options", BINARY, ids=lambda o: f"seed{o['random_state']}")
def test_binary_logistic_equals_xgboost(trees, tmp_path, options, extension):
    data = load_breast_cancer()
    features = with_missing(data.data, options["random_state"])
    model = xgboost.XGBClassifier(**options).fit(features, data.target)
    loaded = trees(saved(model, tmp_path / f"m.{extension}"))
    outputs = loaded.predict(features)
    same(outputs["predictions"], model.predict_proba(features)[:, 1])
    assert (outputs["label"] == model.predict(features)).all()
    assert loaded.columns == [f"f{i}" for i in range(30)]


@pytest.mark.parametrize("options", BINARY, ids=lambda o: f"seed{o['random_state']}")
def test_logistic_margins_are_equal_bit_for_bit(trees, tmp_path, options):
    data = load_breast_cancer()
    features = with_missing(data.data, options["random_state"])
    model = xgboost.XGBClassifier(**options).fit(features, data.target)
    document = json.loads(saved(model, tmp_path / "m.json"))
    # The same trees as a regression, from the same base margin, answer with margins.
    score = np.float32(json.loads(document["learner"]["learner_model_param"]["base_score"])[0])
    base = -np.log(np.float32(1) / score - np.float32(1))
    document["learner"]["objective"]["name"] = "reg:squarederror"
    document["learner"]["learner_model_param"]["base_score"] = f"[{base}]"
    margins = trees(json.dumps(document).encode()).predict(features)["predictions"]
    expected = model.predict(features, output_margin=True)
    if "base_score" in options:
        assert (bits(margins) == bits(expected)).all()
    # numpy's logarithm of a fitted base score may differ from the C library's in its last bit.
    np.testing.assert_allclose(margins, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("extension", EXTENSIONS)
@pytest.mark.parametrize("options", [
    {"n_estimators": 150, "max_depth": 4, "random_state": 1},
    {"n_estimators": 40, "base_score": 1234.5, "random_state": 2},
    {"n_estimators": 8, "num_parallel_tree": 9, "subsample": 0.4, "random_state": 3},
    {"n_estimators": 9, "max_depth": 15, "min_child_weight": 0, "tree_method": "exact", "random_state": 4},
    {"n_estimators": 64, "learning_rate": 1.0, "random_state": 5, "base_score": -3.25},
], ids=lambda o: f"seed{o['random_state']}")
def test_regression_equals_xgboost_bit_for_bit(trees, tmp_path, options, extension):
    data = load_diabetes(scaled=False)
    features = with_missing(data.data, options["random_state"])
    model = xgboost.XGBRegressor(objective="reg:squarederror", **options).fit(features, data.target)
    predictions = trees(saved(model, tmp_path / f"m.{extension}")).predict(features)["predictions"]
    assert (bits(predictions) == bits(model.predict(features))).all()


@pytest.mark.parametrize("extension", EXTENSIONS)
@pytest.mark.parametrize("load,options", [
    (load_digits, {"n_estimators": 20, "max_depth": 4, "random_state": 1}),
    (load_digits, {"n_estimators": 3, "num_parallel_tree": 3, "subsample": 0.5, "random_state": 2}),
    (load_iris, {"n_estimators": 60, "random_state": 3, "base_score": 0.3}),
], ids=["digits", "digits-forest", "iris"])
def test_softprob_equals_xgboost(trees, tmp_path, load, options, extension):
    data = load()
    features = with_missing(data.data, options["random_state"])
    model = xgboost.XGBClassifier(objective="multi:softprob", **options).fit(features, data.target)
    outputs = trees(saved(model, tmp_path / f"m.{extension}")).predict(features)
    same(outputs["predictions"], model.predict_proba(features))
    assert (outputs["label"] == model.predict(features)).all()


@pytest.mark.parametrize("objective", ["binary:logistic", "multi:softprob"])
def test_early_stopping_is_answered_as_by_the_saver(trees, tmp_path, objective):
    data = load_breast_cancer() if objective.startswith("binary") else load_digits()
    features, target = with_missing(data.data, 8), data.target
    half = len(features) // 2
    model = xgboost.XGBClassifier(
        objective=objective, n_estimators=300, learning_rate=0.5, max_depth=3, early_stopping_rounds=5)
    model.fit(features[:half], target[:half], eval_set=[(features[half:], target[half:])], verbose=False)
    assert model.best_iteration + 1 < model.get_booster().num_boosted_rounds()
    expected = model.predict_proba(features)
    expected = expected[:, 1] if objective.startswith("binary") else expected
    same(trees(saved(model, tmp_path / "estimator.ubj")).predict(features)["predictions"], expected)
    # A Booster's own predict uses every tree, and so do we with the file that it saves.
    booster = model.get_booster()
    expected = booster.predict(xgboost.DMatrix(features))
    same(trees(saved(booster, tmp_path / "booster.ubj")).predict(features)["predictions"], expected)


def test_feature_names_become_columns(trees, tmp_path):
    data = load_diabetes()
    booster = xgboost.train({}, xgboost.DMatrix(data.data, data.target, feature_names=data.feature_names), 3)
    assert trees(saved(booster, tmp_path / "m.json")).columns == data.feature_names


def test_infinite_values_are_answered_as_by_xgboost(trees, tmp_path):
    data = load_breast_cancer()
    features = with_missing(data.data, 9)
    model = xgboost.XGBClassifier(n_estimators=50).fit(features, data.target)
    dice = np.random.default_rng(10).random(features.shape)
    features[dice < 0.05], features[dice > 0.95] = np.inf, -np.inf
    same(trees(saved(model, tmp_path / "m.ubj")).predict(features)["predictions"], model.predict_proba(features)[:, 1])


def test_a_row_answers_the_same_in_any_company(trees, root):
    model = trees((root / "functions/cancer/cancer.ubj").read_bytes())
    features = with_missing(load_breast_cancer().data, 11)
    together = bits(model.predict(features)["predictions"])
    for size in (1, 7, 64):
        parts = [model.predict(features[i : i + size])["predictions"] for i in range(0, len(features), size)]
        assert (bits(np.concatenate(parts)) == together).all()


@pytest.mark.parametrize("parameters,remedy", [
    ({"booster": "dart"}, "booster"),
    ({"booster": "gblinear"}, "booster"),
    ({"objective": "reg:absoluteerror"}, "objective"),
    ({"objective": "count:poisson"}, "objective"),
    ({"objective": "rank:pairwise"}, "objective"),
])
@pytest.mark.parametrize("extension", EXTENSIONS)
def test_what_is_not_supported_is_an_error(trees, tmp_path, parameters, remedy, extension):
    data = load_diabetes()
    booster = xgboost.train(parameters, xgboost.DMatrix(data.data, data.target), 3)
    with pytest.raises(abi.Refused, match=remedy) as refused:
        trees(saved(booster, tmp_path / f"m.{extension}"))
    assert refused.value.status == abi.ERROR


def test_categories_and_vector_leaves_are_errors(trees, tmp_path):
    generator = np.random.default_rng(12)
    features = generator.integers(0, 5, size=(200, 2)).astype(np.float32)
    target = (features[:, 0] == 2).astype(np.float32)
    data = xgboost.DMatrix(features, target, feature_types=["c", "float"], enable_categorical=True)
    with pytest.raises(abi.Refused, match="categorical"):
        trees(saved(xgboost.train({}, data, 2), tmp_path / "categories.ubj"))
    targets = np.stack([target, 1 - target], axis=1)
    for strategy in ("one_output_per_tree", "multi_output_tree"):
        booster = xgboost.train({"multi_strategy": strategy}, xgboost.DMatrix(features, targets), 2)
        with pytest.raises(abi.Refused, match="targets|vector leaves"):
            trees(saved(booster, tmp_path / f"{strategy}.ubj"))


@pytest.mark.parametrize("name,library", [
    ("cancer/cancer.ubj", "trees"), ("diabetes/diabetes.ubj", "trees"), ("digits/digits.ubj", "trees"),
    ("iris/iris.json", "linear"),
])
def test_golden_examples_hold(runtimes, root, name, library):
    file = root / "functions" / name
    model = abi.Model(runtimes / f"lib{library}.so", file.read_bytes())
    lines = (file.parent / "examples.jsonl").read_text().splitlines()
    assert len(lines) >= 5
    for line in lines:
        example = json.loads(line)
        outputs = model.predict(np.array(example["inputs"], dtype=np.float32))
        assert set(outputs) == set(example["outputs"])
        for key, expected in example["outputs"].items():
            if isinstance(outputs[key], list):
                assert outputs[key] == expected
            else:
                np.testing.assert_allclose(outputs[key], expected, rtol=example["tolerance"])


def exported(kind, regression, scaler, **more):
    coefficients = np.atleast_2d(regression.coef_)
    return {
        "format": "roost-linear", "version": 1, "model": kind, "mean": scaler.mean_.tolist(),
        "scale": scaler.scale_.tolist(), "coefficients": coefficients.tolist(),
        "intercepts": np.atleast_1d(regression.intercept_).tolist(), **more}


def test_linear_regression_equals_scikit_learn(linear):
    data = load_diabetes(scaled=False)
    features = data.data.astype(np.float32).astype(np.float64)
    scaler = StandardScaler().fit(features)
    model = LinearRegression().fit(scaler.transform(features), data.target)
    loaded = linear(exported("linear", model, scaler, features=data.feature_names))
    outputs = loaded.predict(features.astype(np.float32))
    np.testing.assert_allclose(outputs["predictions"], model.predict(scaler.transform(features)), rtol=1e-6)
    assert list(outputs) == ["predictions"] and loaded.columns == data.feature_names


@pytest.mark.parametrize("load,kind", [(load_breast_cancer, "logistic"), (load_digits, "softmax")])
@pytest.mark.parametrize("named", [False, True])
def test_classification_equals_scikit_learn(linear, load, kind, named):
    data = load()
    features = data.data.astype(np.float32).astype(np.float64)
    scaler = StandardScaler().fit(features)
    model = LogisticRegression(max_iter=2000).fit(scaler.transform(features), data.target)
    names = [str(name) for name in data.target_names]
    more = {"classes": names} if named else {}
    outputs = linear(exported(kind, model, scaler, **more)).predict(features.astype(np.float32))
    expected = model.predict_proba(scaler.transform(features))
    expected = expected[:, 1] if kind == "logistic" else expected
    np.testing.assert_allclose(outputs["predictions"], expected, rtol=1e-6, atol=1e-30)
    labels = model.predict(scaler.transform(features))
    assert list(outputs["label"]) == ([names[i] for i in labels] if named else list(labels))


def test_imputation_stands_in_for_missing_values(linear):
    model = linear({
        "format": "roost-linear", "version": 1, "model": "linear", "coefficients": [[2, 3]], "intercepts": [1],
        "impute": [10, 20]})
    features = np.array([[1, 1], [np.nan, 1], [1, np.nan]], dtype=np.float32)
    assert model.predict(features)["predictions"].tolist() == [6, 24, 63]


def test_runtimes_leave_each_others_files_alone(runtimes, root):
    for library, file in (("trees", "iris/iris.json"), ("linear", "cancer/cancer.ubj")):
        with pytest.raises(abi.Refused) as refused:
            abi.Model(runtimes / f"lib{library}.so", (root / "functions" / file).read_bytes())
        assert refused.value.status == abi.NOT_MY_FORMAT


# "ROOSTABI", ABI 1, 24 bytes, ROOST_FORK_SAFE.
RECORD = b"ROOSTABI" + (1).to_bytes(4, "little") + (24).to_bytes(4, "little") + (1).to_bytes(8, "little")


def record(file):
    """What the host reads without running the plugin."""
    sections = subprocess.run(["readelf", "-SW", file], check=True, capture_output=True, text=True).stdout
    offset, size = next(line.split("PROGBITS")[1].split()[1:3] for line in sections.splitlines() if ".roost.abi" in line)
    return file.read_bytes()[int(offset, 16) : int(offset, 16) + int(size, 16)]


@pytest.mark.parametrize("library", ["trees", "linear"])
def test_plugins_export_one_symbol_and_carry_the_record(runtimes, library):
    file = runtimes / f"lib{library}.so"
    table = subprocess.run(
        ["nm", "-D", "--defined-only", "--extern-only", file], check=True, capture_output=True, text=True).stdout
    assert [line.split()[-1] for line in table.splitlines()] == ["roost_plugin_entry"]
    assert record(file) == RECORD
    needed = subprocess.run(["readelf", "-d", file], check=True, capture_output=True, text=True).stdout
    assert "Foundation" not in needed and "dispatch" not in needed


def test_a_plugin_in_plain_c(root, tmp_path):
    library = tmp_path / "c_sum.so"
    subprocess.run(
        ["cc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-pedantic", "-shared", "-fPIC", "-fvisibility=hidden",
         f"-I{root}/Sources/RoostABI/include", "-o", library, root / "Tests/fixtures/plugins/c_sum.c"], check=True)
    model = abi.Model(library, b"sum 2.5")
    assert (model.plugin.name, model.log) == (b"c_sum", [(1, "loaded")])
    outputs = model.predict(np.array([[1, 2, 3], [-1, 0, 0]], dtype=np.float32))
    assert outputs["predictions"].tolist() == [15, -2.5] and model.failed_rows == {1: "negative"}
    with pytest.raises(abi.Refused, match="begins with other words") as refused:
        abi.Model(library, b"{}")
    assert refused.value.status == abi.NOT_MY_FORMAT


def test_new_plugin_makes_a_package_that_builds(root, tmp_path):
    made = subprocess.run([root / "scripts/new-plugin", "mean-of_two", tmp_path / "package"], check=True,
                          capture_output=True, text=True).stdout
    assert "HOME/plugins/mean-of_two@1.so" in made
    built = subprocess.run(["swift", "build", "-c", "release"], cwd=tmp_path / "package", capture_output=True, text=True)
    assert built.returncode == 0, built.stdout + built.stderr
    library = tmp_path / "package/.build/release/libmean-of_two.so"
    model = abi.Model(library)
    assert model.plugin.name == b"mean-of_two" and model.columns == ["a", "b"]
    assert model.predict(np.array([[1, 2], [3, 5]], dtype=np.float32))["predictions"].tolist() == [1.5, 4]
    table = subprocess.run(
        ["nm", "-D", "--defined-only", "--extern-only", library], check=True, capture_output=True, text=True).stdout
    assert [line.split()[-1] for line in table.splitlines()] == ["roost_plugin_entry"]
    assert record(library) == RECORD
    with (tmp_path / "package/Sources/mean-of_two/MeanOfTwoModel.swift").open("a") as source:
        source.write('@section(".roost.abi") @used let needsThreads: PluginRecord = (0x4942_4154_534F_4F52, 1, 24, 2)\n')
    built = subprocess.run(["swift", "build", "-c", "release"], cwd=tmp_path / "package", capture_output=True, text=True)
    assert built.returncode == 0, built.stdout + built.stderr
    threads = RECORD[:16] + (2).to_bytes(8, "little")
    assert record(library) in (RECORD + threads, threads + RECORD)


@pytest.mark.parametrize("name", ["", "9lives", "a b", "../x", "trees", "RoostPlugin"])
def test_new_plugin_refuses_bad_names(root, tmp_path, name):
    result = subprocess.run([root / "scripts/new-plugin", name, tmp_path / "p"], capture_output=True, text=True)
    assert result.returncode == 2 and result.stderr.startswith("new-plugin: ")
    assert not (tmp_path / "p").exists()
