"""`tritonclient[http]` as people have it: binary tensors both ways, compression both ways, many requests at once."""

import gzip
import json
import struct
import zlib

import numpy as np
import pytest
import tritonclient.http as triton
from running_host import LINEAR, Host
from tritonclient.utils import InferenceServerException

NUMBERS = {
    "bool": [True, False], "uint8": [0, 255], "uint16": [0, 65535], "uint32": [0, 2**32 - 1],
    "uint64": [0, 2**64 - 1], "int8": [-128, 127], "int16": [-(2**15), 2**15 - 1], "int32": [-(2**31), 2**31 - 1],
    "int64": [-(2**63), 2**63 - 1], "fp16": [65504, float("nan")], "fp32": [float("-inf"), 1e-45],
    "fp64": [float("nan"), 5e-324]}
KINDS = {"bool": np.bool_, "fp16": np.float16, "fp32": np.float32, "fp64": np.float64}
ALGORITHMS = [None, "gzip", "deflate"]


@pytest.fixture(scope="module")
def client(served):
    client = triton.InferenceServerClient(served.address, concurrency=8)
    yield client
    client.close()


def arrays(rows=1, texts=(b"gr\xc3\xbc\xc3\x9f", b"")):
    """One array for each input of mirror; the texts need not be UTF-8 where they travel in binary."""
    found = {
        name: np.array([values] * rows, dtype=KINDS.get(name) or np.dtype(name)) for name, values in NUMBERS.items()}
    return found | {"bytes": np.array([list(texts)] * rows, dtype=np.object_)}


def inputs(values, binary):
    tensors = []
    for name, array in values.items():
        tensor = triton.InferInput(name, list(array.shape), name.upper())
        tensors.append(tensor.set_data_from_numpy(array, binary_data=binary(name)))
    return tensors


def same(found, expected):
    """Bit by bit, also what is no number."""
    if expected.dtype == np.object_:
        as_bytes = lambda items: [item if isinstance(item, bytes) else item.encode() for item in items.flatten()]
        return found.shape == expected.shape and as_bytes(found) == as_bytes(expected)
    return found.dtype == expected.dtype and found.shape == expected.shape and found.tobytes() == expected.tobytes()


def plus(rows, binary=True):
    tensor = triton.InferInput("features", [len(rows), 2], "FP32")
    return tensor.set_data_from_numpy(np.array(rows, dtype=np.float32), binary_data=binary)


# Binary tensors.


@pytest.mark.parametrize("texts", [(b"gr\xc3\xbc\xc3\x9f", b""), (b"\xff\x00\xfe", b"x" * 70_000)])
@pytest.mark.parametrize("rows", [1, 33])
def test_every_datatype_comes_back_bit_by_bit(client, rows, texts):
    values = arrays(rows, texts)
    result = client.infer("mirror", inputs(values, lambda name: True))
    for name, array in values.items():
        assert same(result.as_numpy(f"out_{name}"), array), name
        assert result.get_output(f"out_{name}")["parameters"]["binary_data_size"] > 0
        assert "data" not in result.get_output(f"out_{name}")


def test_binary_and_json_mix_in_one_request_and_one_reply(client):
    values = arrays(3)
    # No JSON writes the bits of what is no number.
    for name in ("fp16", "fp32", "fp64"):
        values[name] = np.array([[1.5, -2]] * 3, dtype=KINDS[name])
    for turn in range(3):
        is_binary = lambda name: list(values).index(name) % 3 == turn
        outputs = [triton.InferRequestedOutput(f"out_{name}", binary_data=not is_binary(name)) for name in values]
        result = client.infer("mirror", inputs(values, is_binary), outputs=outputs[::-1], request_id=f"turn {turn}")
        assert result.get_response()["id"] == f"turn {turn}"
        assert [output["name"] for output in result.get_response()["outputs"]] == [o.name() for o in outputs[::-1]]
        for name, array in values.items():
            assert same(result.as_numpy(f"out_{name}"), array), name
            assert ("data" in result.get_output(f"out_{name}")) == is_binary(name)


def test_nothing_binary_is_plain_json(client):
    outputs = [triton.InferRequestedOutput("predictions", binary_data=False)]
    result = client.infer("plus", [plus([[2, 3], [0, 0]], binary=False)], outputs=outputs)
    assert result.get_output("predictions")["data"] == [15, 2]


def test_columns_in_binary(client):
    age = triton.InferInput("age", [2], "FP64").set_data_from_numpy(np.array([2, 0.5]))
    income = triton.InferInput("income", [2, 1], "INT32").set_data_from_numpy(np.array([[3], [0]], dtype=np.int32))
    assert client.infer("plus", [income, age]).as_numpy("predictions").tolist() == [15, 3]


@pytest.mark.parametrize("megabytes", [0.2, 0.3, 1, 3.9, 4.1])
def test_large_tensors_both_ways(client, megabytes):
    """In the ring, in the areas beside it, in files of their own."""
    rows = int(megabytes * 1e6 / 114)
    values = arrays(rows, (b"0123456789", b"abcdef"))
    result = client.infer("mirror", inputs(values, lambda name: True))
    assert all(same(result.as_numpy(f"out_{name}"), array) for name, array in values.items())


def test_many_large_tensors_at_once(client):
    """Replies ask for memory while the bodies of later requests wait."""
    sent = []
    for number in range(24):
        values = arrays([3_000, 6_000, 200, 30_000][number % 4], (b"%d" % number, b"x"))
        sent.append((values, client.async_infer("mirror", inputs(values, lambda name: True))))
    for values, request in sent:
        result = request.get_result()
        assert all(same(result.as_numpy(f"out_{name}"), array) for name, array in values.items())


def test_parameters_of_the_form_are_not_the_models(client):
    """What the client adds by itself stays out of the way; the caller's own arrive."""
    tensor = triton.InferInput("features", [1, 2], "FP32").set_data_from_numpy(np.array([[6, 0]], dtype=np.float32))
    result = client.infer("deeds", [tensor], parameters={"note": "ü"})
    assert json.loads(result.as_numpy("text").item())["note"] == "ü"


def test_the_server_says_that_it_takes_binary_tensors(client):
    assert client.is_server_live() and client.is_server_ready() and client.is_model_ready("plus", "2")
    assert "binary_tensor_data" in client.get_server_metadata()["extensions"]
    assert client.get_model_metadata("plus")["inputs"][0]["datatype"] == "FP32"


# Compression.


@pytest.mark.parametrize("sent", ALGORITHMS)
@pytest.mark.parametrize("wanted", ALGORITHMS)
@pytest.mark.parametrize("in_binary", [True, False])
def test_compression_both_ways(client, sent, wanted, in_binary):
    rows = np.arange(1200, dtype=np.float32).reshape(600, 2)
    outputs = [triton.InferRequestedOutput("predictions", binary_data=in_binary)]
    result = client.infer(
        "plus", [plus(rows, in_binary)], outputs=outputs, request_compression_algorithm=sent,
        response_compression_algorithm=wanted)
    assert result.as_numpy("predictions").tolist() == [2 * a + 3 * b + 2 for a, b in rows]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_many_requests_at_once(client, algorithm):
    requests = [
        client.async_infer(
            "plus", [plus([[number, turn] for turn in range(400)])], request_compression_algorithm=algorithm,
            response_compression_algorithm=algorithm, request_id=str(number)) for number in range(40)]
    for number, request in enumerate(requests):
        result = request.get_result()
        assert result.get_response()["id"] == str(number)
        assert result.as_numpy("predictions").tolist() == [2 * number + 3 * turn + 2 for turn in range(400)]


def coded(body, coding):
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    return gzip.compress(body) if coding == "gzip" else zlib.compress(body) if coding == "deflate" else body


ROWS = [[n, n % 7] for n in range(500)]


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
@pytest.mark.parametrize("path", ["/functions/plus/predict", "/functions/plus/versions/2/predict"])
def test_rows_and_csv_are_compressed_alike(served, path, coding):
    expected = [2 * a + 3 * b + 2 for a, b in ROWS]
    reply = served.post(path, coded(ROWS, coding), content_encoding=coding, accept_encoding=coding)
    assert (reply.status, reply.headers["Content-Encoding"], reply.headers["Vary"]) == (200, coding, "Accept-Encoding")
    text = gzip.decompress(reply.body) if coding == "gzip" else zlib.decompress(reply.body)
    assert json.loads(text)["predictions"] == expected and len(reply.body) < len(text)
    table = "\n".join(f"{a},{b}" for a, b in ROWS)
    reply = served.post(
        path, coded(table.encode(), coding), content_type="text/csv", accept="text/csv", content_encoding=coding)
    assert reply.headers["Content-Encoding"] is None and reply.headers["Vary"] == "Accept-Encoding"
    assert [float(line) for line in reply.body.decode().split()[1:]] == expected


@pytest.mark.parametrize("accepted,coding", [
    ("gzip", "gzip"), ("deflate", "deflate"), ("gzip, deflate, br", "gzip"), ("gzip;q=0.1, deflate", "deflate"),
    ("gzip;q=0", None), ("br", None), ("identity, gzip;q=0.5", None), ("*", "gzip"), ("", None), ("gzip;q=nix", None)])
def test_the_reply_is_compressed_as_the_caller_weighs_it(served, accepted, coding):
    reply = served.post("/functions/plus/predict", ROWS, accept_encoding=accepted)
    assert reply.headers["Content-Encoding"] == coding and reply.headers["Vary"] == "Accept-Encoding"


def test_what_gains_nothing_is_sent_as_it_is(served, client):
    small = served.post("/functions/plus/predict", [[1, 2]], accept_encoding="gzip")
    assert small.headers["Content-Encoding"] is None and small.headers["Vary"] is None
    refused = served.post("/functions/plus/predict", [["x" * 3000, 2]], accept_encoding="gzip")
    assert refused.status == 400 and refused.headers["Content-Encoding"] is None and refused.error
    noise = np.random.default_rng(7).integers(0, 2**63, (20_000, 2), dtype=np.uint64)
    values = arrays(20_000) | {"uint64": noise}
    outputs = [triton.InferRequestedOutput("out_uint64")]
    result = client.infer(
        "mirror", inputs(values, lambda name: True), outputs=outputs, response_compression_algorithm="gzip")
    assert same(result.as_numpy("out_uint64"), noise)


def test_what_a_compressed_body_can_have_wrong(served):
    whole = coded(ROWS, "gzip")
    for body, coding, words in [
        (whole[:-3], "gzip", "cut off"), (whole + b"x", "gzip", "follow its end"), (b"[[1, 2]]", "gzip", "gzip"),
        (b"[[1, 2]]", "deflate", "deflate"), (b"", "gzip", "cut off"), (whole, "deflate", "deflate"),
        (coded(b"nonsense", "gzip"), "gzip", "got nonsense")
    ]:
        assert words in served.refused("/functions/plus/predict", body, 400, content_encoding=coding)
    # Raw deflate, as some send it.
    raw = zlib.compressobj(wbits=-15)
    assert served.post(
        "/functions/plus/predict", raw.compress(b"[[1, 2]]") + raw.flush(), content_encoding="deflate").json


@pytest.mark.parametrize("coding", ["br", "gzip, gzip", "compress", ""])
def test_another_coding_is_415_and_says_which_are_known(served, coding):
    reply = served.post("/functions/plus/predict", "[[1, 2]]", content_encoding=coding)
    assert reply.status == 415 and "gzip, deflate" in reply.error
    assert reply.headers["Accept-Encoding"] == "gzip, deflate"


@pytest.mark.parametrize("method,path", [
    ("PUT", "/functions/plus/traffic"), ("POST", "/functions/plus/feedback"), ("POST", "/functions/plus/async"),
    ("POST", "/functions/plus/rollback")])
def test_only_models_take_compressed_bodies(served, method, path):
    reply = served.request(method, path, coded({"1": 100}, "gzip"), content_encoding="gzip")
    assert reply.status == 415 and reply.headers["Accept-Encoding"] == "identity" and reply.error


@pytest.fixture(scope="module")
def narrow(binary, tmp_path_factory):
    """plus on a host that takes bodies of 100 kB."""
    folder = tmp_path_factory.mktemp("narrow")
    host = Host(binary, folder / "home", "--max-body", "100kB")
    (folder / "plus.json").write_text(json.dumps(LINEAR))
    host.drop_and_wait(folder / "plus.json", "plus.json", "plus@1")
    yield host
    host.stop()


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_bombs_are_413_and_harm_nobody(narrow, coding):
    fits = b"[[1, 2]" + b" " * (100_000 - 8) + b"]"
    assert narrow.post("/functions/plus/predict", coded(fits, coding), content_encoding=coding).json["predictions"] == [9]
    instance = narrow.instance("plus")
    for size in (100_001, 10_000_000, 100_000_000):
        bomb = coded(b" " * size, coding)
        if len(bomb) > 100_000:
            continue
        reply = narrow.post("/functions/plus/predict", bomb, content_encoding=coding)
        assert reply.status == 413 and "--max-body" in reply.error
    assert narrow.instance("plus") == instance


# Mistakes in binary requests.


def binary_request(served, tensor, data, status=400, header=None, **more):
    head = json.dumps({"inputs": [tensor], **more}).encode()
    headers = {"Inference-Header-Content-Length": str(len(head)) if header is None else header}
    reply = served.post("/v2/models/plus/infer", head + data, headers=headers)
    assert reply.status == status, reply
    return reply


def tensor(size, shape=(1, 2), **more):
    return {"name": "features", "shape": shape, "datatype": "FP32", "parameters": {"binary_data_size": size}} | more


EIGHT = struct.pack("<2f", 2, 3)


@pytest.mark.parametrize("wrong,data,words", [
    (tensor(8), EIGHT[:7], "has 7 bytes left"), (tensor(8), EIGHT + b"x", "1 bytes are left"),
    (tensor(4), EIGHT[:4], r'takes 8 bytes, "binary_data_size" is 4'), (tensor(8, data=[1, 2]), EIGHT, "both"),
    (tensor("8"), EIGHT, "whole number"), (tensor(-8), EIGHT, "whole number"), (tensor(2**70), EIGHT, "whole number"),
    (tensor(8, (2, 2)), EIGHT, "takes 16 bytes"), (tensor(8, (2**32 - 1, 2)), EIGHT, "takes"),
    (tensor(8, datatype="FP64"), EIGHT, "expected datatype FP32"), (tensor(8, parameters={}), EIGHT, 'has no "data"'),
    (tensor(8, parameters={}, data=[1, 2]), EIGHT, "8 bytes follow")])
def test_sizes_that_do_not_add_up(served, wrong, data, words):
    assert words in binary_request(served, wrong, data).error


@pytest.mark.parametrize("header,words", [
    ("", "expected the bytes"), ("x", 'got "x"'), ("-1", "expected"), ("1e2", "expected"), ("99999999999999999999", "expected"),
    ("1000", "the body has"), ("9223372036854775807", "the body has"), ("0", "not JSON"), ("5", "not JSON"), ("+93", "expected")])
def test_a_header_length_that_is_none(served, header, words):
    assert words in binary_request(served, tensor(8), EIGHT, header=header).error


def test_binary_data_needs_its_header_and_tensors(served):
    body = json.dumps({"inputs": [tensor(8)]}).encode() + EIGHT
    for whole in (body, body[:-8]):
        assert "needs the header Inference-Header-Content-Length" in served.refused("/v2/models/plus/infer", whole, 400)
    assert "…/infer" in served.refused(
        "/functions/plus/predict", b"[[1, 2]]", 400, headers={"Inference-Header-Content-Length": "8"})
    # Compressed, it is the JSON of what comes out that the header counts.
    head = {"Inference-Header-Content-Length": str(len(body) - 8), "Content-Encoding": "gzip"}
    reply = served.post("/v2/models/plus/infer", gzip.compress(body), headers=head)
    assert reply.status == 200 and reply.json["outputs"][0]["data"] == [15]
    head["Inference-Header-Content-Length"] = str(len(body) + 1)
    assert "the body has" in served.refused("/v2/models/plus/infer", gzip.compress(body), 400, headers=head)


def test_a_binary_reply_says_how_it_is_made(served):
    reply = binary_request(served, tensor(8), EIGHT, 200, parameters={"binary_data_output": True})
    length = int(reply.headers["Inference-Header-Content-Length"])
    assert reply.headers["Content-Type"] == "application/octet-stream"
    assert reply.body[length:] == struct.pack("<f", 15)
    assert json.loads(reply.body[:length])["outputs"] == [
        {"name": "predictions", "datatype": "FP32", "shape": [1], "parameters": {"binary_data_size": 4}}]


def test_errors_reach_the_client_in_words(client):
    wrong = triton.InferInput("features", [1, 3], "FP32").set_data_from_numpy(np.zeros((1, 3), dtype=np.float32))
    with pytest.raises(InferenceServerException, match=r"\[400\].*expected shape \[-1, 2\], got \[1, 3\]"):
        client.infer("plus", [wrong], request_compression_algorithm="gzip", response_compression_algorithm="gzip")
    shared = triton.InferInput("features", [1, 2], "FP32")
    shared.set_shared_memory("region", 8)
    with pytest.raises(InferenceServerException, match="shared memory is not supported"):
        client.infer("plus", [shared])


# Copies and records of such requests.


def test_shadows_compare_binary_and_compressed_requests(served, client):
    """plus@1 answers one less than plus@2: every number of every copy differs by 1."""
    manifest = served.home / "functions/plus.json"
    copied = lambda: served.versions("plus")["1"].get("shadow", {})
    done = lambda: sum(copied().get(key, 0) for key in ("pairs", "dropped", "failed"))
    manifest.write_text('{"shadow": {"version": "1", "percent": 100}}')
    try:
        served.until(lambda: served.get("/functions/plus").json["traffic"].get("shadow", {}).get("version") == "1")
        for number in range(9):
            outputs = [triton.InferRequestedOutput("predictions", binary_data=number % 2 == 0)]
            result = client.infer(
                "plus", [plus([[row, 0] for row in range(800)], binary=number % 4 < 2)], outputs=outputs,
                request_compression_algorithm=ALGORITHMS[number % 3],
                response_compression_algorithm=ALGORITHMS[number // 3])
            assert result.as_numpy("predictions")[1] == 4
            served.until(lambda: done() > number)
        found = copied()
        assert found["failed"] == 0 and found["pairs"] > 0 and found["rows"] == 800 * found["pairs"], found
        assert found["difference"]["predictions"]["mean"] == found["difference"]["predictions"]["max"] == 1
    finally:
        manifest.unlink()
