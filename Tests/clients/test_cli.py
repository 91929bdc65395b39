"""The commands of `roost` as people type them, against a running host and without one."""

import json
import re
import subprocess

import pytest
from running_host import command

LINEAR = {
    "format": "roost-linear", "version": 1, "model": "linear", "features": ["age", "income"],
    "coefficients": [[2, 3]], "intercepts": [1]}
COMMANDS = ["serve", "deploy", "pack", "verify", "status", "predict", "logs", "traffic", "rollback", "bench"]


@pytest.fixture
def model(tmp_path):
    """Writes a linear model file; `changes` go into it."""

    def write(name="plus.json", **changes):
        file = tmp_path / name
        file.write_text(json.dumps(LINEAR | changes))
        return file

    return write


def error_line(done):
    """The one line on stderr, and nothing on stdout."""
    lines = done.stderr.splitlines()
    assert done.stdout == "" and len(lines) == 1 and lines[0].startswith("roost"), (done.stdout, done.stderr)
    return lines[0]


def test_deploy_waits_until_it_serves(host, model):
    done = host.run("deploy", model(), "--as", "plus@1")
    assert re.search(r"^plus@1 serving in \S+", done.stdout), done.stdout
    assert host.ask("/functions/plus/predict", [[2, 3]]) == {"predictions": [14], "version": "1"}
    # Without a version it is the next one, under the file's own name.
    done = host.run("deploy", model(intercepts=[2]))
    assert "plus@2 serving" in done.stdout
    assert host.ask("/functions/plus/predict", [[2, 3]]) == {"predictions": [15], "version": "2"}
    # --as without a version likewise; --json prints the version.
    version = json.loads(host.run("deploy", model("other.json", intercepts=[3]), "--as", "plus", "--json").stdout)
    assert (version["version"], version["state"], version["share"]) == ("3", "serving", 100)
    assert not list((host.home / "plugins").glob(".*"))


def test_deploy_over_the_network_uploads(host, model):
    done = host.run("deploy", model(), "--as", "far@1", at=("--url", host.url))
    assert "far@1 serving" in done.stdout
    done = host.run("deploy", model(intercepts=[5]), "--as", "far", at=("--url", host.url))
    assert "far@2 serving" in done.stdout
    assert host.ask("/functions/far/predict", [[0, 0]])["predictions"] == [5]
    assert "2" in host.run("status", "far", at=("--url", host.url)).stdout


def test_deploy_without_waiting(host, model):
    since = len(host.lines)
    assert "handed over" in host.run("deploy", model(), "--as", "later@1", "--no-wait").stdout
    host.wait_for("^later traffic 1=100", since)


def test_deploying_under_shares_that_are_set_waits_for_ready(host, model):
    host.run("deploy", model(), "--as", "shared@1")
    host.run("traffic", "shared", "1=100")
    done = host.run("deploy", model(intercepts=[2]), "--as", "shared@2")
    assert re.search("^shared@2 ready", done.stdout), done.stdout
    assert host.ask("/functions/shared/predict", [[0, 0]])["version"] == "1"
    assert "takes none" in host.run("status", "shared").stdout


def test_deploy_says_why_it_failed(host, model, compiled, tmp_path):
    truncated = tmp_path / "truncated.json"
    truncated.write_text(json.dumps(LINEAR)[:40])
    pickle = tmp_path / "model.pkl"
    pickle.write_bytes(b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00\x8c\x05model\x94.")
    for name, file, reason in [
        ("broken", compiled("deeds", "BROKEN"), "the flux is out of phase"), ("words", model(model="cubic"), "cubic")
    ]:
        error = error_line(host.run("deploy", file, "--as", f"{name}@1", code=1))
        assert reason in error, error
        assert reason in host.versions(name)["1"]["reason"] and reason in host.run("status", name).stdout
    error = error_line(host.run("deploy", pickle, "--as", "pickled@1", code=1))
    assert "pickle" in error
    assert "nix.ubj" in error_line(host.run("deploy", tmp_path / "nix.ubj", code=1))


def test_versions_are_immutable(host, model):
    host.run("deploy", model(), "--as", "fixed@1")
    error = error_line(host.run("deploy", model(intercepts=[7]), "--as", "fixed@1", code=1))
    assert "immutable" in error and "fixed@2" in error
    assert host.ask("/functions/fixed/predict", [[0, 0]])["predictions"] == [1]
    # The same file again changes nothing.
    assert "fixed@1 serving" in host.run("deploy", model(), "--as", "fixed@1").stdout


def test_a_changed_signature_is_held_until_released(host, model):
    host.run("deploy", model(), "--as", "held@1")
    other = model(features=["age", "wealth"], intercepts=[9])
    error = error_line(host.run("deploy", other, "--as", "held@2", code=1))
    assert "held" in error and "--allow-incompatible" in error and ("income" in error or "wealth" in error)
    assert host.ask("/functions/held/predict", [[0, 0]])["version"] == "1"
    assert "held" in host.run("status", "held").stdout
    host.run("deploy", "held@2", "--allow-incompatible")
    host.wait_for("^held traffic 2=100")
    assert host.ask("/functions/held/predict", {"age": 0, "wealth": 0}) == {"predictions": [9], "version": "2"}
    third = model(features=["age", "health"])
    assert "held@3 serving" in host.run("deploy", third, "--as", "held@3", "--allow-incompatible").stdout


def test_rollback_is_one_step_and_restart_takes_it_back(host, model):
    for version in (1, 2):
        host.run("deploy", model(intercepts=[version]), "--as", f"back@{version}")
    done = host.run("rollback", "back")
    assert "back" in done.stdout and "1" in done.stdout and "2" in done.stdout
    assert host.ask("/functions/back/predict", [[0, 0]])["version"] == "1"
    assert "rejected" in host.run("status", "back").stdout
    assert "back@2" in error_line(host.run("deploy", model(intercepts=[2]), "--as", "back@2", code=1))
    assert error_line(host.run("rollback", "back", code=1))
    host.run("deploy", "back@2", "--restart")
    host.wait_for("^back traffic 2=100", len(host.lines) - 2)
    assert host.ask("/functions/back/predict", [[0, 0]])["version"] == "2"
    assert json.loads(host.run("rollback", "back", "--json").stdout) == {"from": "2", "to": "1"}


def test_traffic(host, model):
    for version in (1, 2):
        host.run("deploy", model(intercepts=[version]), "--as", f"split@{version}")
    host.run("traffic", "split", "1=50", "2=50")
    assert {host.ask("/functions/split/predict", [[0, 0]])["version"] for _ in range(100)} == {"1", "2"}
    shares = json.loads(host.run("traffic", "split", "1=20", "2=80", "--json").stdout)
    assert (shares["shares"], shares["origin"]) == ({"1": 20, "2": 80}, "set")
    assert "set" in host.run("status", "split").stdout
    host.run("traffic", "split", "latest")
    assert {host.ask("/functions/split/predict", [[0, 0]])["version"] for _ in range(50)} == {"2"}
    for wrong in (["1=50"], ["1=50", "3=50"], ["1=60", "2=60"]):
        assert host_error(host, "traffic", "split", *wrong)
    assert "nix" in host_error(host, "traffic", "nix", "1=100")


def host_error(host, *arguments):
    """The error line of a command that must fail, by 1 or by 2."""
    done = subprocess.run([host.binary, *arguments, "--home", host.home], text=True, capture_output=True)
    assert done.returncode in (1, 2), done
    return error_line(done) if done.returncode == 1 else done.stderr.splitlines()[0]


def test_status_in_words_and_as_json(host, model):
    host.run("deploy", model(), "--as", "seen@1")
    host.ask("/functions/seen/predict", [[1, 2]])
    text = host.run("status").stdout
    assert host.url in text and re.search(r"^FUNCTION +VERSION +STATE", text, re.M)
    row = next(line for line in text.splitlines() if line.startswith("seen "))
    assert re.match(r"seen +1 +serving +100 ?% +latest +1 ", row), row
    lines = text.splitlines()
    assert lines[lines.index(row) + 1] == "    1: 0 examples: answers not checked"
    one = host.run("status", "seen@1").stdout
    assert all(word in one for word in ("linear", "sha256", "instance #", "ok 1"))
    report = json.loads(host.run("status", "--json").stdout)
    assert report["host"]["listen"] == host.address
    assert "seen" in [function["name"] for function in report["functions"]]
    assert json.loads(host.run("status", "seen", "--json").stdout)["name"] == "seen"
    assert json.loads(host.run("status", "seen@1", "--json").stdout)["state"] == "serving"
    assert "seen" in error_line(host.run("status", "nix", code=1))
    assert "1" in error_line(host.run("status", "seen@7", code=1))


def test_predict_asks_the_host(host, model, tmp_path):
    host.run("deploy", model(), "--as", "ask@1")
    rows, table = tmp_path / "rows.json", tmp_path / "rows.csv"
    rows.write_text("[[2, 3], [0, 0]]")
    table.write_text("income,age\n3,2\n")
    assert json.loads(host.run("predict", "ask", rows).stdout)["predictions"] == [14, 1]
    assert json.loads(host.run("predict", "ask@1", table).stdout) == {"predictions": [14], "version": "1"}
    for text in ("[[2, 3]]", '{"age": 2, "income": 3}', "2,3\n", "age,income\n2,3\n"):
        assert json.loads(host.run("predict", "ask", "-", input=text).stdout)["predictions"] == [14]
    assert host.run("predict", "ask", table, "--accept", "csv").stdout == "predictions\n14.0\n"
    assert json.loads(host.run("predict", "ask", input="[2, 3]", at=("--url", host.url)).stdout)["predictions"] == [14]
    assert '"income"' in error_line(host.run("predict", "ask", input='[{"age": 1}]', code=1))
    assert "ask" in error_line(host.run("predict", "nix", input="[[1, 2]]", code=1))
    assert "ask@7" in error_line(host.run("predict", "ask@7", input="[[1, 2]]", code=1))


def test_predict_from_a_file_needs_no_host(binary, model, compiled, root):
    file = model("plain.json")
    assert json.loads(command(binary, "predict", file, input="[[2, 3]]").stdout)["predictions"] == [14]
    assert command(binary, "predict", file, "--accept", "csv", input="2,3\n").stdout == "predictions\n14.0\n"
    plugin = compiled("deeds")
    assert json.loads(command(binary, "predict", plugin, input="[[0, 5]]").stdout)["predictions"] == [5]
    assert "gives up" in error_line(command(binary, "predict", plugin, input="[[1, 5]]", code=1))
    assert "signal 11" in command(binary, "predict", plugin, input="[[5, 5]]", code=1).stderr
    assert "got 1" in error_line(command(binary, "predict", file, input="[[2]]", code=1))
    cancer = root / "functions/cancer"
    example = json.loads((cancer / "examples.jsonl").read_text().splitlines()[0])
    answer = json.loads(command(binary, "predict", cancer / "cancer.ubj", input=json.dumps(example["inputs"])).stdout)
    assert answer["label"] == example["outputs"]["label"]


def test_verify(binary, model, compiled, root, tmp_path):
    folder = root / "functions/cancer"
    done = command(binary, "verify", folder / "cancer.ubj", "--examples", folder / "examples.jsonl")
    assert all(word in done.stdout for word in ("trees", "features FP32", "predictions FP32", "golden examples"))
    proof = json.loads(command(binary, "verify", folder / "cancer.ubj", "--json").stdout)
    assert proof["runtime"] == "trees" and proof["examples"] == 0
    assert "0 examples: answers not checked" in command(binary, "verify", compiled("mirror")).stdout
    wrong = tmp_path / "wrong.jsonl"
    wrong.write_text('{"inputs": [[2, 3]], "outputs": {"predictions": [15]}}\n')
    error = error_line(command(binary, "verify", model(), "--examples", wrong, code=1))
    assert "14" in error and "15" in error
    wrong.write_text('{"inputs": [[2, 3]], "outputs": {"predictions": [14]}}\n')
    command(binary, "verify", model(), "--examples", wrong)
    junk = tmp_path / "junk.ubj"
    junk.write_bytes(b"nothing that anybody reads")
    broken = compiled("deeds", "BROKEN")
    half = tmp_path / "half.so"
    half.write_bytes(broken.read_bytes()[:3000])
    for file, reason in ((junk, "junk.ubj"), (broken, "the flux is out of phase"), (half, "half.so")):
        assert reason in error_line(command(binary, "verify", file, code=1))


def test_pack_and_drop(host, binary, root, tmp_path):
    folder = root / "functions/iris"
    packed = tmp_path / "packed@1.so"
    done = command(binary, "pack", folder / "iris.json", "--examples", folder / "examples.jsonl", "-o", packed)
    assert "packed@1.so" in done.stdout
    examples = [json.loads(line) for line in (folder / "examples.jsonl").read_text().splitlines()]
    verified = command(binary, "verify", packed).stdout
    assert f"{len(examples)} golden examples" in verified
    host.drop_and_wait(packed, "packed@1.so", "packed@1")
    version = host.versions("packed")["1"]
    assert version["examples"] == len(examples) and version["state"] == "serving"
    for example in examples:
        answer = host.ask("/functions/packed/predict", json.dumps(example["inputs"]))
        assert answer["label"] == example["outputs"]["label"]
    # What does not hold does not serve.
    wrong = tmp_path / "wrong.jsonl"
    wrong.write_text(json.dumps(examples[0] | {"outputs": {"label": ["nix"]}}) + "\n")
    command(binary, "pack", folder / "iris.json", "--examples", wrong, "--runtime", "linear", "-o", tmp_path / "w.so")
    error = error_line(host.run("deploy", tmp_path / "w.so", "--as", "packed@2", code=1))
    assert "nix" in error
    assert host.ask("/functions/packed/predict", json.dumps(examples[0]["inputs"]))["version"] == "1"
    error = error_line(command(binary, "pack", folder / "iris.json", "--runtime", "nix", "-o", tmp_path / "n.so", code=1))
    assert "linear" in error and "trees" in error


def test_a_card_describes_the_columns(host, binary, tmp_path):
    model = tmp_path / "m.json"
    model.write_text(json.dumps({
        "format": "roost-linear", "version": 1, "model": "linear", "features": ["a", "b"],
        "coefficients": [[2, 3]], "intercepts": [1]}))
    card = tmp_path / "card.json"
    columns = [
        {"name": "b", "type": "category", "categories": ["low", "high"]},
        {"name": "a", "missing": "refused", "range": [0, 10]},
    ]
    card.write_text(json.dumps({"description": "sums", "columns": columns}))
    packed = tmp_path / "carded@1.so"
    command(binary, "pack", model, "--card", card, "-o", packed)
    host.drop_and_wait(packed, "carded@1.so", "carded@1")
    # In the order of the model, whose columns have names.
    shown = host.get("/v2/models/carded").json["columns"]
    assert [column["name"] for column in shown] == ["a", "b"] and shown[1]["categories"] == ["low", "high"]
    assert host.ask("/functions/carded/predict", json.dumps([{"a": 2, "b": "high"}]))["predictions"] == [8]
    for row, word in (({"b": "high"}, "a"), ({"a": None, "b": "low"}, "a"), ({"a": 1, "b": "odd"}, "odd")):
        reply = host.post("/functions/carded/predict", [row])
        assert reply.status == 400 and word in reply.json["error"]
    # What training did not see is accepted, and counted.
    rows = tmp_path / "rows.csv"
    rows.write_text("a,b\n1,low\n11,high\n-1,low\n10,low\n")
    command(binary, "score", packed, rows, "-o", tmp_path / "out.csv")
    told = {one["name"]: one for one in json.loads((tmp_path / "out.csv.meta.json").read_text())["data"]["columns"]}
    assert told["a"]["range"] == [0, 10] and told["a"]["out_of_range"] == 2
    # One that does not fit the model fails, and one that no host would take is not packed.
    card.write_text(json.dumps({"columns": [{"name": "a"}, {"name": "c"}]}))
    command(binary, "pack", model, "--card", card, "--runtime", "linear", "-o", tmp_path / "w.so")
    assert "\"b\"" in error_line(host.run("deploy", tmp_path / "w.so", "--as", "carded@2", code=1))
    card.write_text('{"columns": [{"type": "number"}]}')
    error = error_line(command(binary, "pack", model, "--card", card, "-o", tmp_path / "n.so", code=1))
    assert "name" in error and "card.json" in error


def test_examples_beside_a_bare_model_file_are_checked(host, model):
    (host.home / "functions/beside").mkdir(parents=True)
    examples = host.home / "functions/beside/examples.jsonl"
    examples.write_text('{"inputs": [[2, 3]], "outputs": {"predictions": [14]}}\n')
    host.run("deploy", model(), "--as", "beside@1")
    assert host.versions("beside")["1"]["examples"] == 1
    error = error_line(host.run("deploy", model(intercepts=[2]), "--as", "beside@2", code=1))
    assert "15" in error and "14" in error
    # A model that was trained again answers otherwise: its own examples go before the function's.
    (examples.parent / "examples@3.jsonl").write_text('{"inputs": [[2, 3]], "outputs": {"predictions": [15]}}\n' * 2)
    host.run("deploy", model(intercepts=[2]), "--as", "beside@3")
    assert host.versions("beside")["3"]["examples"] == 2


def test_logs(host, compiled):
    host.run("deploy", compiled("deeds"), "--as", "talks@1")
    host.ask("/functions/talks/predict", [[7, 41]])
    host.refused("/functions/talks/predict", [[5, 0]], 500)
    host.until(lambda: b"signal 11" in host.get("/functions/talks/logs").body)
    for arguments in (["talks"], ["talks@1"]):
        printed = host.run("logs", *arguments).stdout
        assert "printed 41" in printed and "signal 11" in printed
    assert "talks" in error_line(host.run("logs", "nix", code=1))
    assert error_line(host.run("logs", "talks@9", code=1))


def test_no_host_says_how_to_find_one(binary, tmp_path):
    error = error_line(command(binary, "status", "--home", tmp_path, code=1))
    assert "--url" in error or "roost serve" in error
    assert error_line(command(binary, "status", "--url", "http://127.0.0.1:1", code=1))


def test_one_home_has_one_host(host, binary):
    error = command(binary, "serve", "--home", host.home, "--listen", "127.0.0.1:0", code=1).stderr
    assert str(host.home) in error or "already" in error


@pytest.mark.parametrize("arguments", [
    ["nix"], ["deploy"], ["deploy", "a", "b"], ["status", "--nix"], ["predict"], ["traffic", "plus"],
    ["traffic", "plus", "1=x"], ["traffic", "plus", "latest", "1=100"], ["logs"], ["rollback"], ["verify"], ["pack"],
    ["serve", "--listen", "nix"], ["serve", "--listen", "127.0.0.1:99999"], ["serve", "--max-body", "many"],
    ["serve", "x"], ["deploy", "plus@1"], ["score", "plus"], ["jobs", "nix", "x"], [],
    ["deploy", "x.ubj", "--as", "../x"], ["status", "no name"]])
def test_wrong_usage_is_exit_2_and_says_what_is_right(host, binary, arguments):
    done = command(binary, *arguments, code=2)
    assert done.stdout == "" and ("--help" in done.stderr or "usage:" in done.stderr), done.stderr


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_every_command(binary, name):
    page = command(binary, name, "--help").stdout
    assert page.startswith(f"usage: roost {name}") and "examples:" in page and "--help" in page
    assert max(map(len, page.splitlines())) <= 100


def test_help_and_version(binary):
    page = command(binary, "--help").stdout
    assert all(re.search(rf"^  {name}\b", page, re.M) for name in COMMANDS) and "exit" in page.lower()
    assert re.fullmatch(r"roost \d+\.\d+\.\d+\n", command(binary, "--version").stdout)
