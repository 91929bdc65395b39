"""Every way of handing rows in: arrays, objects, one row, CSV; small, wrong, and very large."""

import json
import re
import subprocess

import numpy as np
import pytest

LINEAR = {
    "format": "roost-linear", "version": 1, "model": "linear", "features": ["age", "income"],
    "coefficients": [[2, 3]], "intercepts": [1]}
PLUS = "/functions/plus/predict"


@pytest.fixture(scope="module")
def served(host, root, tmp_path_factory):
    """plus (2 age + 3 income + 1, missing refused), filled (the same with 10 and 20 for what is missing), unnamed
    (columns f0 and f1), iris and diabetes."""
    folder = tmp_path_factory.mktemp("models")
    unnamed = {key: value for key, value in LINEAR.items() if key != "features"}
    models = {"plus": LINEAR, "filled": LINEAR | {"impute": [10, 20]}, "unnamed": unnamed}
    for name, model in models.items():
        (folder / name).write_text(json.dumps(model))
        host.drop(folder / name, f"{name}.json")
    host.drop(root / "functions/iris/iris.json", "iris.json")
    host.drop(root / "functions/diabetes/diabetes.ubj", "diabetes.ubj")
    for name in (*models, "iris", "diabetes"):
        host.wait_for(f"^{name} traffic 1=100")
    return host


def csv(served, text, status=200, path=PLUS, **headers):
    reply = served.post(path, text, content_type="text/csv", **headers)
    assert reply.status == status, reply
    return reply.json["predictions"] if status == 200 else reply.error


@pytest.mark.parametrize("body,expected", [
    ([[2, 3], [0, 0]], [14, 1]), ([2, 3], [14]), ({"age": 2, "income": 3}, [14]),
    ([{"income": 3, "age": 2}, {"age": 0, "income": 0}], [14, 1]), ([[2, 3], {"income": 0, "age": 0}], [14, 1]),
    ([[2.5e0, -3E-1]], [5.1]), ([[1e-300, 123456789012345678901234567890e-29]], [1 + 3 * 1.2345679])])
def test_rows_in_every_form(served, body, expected):
    answer = served.ask(PLUS, body)
    assert list(answer) == ["predictions", "version"] and answer["version"] == "1"
    np.testing.assert_allclose(answer["predictions"], expected, rtol=1e-6)


def test_other_outputs_stand_beside_predictions(served):
    answer = served.ask("/functions/iris/predict", [[5.1, 3.5, 1.4, 0.2], [6.2, 2.8, 4.8, 1.8]])
    assert list(answer) == ["predictions", "label", "version"]
    assert np.shape(answer["predictions"]) == (2, 3) and answer["label"] == ["setosa", "virginica"]
    named = {"sepal length": 5.1, "sepal width": 3.5, "petal length": 1.4, "petal width": 0.2}
    assert served.ask("/functions/iris/predict", named)["predictions"] == answer["predictions"][:1]


@pytest.mark.parametrize("kind", [None, "application/json", "application/json; charset=utf-8", "text/plain",
                                  "application/x-www-form-urlencoded", "Application/JSON"])
def test_any_other_media_type_is_read_as_json(served, kind):
    headers = {"Content-Type": kind} if kind else {}
    assert served.request("POST", PLUS, "[[2, 3]]", headers=headers).json["predictions"] == [14]


def test_the_curl_line_of_the_readme(served):
    done = subprocess.run(
        ["curl", "-s", f"{served.url}{PLUS}", "-d", "[[2, 3]]"], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == {"predictions": [14], "version": "1"}


def test_missing_numbers(served):
    for row in ("[NaN, 3]", "[null, 3]", '{"age": null, "income": 3}'):
        assert served.ask("/functions/filled/predict", f"[{row}]")["predictions"] == [30]
        error = served.refused(PLUS, f"[[1, 2], {row}]", 400)
        assert error == 'row 2, column "age": is missing, and this column must not be'
    assert csv(served, "age,income\n,3\nNaN,3\nnan,3\n", path="/functions/filled/predict") == [30, 30, 30]
    assert 'line 3, column "age": is missing' in csv(served, "age,income\n1,2\n,3\n", 400)
    for token, value in (("Infinity", None), ("-Infinity", None)):
        assert served.ask(PLUS, f"[[{token}, 3]]")["predictions"] == [value]


@pytest.mark.parametrize("body,words", [
    ("", ["empty"]), ("[]", ["no rows"]), ("7", ["rows", "7"]), ("[[1, 2]", ["not JSON at byte"]),
    ("[[1, 2]]]", ["not JSON at byte 8"]), ("[[1, 02]]", ["not JSON|number"]), ("[[1 2]]", ["not JSON at byte"]),
    ([[1, 2], [3]], ["row 2", "expected 2 values", "got 1"]), ([[1, 2, 3]], ["row 1", "expected 2", "got 3"]),
    ([[1, 2], [3, "x"]], ["row 2", '"income"', "number", '"x"']), ([[1, True]], ["row 1", '"income"', "true"]),
    ([[1, [2]]], ["row 1", '"income"', "array"]), ([[1e39, 0]], ["row 1", '"age"', "out of range", "FP32"]),
    ([{"age": 1}], ["row 1", '"income"', "absent"]), ([{"age": 1, "income": 2, "x": 3}], ["row 1", '"x"', "unknown"]),
    ('[{"age": 1, "age": 2, "income": 3}]', ["row 1", '"age"', "twice"]), ([{"age": "41", "income": 2}], ['"41"']),
    ([[1, 2], 7], ["row 2", "7"]), ('{"inputs": []}', ["inputs"]), (b"[[1, \xff]]", ["not JSON|got"]),
    ("\ufeff[[1, 2]]", ["JSON|rows"])])
def test_wrong_rows_say_which_column_and_what_came(served, body, words):
    error = served.refused(PLUS, body.encode() if isinstance(body, str) else body, 400)
    assert all(re.search(word, error) for word in words), error


def test_csv_with_and_without_a_header(served):
    assert csv(served, "age,income\n2,3\n0,0\n") == [14, 1]
    assert csv(served, "income,age\n3,2\n0,0") == [14, 1]
    assert csv(served, "2,3\r\n0,0\r\n") == [14, 1]
    assert csv(served, '\ufeff"age","income"\n\n"2", 3.0e0\n\n'.encode()) == [14]
    assert csv(served, "id,age,income\nfirst,2,3\n") == [14]
    assert csv(served, "a,b\n2,3\n", path="/functions/unnamed/predict") == [14]
    assert csv(served, "f1,f0\n3,2\n", path="/functions/unnamed/predict") == [14]
    assert csv(served, "2,3\n", path="/functions/unnamed/predict") == [14]


@pytest.mark.parametrize("text,words", [
    ("", ["empty|no rows"]), ("age,income\n", ["no rows"]), ("1,2,3\n", ["line 1", "expected 2 columns", "got 3"]),
    ("age,income\n1\n", ["line 2", "expected 2 columns", "got 1"]), ("age\n1\n", ["line 1", '"income"', "absent"]),
    ("age,income,x\n1,2,3\n", ["line 1", '"x"', "unknown"]), ("age,age\n1,2\n", ["line 1", '"age"', "twice"]),
    ("age,income\n1,2\n3,x\n", ["line 3", '"income"', "number", '"x"']), ('1,"2\n', ["line 1", "quote"]),
    ("1,1e39\n", ["line 1", '"income"', "out of range"]), ("1;2\n", ["line 1", "unknown column \"1;2\""]),
    (b"1,\xff\n", ["line 1"])])
def test_wrong_csv_names_its_line(served, text, words):
    error = csv(served, text, 400)
    assert all(re.search(word, error) for word in words), error


def test_answers_as_csv(served):
    reply = served.post("/functions/iris/predict", "5.1,3.5,1.4,0.2\n", content_type="text/csv", accept="text/csv")
    assert reply.status == 200 and reply.headers["Content-Type"].startswith("text/csv")
    header, line = reply.body.decode().splitlines()
    assert header == "predictions_0,predictions_1,predictions_2,label" and line.endswith(",setosa")
    expected = served.ask("/functions/iris/predict", [[5.1, 3.5, 1.4, 0.2]])["predictions"][0]
    assert [np.float32(value) for value in line.split(",")[:3]] == [np.float32(value) for value in expected]
    # Rows as JSON may be answered as CSV too; without asking, the answer to CSV is JSON.
    reply = served.post(PLUS, [[2, 3]], accept="text/csv")
    assert reply.body == b"predictions\n14.0\n"
    for accept in ("application/json", "*/*", "text/html, */*"):
        assert csv(served, "2,3\n", accept=accept) == [14]
    error = served.post(PLUS, "x,y,z\n", content_type="text/csv", accept="text/csv")
    assert error.status == 400 and error.error


def test_a_batch_of_every_size_is_answered_row_by_row(served):
    generator = np.random.default_rng(1)
    rows = generator.integers(-1000, 1000, size=(3000, 2)).astype(float)
    expected = (rows @ [2, 3] + 1).tolist()
    for size in (1, 2, 63, 64, 65, 1000, 3000):
        assert served.ask(PLUS, rows[:size].tolist())["predictions"] == expected[:size]


def test_a_plugin_that_takes_whole_bodies(served, compiled):
    served.drop_and_wait(compiled("raw"), "raw.so", "raw@1")
    for kind, body in (("application/json", "{"), ("text/csv", "a,b"), ("image/png", "x" * 2000), ("text/plain", "")):
        reply = served.post("/functions/raw/predict", body, content_type=kind)
        assert (reply.status, reply.headers["Content-Type"]) == (200, "application/x-echo")
        assert reply.body.decode() == f"{kind}|{body}" and reply.headers["Roost-Version"] == "1"
    assert served.refused("/functions/raw/predict", "x" * 3000, 400) == "that is too long"
    assert "predict" in served.refused("/v2/models/raw/infer", {"inputs": []}, 400)
    assert served.get("/v2/models/raw").json["inputs"] == []


def test_a_table_with_words(served, compiled):
    served.drop_and_wait(compiled("table"), "table.so", "table@1")
    path = "/functions/table/predict"
    expected = [21.5, 0.25]
    for body in ([["light blue", 1.5], ["red", 0.25]],
                 [{"size": 1.5, "color": "light blue"}, {"color": "red", "size": 0.25}]):
        assert served.ask(path, body)["predictions"] == expected
    for text in ("light blue,1.5\nred,0.25\n", 'size,color\n1.5,"light blue"\n0.25,red\n'):
        assert csv(served, text, path=path) == expected
    columns = [{"name": "color", "datatype": "BYTES", "shape": [2], "data": ["light blue", "red"]},
               {"name": "size", "datatype": "FP32", "shape": [2], "data": [1.5, 0.25]}]
    answer = served.ask("/v2/models/table/infer", {"inputs": columns})["outputs"][0]
    assert (answer["name"], answer["data"]) == ("answer", expected)
    assert served.ask(path, [[None, 1]])["predictions"] == [None]
    for body, words in [
        ([["blue", 1]], ['"blue"', '"red"', '"light blue"', '"color"']), ([["red", None]], ['"size"', "missing"]),
        ([["red", "x"]], ['"size"', '"x"']), ([[True, 1]], ['"color"', "true"])
    ]:
        error = served.refused(path, body, 400)
        assert all(word in error for word in ["row 1", *words]), error
    assert 'line 2, column "size"' in csv(served, "color,size\nred,\n", 400, path=path)


# A body beyond the ring travels as memory of its own, and so does a large reply.


def large(rows, columns):
    print("seed 7")
    return np.random.default_rng(7).normal(size=(rows, columns)).astype(np.float32)


def test_twenty_megabytes_of_rows(served):
    features = large(190_000, 10)
    body = json.dumps(features.astype(float).tolist())
    assert len(body) > 20 << 20
    found = served.ask("/functions/diabetes/predict", body)["predictions"]
    assert len(found) == len(features)
    for start in (0, 99_990, 189_990):
        part = features[start : start + 10].astype(float).tolist()
        assert served.ask("/functions/diabetes/predict", part)["predictions"] == found[start : start + 10]
    text = "\n".join(",".join(map(repr, row)) for row in features.astype(float).tolist())
    assert csv(served, text, path="/functions/diabetes/predict") == found


@pytest.mark.parametrize("rows", [100, 400, 2_000, 20_000, 60_000])
def test_large_tensors_and_large_replies(served, rows):
    features = np.abs(large(rows, 4))
    tensor = {"name": "features", "shape": [rows, 4], "datatype": "FP32", "data": features.astype(float).ravel().tolist()}
    reply = served.post("/v2/models/iris/infer", {"inputs": [tensor]})
    assert reply.status == 200, reply
    predictions, label = reply.json["outputs"]
    assert predictions["shape"] == [rows, 3] and label["shape"] == [rows]
    found = np.array(predictions["data"]).reshape(rows, 3)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-5)
    names = np.array(["setosa", "versicolor", "virginica"])
    assert (names[found.argmax(axis=1)] == label["data"]).all()
    last = served.ask("/functions/iris/predict", features[-1:].astype(float).tolist())
    assert last["predictions"][0] == predictions["data"][-3:]


def test_an_error_in_the_last_row_of_a_large_body_is_found(served):
    rows = [[1, 2]] * 500_000 + [[1, "x"]]
    error = served.refused(PLUS, json.dumps(rows), 400)
    assert "row 500001" in error and '"income"' in error


def test_large_bodies_leave_nothing_behind(served):
    version = served.versions("diabetes")["1"]
    assert version["queue"] == 0 and version["requests"]["death"] == 0
    assert all(instance["outstanding"] == 0 for instance in version["instances"])
