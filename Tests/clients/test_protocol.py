"""The Open Inference Protocol v2 and rows, on a running host."""

import json
import re
import socket

import numpy as np
import pytest
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

def features(data, shape=None, **more):
    shape = shape or [len(data), len(data[0])]
    return {"inputs": [{"name": "features", "shape": shape, "datatype": "FP32", "data": data}], **more}


def data(answer, output=0):
    return answer["outputs"][output]["data"]


# The client that people have.


@pytest.fixture(scope="module")
def client(served):
    client = triton.InferenceServerClient(served.address)
    yield client
    client.close()


def test_triton_reads_health_and_metadata(client, root):
    assert client.is_server_live() and client.is_server_ready()
    assert client.is_model_ready("iris") and client.is_model_ready("plus", "1")
    assert not client.is_model_ready("nix") and not client.is_model_ready("plus", "7")
    assert client.get_server_metadata()["name"] == "roost"
    assert client.get_model_metadata("iris") == {
        "name": "iris", "versions": ["1"], "platform": "roost_linear",
        "inputs": [{"name": "features", "datatype": "FP32", "shape": [-1, 4]}],
        "outputs": [
            {"name": "predictions", "datatype": "FP32", "shape": [-1, 3]},
            {"name": "label", "datatype": "BYTES", "shape": [-1]}],
        # Beyond the protocol: the size of the file, and what the columns of the one input are called.
        "size": (root / "functions/iris/iris.json").stat().st_size,
        "columns": [
            {"name": name, "type": "number", "missing": "allowed"}
            for name in ("sepal length", "sepal width", "petal length", "petal width")]}
    assert client.get_model_metadata("plus", "1")["versions"] == ["1", "2"]


@pytest.mark.parametrize("version,sum", [("1", 14), ("2", 15), ("", 15)])
def test_triton_infers(client, version, sum):
    tensor = triton.InferInput("features", [2, 2], "FP32")
    tensor.set_data_from_numpy(np.array([[2, 3], [0, 0]], dtype=np.float32), binary_data=False)
    result = client.infer(
        "plus", [tensor], model_version=version, request_id="7",
        outputs=[triton.InferRequestedOutput("predictions", binary_data=False)])
    assert result.as_numpy("predictions").tolist() == [sum, sum - 13]
    assert result.get_response()["model_version"] == (version or "2") and result.get_response()["id"] == "7"


def test_triton_reads_words_and_lists_of_outputs(client):
    tensor = triton.InferInput("features", [1, 4], "FP32")
    tensor.set_data_from_numpy(np.array([[5.1, 3.5, 1.4, 0.2]], dtype=np.float32), binary_data=False)
    result = client.infer("iris", [tensor])
    assert result.as_numpy("label").tolist() in ([b"setosa"], ["setosa"])
    assert result.as_numpy("predictions").shape == (1, 3)


def test_triton_is_told_of_errors(client):
    tensor = triton.InferInput("features", [1, 3], "FP32")
    tensor.set_data_from_numpy(np.zeros((1, 3), dtype=np.float32), binary_data=False)
    with pytest.raises(InferenceServerException, match=r"\[400\].*expected shape \[-1, 2\], got \[1, 3\]"):
        client.infer("plus", [tensor])


# Infer by hand.


def test_data_is_read_nested_and_flat_and_members_in_any_order(served):
    nested = features([[2, 3], [0, 0]])
    flat = features([2, 3, 0, 0], [2, 2])
    backwards = {"inputs": [dict(reversed(nested["inputs"][0].items()))]}
    spaced = json.dumps(nested, indent=3).replace(",", " ,\r\n\t")
    for body in (nested, flat, backwards, spaced, json.dumps(nested).replace("data", "d\\u0061ta")):
        assert served.ask("/v2/models/plus/infer", body) == {
            "model_name": "plus", "model_version": "2",
            "outputs": [{"name": "predictions", "datatype": "FP32", "shape": [2], "data": [15, 2]}]}


def test_one_tensor_per_column(served):
    columns = [
        {"name": "income", "shape": [2], "datatype": "INT32", "data": [3, 0]},
        {"name": "age", "shape": [2, 1], "datatype": "FP64", "data": [[2], [0.5]]}]
    assert data(served.ask("/v2/models/plus/infer", {"inputs": columns})) == [15, 3]
    assert served.refused("/v2/models/plus/infer", {"inputs": columns[:1]}, 400) == 'column "age" is absent'


EXTREMES = {
    "bool": [True, False], "uint8": [0, 255], "uint16": [0, 65535], "uint32": [0, 2**32 - 1],
    "uint64": [0, 2**64 - 1], "int8": [-128, 127], "int16": [-(2**15), 2**15 - 1], "int32": [-(2**31), 2**31 - 1],
    "int64": [-(2**63), 2**63 - 1], "fp16": [65504, 0.1], "fp32": [3.4028235e38, 1e-45],
    "fp64": [1.7976931348623157e308, 5e-324], "bytes": ["grüß\n\"\\ \U0001f426", ""]}


def tensors(**changed):
    """A request for mirror of one row with the extremes of each type; `changed` names other data."""
    return {"inputs": [
        {"name": name, "shape": [1, 2], "datatype": name.upper(), "data": changed.get(name, values)}
        for name, values in EXTREMES.items()]}


def test_every_dtype_comes_back_exactly(served):
    answer = served.ask("/v2/models/mirror/infer", tensors())
    found = {output["name"]: output for output in answer["outputs"]}
    assert len(found) == len(EXTREMES)
    for name, values in EXTREMES.items():
        output = found[f"out_{name}"]
        assert (output["datatype"], output["shape"]) == (name.upper(), [1, 2])
        if name in ("fp16", "fp32"):
            kind = {"fp16": np.float16, "fp32": np.float32}[name]
            assert [kind(value) for value in output["data"]] == [kind(value) for value in values]
        else:
            assert output["data"] == values and [type(v) for v in output["data"]] == [type(v) for v in values]


@pytest.mark.parametrize("name,values,reason", [
    ("uint8", [0, 256], "256 does not fit UINT8"), ("uint8", [-1, 0], "-1 does not fit UINT8"),
    ("int8", [-129, 0], "-129 does not fit INT8"), ("uint16", [65536, 0], "65536 does not fit UINT16"),
    ("int16", [0, 32768], "32768 does not fit INT16"), ("uint32", [2**32, 0], f"{2**32} does not fit UINT32"),
    ("int32", [0, 2**31], f"{2**31} does not fit INT32"), ("uint64", [2**64, 0], f"{2**64} does not fit UINT64"),
    ("int64", [0, 2**63], f"{2**63} does not fit INT64"), ("fp16", [0, 70000], "70000 does not fit FP16"),
    ("fp32", [0, 1e39], "1e+39 does not fit FP32"), ("int32", [0, 1.5], "1.5"), ("int64", ["7", 0], '"7"'),
    ("bool", [True, "yes"], '"yes"'), ("bytes", ["a", 7], "7"), ("fp32", ["1.0", 0], '"1.0"'), ("int16", [None, 0], "null"),
    ("fp64", [0, True], "true")])
def test_values_that_do_not_fit_are_named(served, name, values, reason):
    error = served.refused("/v2/models/mirror/infer", tensors(**{name: values}), 400)
    wrong = next(i for i in (0, 1) if values[i] not in (0, "a") and values[i] is not True or name == "fp64" and i == 1)
    assert error.startswith(f'input "{name}", data[{wrong}]: ') and reason in error


def test_missing_and_infinite_numbers(served):
    body = json.dumps(tensors(fp32=["NAN", "INF"], fp64=["MINUS", None], fp16=[None, 1]))
    body = body.replace('"NAN"', "NaN").replace('"INF"', "Infinity").replace('"MINUS"', "-Infinity")
    answer = served.ask("/v2/models/mirror/infer", body, content_type="application/json")
    found = {output["name"]: output for output in answer["outputs"]}
    for name, expected, kinds in [
        ("out_fp32", [None, None], [(0, "NaN"), (1, "Infinity")]), ("out_fp64", [None, None], [(0, "-Infinity"), (1, "NaN")]),
        ("out_fp16", [None, 1], [(0, "NaN")])
    ]:
        assert found[name]["data"] == expected
        listed = found[name]["parameters"]["non_finite"]
        assert listed == [{"index": index, "kind": kind} for index, kind in kinds]
    assert "parameters" not in found["out_int8"]


def test_outputs_are_selected_in_the_order_asked(served):
    names = ["out_bytes", "out_int8"]
    answer = served.ask("/v2/models/mirror/infer", tensors() | {"outputs": [{"name": name} for name in names]})
    assert [output["name"] for output in answer["outputs"]] == names
    request = tensors() | {"outputs": [{"name": "nix"}]}
    assert served.refused("/v2/models/mirror/infer", request, 400).startswith('unknown output "nix": the model has ')


def test_the_id_comes_back(served):
    for identifier in ("a", "x" * 1024, 'quote " slash \\ \n ü'):
        answer = served.ask("/v2/models/plus/infer", features([[1, 1]], id=identifier))
        assert answer["id"] == identifier
    assert "longer than" in served.refused("/v2/models/plus/infer", features([[1, 1]], id="x" * 4096), 400)


def test_parameters_reach_the_plugin(served):
    parameters = {"threshold": 0.5, "note": "ü"}
    answer = served.ask("/v2/models/deeds/infer", features([[6, 0]], parameters=parameters))
    assert json.loads(data(answer, 1)[0]) == parameters


def test_versions_are_addressed_by_path_and_header(served):
    body = [[0, 0]]
    for path, header, version in [
        ("/functions/plus/predict", None, "2"), ("/functions/plus/versions/1/predict", None, "1"),
        ("/functions/plus/predict", "1", "1"), ("/functions/plus/versions/2/predict", "2", "2")
    ]:
        reply = served.post(path, body, headers={"Roost-Version": header} if header else None)
        assert reply.json == {"predictions": [int(version)], "version": version}
        assert reply.headers["Roost-Version"] == version
    for version in ("1", "2"):
        answer = served.ask(f"/v2/models/plus/versions/{version}/infer", features([[0, 0]]))
        assert (data(answer), answer["model_version"]) == ([int(version)], version)
    contradiction = served.refused("/functions/plus/versions/1/predict", body, 400, roost_version="2")
    assert "version 1" in contradiction and "for 2" in contradiction


@pytest.mark.parametrize("path,named", [
    ("/v2/models/nix/infer", ["deeds", "iris", "mirror", "plus"]), ("/functions/nix/predict", ["iris", "plus"]),
    ("/v2/models/plus/versions/3/infer", ["1", "2"]), ("/functions/plus/versions/3/predict", ["1", "2"]),
    ("/functions/plus/versions/three/predict", ["three"]), ("/functions/_x/predict", ["_x"])])
def test_what_is_not_there_is_404_naming_what_is(served, path, named):
    error = served.refused(path, [[1, 2]], 404)
    assert all(re.search(rf"\b{name}\b", error) for name in named), error


@pytest.mark.parametrize("method,path,allow", [
    ("GET", "/v2/models/plus/infer", "POST"), ("PUT", "/functions/plus/predict", "POST"),
    ("DELETE", "/functions/plus", "GET, HEAD"), ("POST", "/metrics", "GET, HEAD"), ("POST", "/", "GET, HEAD"),
    ("GET", "/functions/plus/traffic", "PUT"), ("POST", "/v2/models/plus", "GET, HEAD"),
    ("GET", "/functions/plus/rollback", "POST"), ("PATCH", "/functions", "GET, HEAD"),
    ("OPTIONS", "/functions/plus/versions/1/predict", "POST")])
def test_a_wrong_method_is_405_and_says_the_right_one(served, method, path, allow):
    reply = served.request(method, path, "" if method != "GET" else None)
    assert (reply.status, reply.headers["Allow"]) == (405, allow) and path in reply.error


@pytest.mark.parametrize("path", [
    "/", "/metrics", "/functions", "/functions/plus", "/v2", "/v2/health/live", "/v2/health/ready", "/v2/models/plus",
    "/v2/models/plus/ready", "/functions/plus/logs", "/v2/models/plus/versions/1"])
def test_head_is_get_without_the_body(served, path):
    read, head = served.get(path), served.request("HEAD", path)
    assert (read.status, head.status, head.body) == (200, 200, b"")
    assert head.headers["Content-Type"] == read.headers["Content-Type"] and int(head.headers["Content-Length"]) > 0 or (
        path.endswith("logs"))


def test_every_inference_reply_carries_its_headers(served):
    replies = [
        served.post("/functions/plus/predict", [[1, 2]]), served.post("/v2/models/plus/infer", features([[1, 2]])),
        served.post("/functions/plus/predict", [[1]]), served.post("/functions/plus/predict", "{"),
        served.post("/v2/models/plus/versions/2/infer", "", content_type="application/json"),
        served.post("/functions/plus/predict", b"1,2", content_type="text/csv", accept="text/csv")]
    assert [reply.status for reply in replies] == [200, 200, 400, 400, 400, 200]
    replies += [served.post("/functions/deeds/predict", [[1, 0]]), served.post("/functions/deeds/predict", [[5, 0]])]
    replies += [served.post("/functions/deeds/predict", [[4, 300]], roost_timeout="20ms")]
    assert [reply.status for reply in replies[-3:]] == [500, 500, 504]
    for reply in replies:
        assert reply.headers["Roost-Version"] in ("1", "2")
        assert reply.headers["X-Request-Id"]
        phases = dict(part.split(";dur=") for part in reply.headers["Server-Timing"].split(", "))
        assert "queue" in phases and set(phases) <= {"queue", "fork", "load", "infer"}
        assert all(re.fullmatch(r"\d+\.\d{3}", duration) for duration in phases.values())
        assert reply.headers["Date"] and reply.headers["Content-Type"]
    assert all("infer" in reply.headers["Server-Timing"] for reply in replies[:2])
    assert len({reply.headers["X-Request-Id"] for reply in replies}) == len(replies)


@pytest.mark.parametrize("path", ["/functions/plus/predict", "/functions/nix/predict", "/v2/health/live"])
def test_the_callers_request_id_comes_back(served, path):
    for identifier in ("abc-123", "4bf92f3577b34da6a3ce929d0e0e4736"):
        reply = served.request(
            "GET" if "health" in path else "POST", path, None if "health" in path else "[[1, 2]]",
            headers={"X-Request-Id": identifier})
        assert reply.headers.get_all("X-Request-Id") == [identifier]


def test_a_request_id_that_is_none_is_replaced(served):
    for identifier in ("x" * 129, "tab\tin it", ""):
        reply = served.get("/v2/health/live", headers={"X-Request-Id": identifier})
        assert reply.status == 200 and reply.headers["X-Request-Id"] not in (identifier, None)


# What does not work, and why.


@pytest.mark.parametrize("body,words", [
    ("", ["empty"]), ("nonsense", ["not JSON at byte 0"]), ('{"inputs": [', ["end of the body"]),
    ("[1]", ["not JSON|expected"]), ("{}", ['no "inputs"']), ('{"inputs": 7}', ["array", "7"]),
    ('{"inputs": []}', ["features", "absent"]), ('{"inputs": [7]}', [r"inputs\[0\]", "7"]),
    ('{"inputs": [{}]}', [r"inputs\[0\]", "name"]), (features([[1, 2]], id=7), ["id", "string", "7"]),
    (json.dumps(features([[1, 2]])) + "x", ["not JSON at byte"]), ("[" * 10000, ["expected|nested"]),
    (b'{"inputs": "\xff"}', ["array|UTF-8"]), ('{"id": "1", "id": "2", "inputs": []}', ["id", "twice"])])
def test_bodies_that_are_no_request(served, body, words):
    error = served.refused("/v2/models/plus/infer", body, 400, content_type="application/json")
    assert all(re.search(word, error) for word in words), error


@pytest.mark.parametrize("change,words", [
    ({"name": "feature"}, ['"feature"', '"features"']), ({"datatype": "FP64"}, ['"features"', "FP32", "FP64"]),
    ({"datatype": "FLOAT"}, ['"features"', "FLOAT"]), ({"datatype": 7}, ['"features"', "datatype", "7"]),
    ({"shape": [2]}, ['"features"', r"\[-1, 2\]", r"\[2\]"]),
    ({"shape": [1, 1, 2]}, ['"features"', r"\[-1, 2\]", r"\[1, 1, 2\]"]),
    ({"shape": [1, 3]}, ['"features"', r"\[-1, 2\]", r"\[1, 3\]"]), ({"shape": [-1, 2]}, ['"features"', "shape"]),
    ({"shape": "x"}, ['"features"', "shape"]), ({"shape": [2, 2]}, ['"features"', r"expected \d elements", r"shape \[2, 2\]", "got 1"]),
    ({"shape": [4000000000, 2]}, ['"features"', r"shape \[4000000000, 2\]", "got"]), ({"shape": [0, 2], "data": []}, ["no rows"]),
    ({"data": [[1, 2], [3, 4]]}, ['"features"', r"shape \[1, 2\]", "got 2"]),
    ({"data": [[1, "x"]]}, ['"features"', '"x"', "number"]), ({"data": [[1, 1e40]]}, ["out of range", "1e\\+40"]),
    ({"data": [[1, {}]]}, ['"features"', "object"]), ({"data": 7}, ['"features"', "array", "7"]),
    ({"data": None}, ['"features"', "array", "null"]), ({"name": None}, ["name", "null"])])
def test_tensors_that_do_not_fit_say_what_was_expected_and_what_came(served, change, words):
    tensor = {"name": "features", "shape": [1, 2], "datatype": "FP32", "data": [[1, 2]]} | change
    error = served.refused("/v2/models/plus/infer", {"inputs": [tensor]}, 400)
    assert all(re.search(word, error) for word in words), error
    for member in ("name", "shape", "datatype", "data"):
        error = served.refused("/v2/models/plus/infer", {"inputs": [
            {key: value for key, value in tensor.items() if key != member and key not in change}]}, 400)
        assert error
    assert data(served.ask("/v2/models/plus/infer", features([[1, 2]]))) == [10]


def test_a_model_that_fails_answers_with_its_own_words(served):
    assert served.refused("/functions/deeds/predict", [[1, 0]], 500) == 'the "model" gives up'
    assert served.refused("/functions/deeds/predict", [[2, 0]], 400) == "the model does not like this row"
    assert served.refused("/functions/deeds/predict", [[0, 0], [3, 0]], 500) == "row 2: no answer here"
    assert served.ask("/functions/deeds/predict", [[0, 7]])["predictions"] == [7]


def test_a_crash_is_500_with_the_reason_and_the_next_request_is_answered(served):
    before = served.versions("deeds")["1"]["requests"]["death"]
    assert "signal 11" in served.refused("/functions/deeds/predict", [[5, 0]], 500)
    assert served.ask("/functions/deeds/predict", [[0, 8]])["predictions"] == [8]
    version = served.versions("deeds")["1"]
    assert version["requests"]["death"] == before + 1 and "signal 11" in version["last_failure"]


def test_a_callers_deadline_is_504_and_kills_nothing(served):
    instance = served.instance("deeds")
    error = served.refused("/functions/deeds/predict", [[4, 300]], 504, roost_timeout="20ms")
    assert "deeds@1" in error
    assert served.ask("/functions/deeds/predict", [[0, 9]])["predictions"] == [9]
    assert served.instance("deeds") == instance
    for wrong in ("soon", "0ms", "-5s", ""):
        assert "Roost-Timeout" in served.refused("/functions/deeds/predict", [[0, 0]], 400, roost_timeout=wrong)


def test_the_protocols_timeout_parameter_counts_the_wait_before_the_turn(served):
    request = features([[0, 1]], parameters={"timeout": 10_000_000})
    assert data(served.ask("/v2/models/deeds/infer", request)) == [1]
    request = features([[0, 1]], parameters={"timeout": "soon"})
    assert "timeout" in served.refused("/v2/models/deeds/infer", request, 400)


def test_the_manifests_timeout_is_504_and_ends_the_instance(served, compiled):
    (served.home / "functions/slow.json").write_text('{"timeout": "150ms", "scale": {"max": 1}}')
    served.drop_and_wait(compiled("deeds"), "slow.so", "slow@1")
    assert served.ask("/functions/slow/predict", [[0, 1]])["predictions"] == [1]
    instance = served.instance("slow")
    served.refused("/functions/slow/predict", [[4, 20_000]], 504)
    assert served.ask("/functions/slow/predict", [[0, 2]])["predictions"] == [2]
    assert served.versions("slow")["1"]["requests"]["timeout"] == 1 and served.instance("slow") != instance


def test_deadlines_hold_while_a_version_recovers_from_a_crash(served):
    served.refused("/functions/deeds/predict", [[5, 0]], 500)
    served.refused("/functions/deeds/predict", [[4, 500]], 504, roost_timeout="50ms")
    served.refused("/functions/slow/predict", [[4, 20_000]], 504)


def test_nothing_ready_is_503_with_a_time_to_try_again(served, compiled):
    since = len(served.lines)
    served.drop(compiled("deeds", "BROKEN"), "broken@1.so")
    served.wait_for("broken@1 failed", since)
    for path in ("/functions/broken/predict", "/v2/models/broken/infer", "/v2/models/broken/versions/1/infer"):
        reply = served.post(path, [[0, 0]])
        assert reply.status == 503 and int(reply.headers["Retry-After"]) > 0
        assert "the flux is out of phase" in reply.error
    reply = served.get("/v2/models/broken/ready")
    assert reply.status == 503 and "the flux is out of phase" in reply.json["error"]
    assert served.get("/v2/models/broken").status == 503
    assert "the flux is out of phase" in served.note("broken@1.so")


def test_a_body_that_is_not_encoded_may_say_so(served):
    reply = served.post("/functions/plus/predict", "[[1, 2]]", headers={"Content-Encoding": "identity"})
    assert reply.status == 200


def test_a_body_beyond_the_limit_is_413_before_it_is_sent(served):
    host, port = served.address.split(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(
            b"POST /functions/plus/predict HTTP/1.1\r\nHost: x\r\nContent-Length: 67108865\r\n\r\n")
        answer = connection.makefile("rb").read()
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 413 ") and b"--max-body" in body


def exchange(served, request):
    """Everything that the host sends to these bytes, until it closes."""
    host, port = served.address.split(":")
    with socket.create_connection((host, int(port)), timeout=30) as connection:
        connection.sendall(request)
        return connection.makefile("rb").read()


@pytest.mark.parametrize("request_bytes", [
    b"nonsense\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", b"GET / HTTP/1.1\nHost: x\n\n",
    b"GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n"])
def test_malformed_http_is_400_and_the_end(served, request_bytes):
    answer = exchange(served, request_bytes)
    assert answer.startswith(b"HTTP/1.1 400 ") and b'{"error":' in answer and answer.count(b"HTTP/1.1") == 1


def test_pipelined_requests_are_answered_in_order(served):
    bodies = [b"[[%d, 0]]" % number for number in range(20)]
    requests = b"".join(
        b"POST /functions/plus/predict HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
        for body in bodies)
    answer = exchange(served, requests + b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert [int(n) for n in re.findall(rb'"predictions":\[(\d+)', answer)] == [2 * n + 2 for n in range(20)]


def test_a_body_in_chunks(served):
    chunked = b"".join(b"1\r\n%c\r\n" % byte for byte in b"[[1,2]]") + b"0\r\n\r\n"
    answer = exchange(
        served, b"POST /functions/plus/predict HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n" + chunked)
    assert b'"predictions":[10.0]' in answer
