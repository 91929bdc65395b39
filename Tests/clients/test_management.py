"""Management reads and changes, and what a browser may do, on a running host."""

import json
import re

import pytest
from running_host import LINEAR


def test_functions_are_described(served):
    served.ask("/functions/plus/predict", [[1, 2]])  # brings an instance
    report = served.get("/functions").json
    assert report["host"]["listen"] == served.address and report["host"]["home"] == str(served.home)
    assert report["host"]["version"] and report["host"]["cores"] >= 1 and report["host"]["connections"] >= 1
    names = [function["name"] for function in report["functions"]]
    assert names == sorted(names) and {"iris", "mirror", "deeds", "plus"} <= set(names)
    plus = served.get("/functions/plus").json
    assert plus["traffic"] == {"origin": "latest", "shares": {"2": 100}, "pending": {}}
    assert [version["version"] for version in plus["versions"]] == ["2", "1"]
    first = plus["versions"][0]
    assert (first["state"], first["runtime"], first["share"], first["file"], first["examples"]) == (
        "serving", "linear", 100, "plus@2.json", 0)
    assert re.fullmatch("[0-9a-f]{64}", first["digest"]) and len(first["instances"]) == 1
    error = served.get("/functions/nix")
    assert error.status == 404 and "plus" in error.error


def test_health_and_server_metadata(served):
    assert served.get("/v2/health/live").json == {"live": True}
    assert served.get("/v2/health/ready").json == {"ready": True}
    assert served.get("/v2").json["name"] == "roost"
    assert served.get("/v2/models/plus/versions/1/ready").json == {"ready": True}
    assert served.get("/v2/models/nix/ready").status == 404


def test_the_overview_is_text(served):
    reply = served.get("/")
    assert reply.headers["Content-Type"].startswith("text/plain") and "plus: 2 serving, 1 ready" in reply.body.decode()


@pytest.mark.parametrize("path", ["/nix", "/v2/nix", "/functions/plus/nix", "/functions//predict", "/v2/models", "/v2/repository"])
def test_paths_that_mean_nothing(served, path):
    assert served.get(path).status == 404 and served.get(path).error


def samples(text):
    """A strict reader of the Prometheus text format: {family: (type, {(name, labels): value})}."""
    families, current = {}, None
    assert text.endswith("\n")
    for line in text.splitlines():
        if help := re.fullmatch(r"# HELP ([a-z_]+) (\S.*)", line):
            assert help[1] not in families
            current = help[1]
            families[current] = (None, {})
        elif kind := re.fullmatch(r"# TYPE ([a-z_]+) (counter|gauge|histogram)", line):
            assert kind[1] == current and families[current] == (None, {})
            families[current] = (kind[2], {})
        else:
            sample = re.fullmatch(r"([a-z_]+)(?:\{([^{}]*)\})? (-?[0-9.e+-]+|\+Inf|NaN)", line)
            assert sample, line
            kind, values = families[current]
            suffixes = ("_bucket", "_sum", "_count") if kind == "histogram" else ("",)
            assert sample[1] in {current + suffix for suffix in suffixes}, line
            labels = re.findall(r'([a-z_]+)="((?:[^"\\]|\\.)*)"', sample[2] or "")
            assert ",".join(f'{key}="{value}"' for key, value in labels) == (sample[2] or "")
            assert len(dict(labels)) == len(labels) and (sample[1], frozenset(labels)) not in values, line
            values[sample[1], frozenset(labels)] = float(sample[3])
    return families


def read_metrics(served):
    reply = served.get("/metrics")
    assert reply.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    return samples(reply.body.decode())


def test_metrics_are_well_formed_and_count(served):
    def count(families, outcome):
        labels = {("function", "plus"), ("version", "2"), ("outcome", outcome)}
        return families["roost_requests_total"][1]["roost_requests_total", frozenset(labels)]

    before = read_metrics(served)
    for _ in range(3):
        served.ask("/functions/plus/predict", [[1, 2]])
    served.refused("/functions/plus/predict", [[1]], 400)
    served.get("/v2/models/plus")
    after = read_metrics(served)
    assert count(after, "ok") == count(before, "ok") + 3
    assert count(after, "client_error") == count(before, "client_error") + 1
    for family, (kind, values) in after.items():
        assert kind and values, family
        if kind == "counter":
            assert family.endswith("_total")
            # Series of a version that has left meanwhile are gone.
            assert all(value <= values.get(key, value) for key, value in before.get(family, (kind, {}))[1].items())
        if kind != "histogram":
            continue
        series = {}
        for (name, labels), value in values.items():
            if name.endswith("_bucket"):
                bound = dict(labels)["le"]
                rest = frozenset(label for label in labels if label[0] != "le")
                series.setdefault(rest, []).append((float(bound.replace("+Inf", "inf")), value))
        assert series
        for labels, buckets in series.items():
            counts = [value for _, value in sorted(buckets)]
            assert counts == sorted(counts) and sorted(buckets)[-1][0] == float("inf")
            assert counts[-1] == values[f"{family}_count", labels] and values[f"{family}_sum", labels] >= 0
    phases = {dict(labels).get("phase") for _, labels in after["roost_request_duration_seconds"][1]}
    assert {"total", "queue", "infer"} <= phases
    assert any(dict(labels).get("function") == "plus" for _, labels in after["roost_instances"][1])


CHANGES = [
    ("PUT", "/functions/plus/traffic", '{"origin": "latest"}'), ("POST", "/functions/plus/rollback", "{}"),
    ("POST", "/functions/plus/versions/1/restart", "{}"), ("POST", "/functions/plus/versions/1/allow", "{}")]


@pytest.mark.parametrize("method,path,body", CHANGES + [("PUT", "/functions/plus/versions/9", "x")])
def test_pages_of_other_sites_change_nothing(served, method, path, body):
    kind = "application/octet-stream" if path.endswith("9") else "application/json"
    before = served.get("/functions/plus").json["traffic"]
    for headers, status in [
        ({"Origin": "http://evil.example"}, 403), ({"Origin": "null"}, 403), ({"Host": "evil.example"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403), ({"Content-Type": "text/plain"}, 415), ({"Content-Type": ""}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415)
    ]:
        reply = served.request(method, path, body, headers={"Content-Type": kind} | headers)
        assert reply.status == status and reply.error, headers
    assert served.request(method, path, body).status == 415
    assert served.get("/functions/plus").json["traffic"] == before and "9" not in served.versions("plus")


def test_a_page_of_the_host_itself_may_change_things(served):
    reply = served.put(
        "/functions/plus/traffic", {"origin": "latest"}, origin=served.url, sec_fetch_site="same-origin")
    assert reply.status == 200, reply


def test_traffic_is_shared_out_exactly(served):
    reply = served.put("/functions/plus/traffic", {"1": 30, "2": 70})
    assert reply.status == 200 and reply.json["shares"] == {"1": 30, "2": 70} and reply.json["origin"] == "set"
    # They are in force as soon as both versions are loaded.
    served.until(lambda: served.versions("plus")["1"]["share"] == 30)
    answered = [served.ask("/functions/plus/predict", [[0, 0]])["version"] for _ in range(200)]
    for start in range(0, 200, 100):
        assert 29 <= answered[start : start + 100].count("1") <= 31
    assert served.versions("plus")["1"]["share"] == 30
    for wrong, word in [
        ({"1": 30}, "100"), ({"1": 50, "7": 50}, "7"), ({"1": 200, "2": -100}, "1"), ({"x": 100}, "x"), ({}, "100"),
        ({"origin": "nix"}, "origin"), ([], "object"), ({"1": 50.5, "2": 49.5}, "1")
    ]:
        reply = served.put("/functions/plus/traffic", wrong)
        assert 400 <= reply.status < 500 and word in reply.error, reply
    assert served.put("/functions/plus/traffic", "{", content_type="application/json").status == 400
    assert served.put("/functions/nix/traffic", {"1": 100}).status == 404
    assert served.get("/functions/plus").json["traffic"]["shares"] == {"1": 30, "2": 70}
    assert served.put("/functions/plus/traffic", {"origin": "latest"}).json["shares"] == {"2": 100}


def test_uploads_rollback_and_restart(served):
    def model(intercept):
        return json.dumps(LINEAR | {"intercepts": [intercept]}).encode()

    upload = {"content_type": "application/octet-stream", "roost_file_extension": "json"}
    for version, path in ((1, "1"), (2, "next")):
        since = len(served.lines)
        reply = served.put(f"/functions/sent/versions/{path}", model(version), **upload)
        assert reply.status == 202 and reply.json["file"] in (f"sent@{version}.json", "sent.json"), reply
        served.wait_for(rf"^sent traffic {version}=100", since)
        assert served.ask("/functions/sent/predict", [[0, 0]]) == {"predictions": [version], "version": str(version)}
    rolled = served.post("/functions/sent/rollback", {})
    assert (rolled.status, rolled.json) == (200, {"from": "2", "to": "1"}), rolled
    assert served.ask("/functions/sent/predict", [[0, 0]])["version"] == "1"
    left = served.versions("sent")["2"]
    assert left["state"] == "rejected" and left["reason"]
    refused = served.post("/functions/sent/rollback", {})
    assert 400 <= refused.status < 500 and refused.error
    assert served.post("/functions/sent/versions/2/predict", [[0, 0]]).status == 503
    since = len(served.lines)
    assert served.post("/functions/sent/versions/2/restart", {}).status == 200
    served.wait_for("^sent traffic 2=100", since)
    assert served.ask("/functions/sent/predict", [[0, 0]])["version"] == "2"
    # Versions are immutable: another file under the same one is refused.
    reply = served.put("/functions/sent/versions/1", model(7), **upload)
    if reply.status == 202:
        served.wait_for("immutable", since)
    else:
        assert reply.status == 409 and "sent@3" in reply.error
    assert served.ask("/functions/sent/versions/1/predict", [[0, 0]])["predictions"] == [1]
    for path, status in (("/functions/_/versions/1", 404), ("/functions/sent/versions/x", 404)):
        assert served.put(path, b"x", **upload).status in (400, status)
    for path in ("/functions/sent/versions/9/restart", "/functions/nix/versions/1/restart", "/functions/nix/rollback"):
        assert served.post(path, {}).status == 404


@pytest.mark.parametrize("headers,status", [
    ({"Roost-File-Extension": "../x"}, 400), ({"Roost-File-Extension": ""}, 400),
    ({"Roost-File-Extension": "so/"}, 400), ({"Roost-File-Extension": "so/../../x"}, 400),
    ({"Roost-File-Extension": "partial"}, 400), ({"Roost-File-Extension": "7"}, 400), ({"Content-Type": "application/json"}, 415)])
def test_uploads_under_no_proper_name(served, headers, status):
    headers = {"Content-Type": "application/octet-stream"} | headers
    reply = served.put("/functions/odd/versions/1", b"x", headers=headers)
    assert reply.status == status and reply.error, reply
    assert not [file.name for file in (served.home / "plugins").iterdir() if "odd" in file.name]


def test_a_file_whose_name_is_no_name_shows_the_remedy(served):
    (served.home / "plugins/my model@x.ubj").write_bytes(b"x")
    (served.home / "plugins/.hidden.ubj").write_bytes(b"x")

    def unclear():
        return {entry["file"]: entry["reason"] for entry in served.get("/functions").json["host"]["unclear_files"]}

    served.until(lambda: "my model@x.ubj" in unclear())
    assert "name it NAME@VERSION.EXT" in unclear()["my model@x.ubj"] and ".hidden.ubj" not in unclear()
    (served.home / "plugins/my model@x.ubj").unlink()
    served.until(lambda: "my model@x.ubj" not in unclear())


def test_logs_are_read_on_from_where_one_was(served):
    served.ask("/functions/deeds/predict", [[7, 41]])
    # The plugin's output comes by a pipe of its own, beside the answer.
    served.until(lambda: b"printed 41" in served.get("/functions/deeds/logs").body)
    first = served.get("/functions/deeds/logs")
    assert first.headers["Content-Type"].startswith("text/plain")
    offset = int(first.headers["Roost-Log-Offset"])
    served.ask("/functions/deeds/predict", [[7, 42]])
    more = f"/functions/deeds/logs?version=1&offset={offset}"
    served.until(lambda: b"printed 42" in served.get(more).body)
    assert b"printed 41" not in served.get(more).body
    for query in ("nix=1", "offset=x", "offset=-1", "version=nix", "version=9"):
        assert served.get(f"/functions/deeds/logs?{query}").status in (400, 404)
