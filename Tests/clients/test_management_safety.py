"""Who may manage a host, and what its manifests and data may lead it to: tokens, browsers, paths that try to leave
`data/`, and URLs that point back inside."""

import ctypes
import json
import os
import re
import socket
import stat
import threading
import time

import pytest
from cloudevents.http import CloudEvent, to_binary
from host import NOTHING, ROOST, Host, build_plugin, linear_model, roost, wait_until

TOKEN = "6f1ed002ab5595859014ebf0951522d9"
JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def plugin(tmp_path_factory):
    return build_plugin(tmp_path_factory.mktemp("builds") / "chaos.so")


@pytest.fixture
def host(tmp_path):
    """sum@1 and sum@2, of which 2 serves."""
    with Host(tmp_path / "home") as host:
        for version in (1, 2):
            host.drop(f"sum@{version}.json", linear_model(version))
            host.wait_serving("sum", version)
        yield host


# Where it listens.


def test_the_socket_is_its_owners_alone(host):
    state = host.home / "state"
    assert stat.S_IMODE((state / "roost.sock").stat().st_mode) == 0o600
    assert stat.S_IMODE(state.stat().st_mode) == 0o700


def test_it_listens_on_loopback_only(host):
    inodes = {os.readlink(f"/proc/{host.pid}/fd/{number}") for number in os.listdir(f"/proc/{host.pid}/fd")}
    listening = []
    for family in ("tcp", "tcp6"):
        with open(f"/proc/{host.pid}/net/{family}") as file:
            for fields in map(str.split, file.readlines()[1:]):
                if fields[3] == "0A" and f"socket:[{fields[9]}]" in inodes:
                    listening.append(fields[1])
    assert listening == [f"0100007F:{host.port:04X}"]
    assert "default: 127.0.0.1:8080" in roost("serve", "--help").stdout


# Tokens.


@pytest.fixture(scope="module")
def token_file(tmp_path_factory):
    file = tmp_path_factory.mktemp("secrets") / "token"
    file.write_text(f"{TOKEN}\n")
    return file


@pytest.fixture(scope="module")
def guarded(tmp_path_factory, token_file):
    """A host for the network, whose management asks for a token."""
    with Host(tmp_path_factory.mktemp("guarded") / "home", "--token-file", token_file, "--listen", "0.0.0.0:0") as host:
        host.drop("sum@1.json", linear_model(1))
        wait_until(lambda: json.loads(roost("status", "sum", "--json", "--home", host.home).stdout or "{}")
                   .get("versions", [{}])[0].get("state") == "serving", "it serves")
        yield host


MANAGEMENT = [
    ("GET", "/functions"), ("GET", "/functions/sum"), ("GET", "/functions/sum/logs"), ("GET", "/audit"), ("GET", "/jobs"),
    ("GET", "/"), ("PUT", "/functions/sum/traffic"), ("POST", "/functions/sum/rollback"), ("PUT", "/functions/sum/versions/9"),
    ("POST", "/functions/sum/jobs"), ("POST", "/v2/repository/index"), ("POST", "/v2/repository/models/sum/unload"),
    ("POST", "/v2/repository/models/sum/load")]


@pytest.mark.parametrize("method,path", MANAGEMENT)
@pytest.mark.parametrize("shown", [
    None, "", "Bearer", "Bearer ", TOKEN, f"Basic {TOKEN}", f"Bearer {TOKEN[:-1]}", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}0",
    f"Bearer {TOKEN} {TOKEN}", f"Bearer x{TOKEN[1:]}", "Bearer " + "x" * 9000], ids=lambda shown: repr(shown)[:24])
def test_without_the_token_there_is_no_management(guarded, method, path, shown):
    kind = "application/octet-stream" if path.endswith("/9") else "application/json"
    reply = guarded.call(method, path, b"{}", {"Content-Type": kind} | ({} if shown is None else {"Authorization": shown}))
    assert reply.status == 401 and reply.headers["WWW-Authenticate"].startswith("Bearer"), reply.body
    assert "token" in reply.error and TOKEN not in reply.error


def test_a_token_that_comes_twice_counts_for_nothing(guarded):
    with socket.create_connection(("127.0.0.1", guarded.port), timeout=20) as connection:
        connection.sendall(f"GET /functions HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {TOKEN}\r\n"
                           f"Authorization: Bearer x\r\n\r\n".encode())
        assert connection.recv(1000).startswith(b"HTTP/1.1 401 ")


def test_with_the_token_everything_is_served(guarded):
    shown = JSON | {"Authorization": f"Bearer {TOKEN}"}
    assert guarded.call("GET", "/functions/sum", headers=shown).json["versions"][0]["state"] == "serving"
    # In other letters the scheme is the same, and who has the token may call the host as it likes.
    shown = {"authorization": f"bEARER  {TOKEN}".replace("  ", " "), "Host": "models.example", **JSON}
    assert guarded.call("PUT", "/functions/sum/traffic", {"1": 100}, shown).status == 200
    foreign = shown | {"Origin": "http://evil.example"}
    assert guarded.call("PUT", "/functions/sum/traffic", {"1": 100}, foreign).status == 403


def test_inference_needs_no_token(guarded):
    assert guarded.predict("sum", [[1, 2]]).predictions == [4]
    for path in ("/v2", "/v2/health/live", "/v2/health/ready", "/v2/models/sum", "/v2/models/sum/stats", "/metrics"):
        assert guarded.get(path).status == 200, path


def test_an_upload_without_the_token_is_not_even_written(guarded):
    before = sorted(file.name for file in guarded.plugins.iterdir())
    headers = {"Content-Type": "application/octet-stream", "Roost-File-Extension": "json"}
    assert guarded.call("PUT", "/functions/sum/versions/3", linear_model(3), headers).status == 401
    assert sorted(file.name for file in guarded.plugins.iterdir()) == before
    shown = headers | {"Authorization": f"Bearer {TOKEN}"}
    assert guarded.call("PUT", "/functions/sum/versions/3", linear_model(3), shown).status == 202
    wait_until(lambda: guarded.predict("sum", [[1, 2]], version=3).status == 200, "what was uploaded is there")
    assert guarded.predict("sum", [[1, 2]], version=3).predictions == [6]


def test_the_command_line_has_the_token_or_the_socket(guarded, token_file, tmp_path):
    url = f"http://127.0.0.1:{guarded.port}"
    assert "sum" in roost("status", "--home", guarded.home).stdout, "the socket asks for none"
    without = roost("status", "--url", url)
    assert without.returncode == 1 and "token" in without.stderr and "--token-file" in without.stderr
    assert "sum" in roost("status", "--url", url, "--token-file", token_file).stdout
    environment = os.environ | {"ROOST_TOKEN_FILE": str(token_file), "ROOST_URL": url}
    assert "sum" in roost("status", env=environment, cwd=tmp_path).stdout
    wrong = tmp_path / "wrong"
    wrong.write_text("x" * 32)
    assert roost("status", "--url", url, "--token-file", wrong).returncode == 1
    missing = roost("status", "--url", url, "--token-file", tmp_path / "none")
    assert missing.returncode == 1 and "none: No such file" in missing.stderr


@pytest.mark.parametrize("content,words", [
    (None, "No such file"), ("", "16 to 4096"), ("short", "16 to 4096"), ("x" * 5000, "16 to 4096"),
    (f"{TOKEN}\n{TOKEN}", "one token"), (f"{TOKEN}\x00", "one token"), ("ä" * 32, "one token")])
def test_a_token_that_cannot_be_one_ends_the_start(tmp_path, content, words):
    file = tmp_path / "token"
    if content is not None:
        file.write_text(content)
    done = roost("serve", "--home", tmp_path / "home", "--listen", "127.0.0.1:0", "--token-file", file)
    assert done.returncode == 1 and words in done.stderr and "listening" not in done.stdout, done


# Browsers.


@pytest.mark.parametrize("call", ["load", "unload"])
def test_pages_of_other_sites_neither_load_nor_unload(host, call):
    path = f"/v2/repository/models/sum/{call}"
    origin = f"http://127.0.0.1:{host.port}"
    for headers, status in [
            ({"Origin": "http://evil.example"}, 403), ({"Origin": "null"}, 403), ({"Sec-Fetch-Site": "cross-site"}, 403),
            ({"Host": "evil.example"}, 403), ({"Origin": origin, "Content-Type": "text/plain"}, 415),
            ({"Content-Type": "application/x-www-form-urlencoded"}, 415), ({"Sec-Fetch-Site": "same-origin"}, 415)]:
        with socket.create_connection(("127.0.0.1", host.port), timeout=20) as connection:
            fields = "".join(f"{name}: {value}\r\n" for name, value in ({"Host": "localhost"} | headers).items())
            connection.sendall(f"POST {path} HTTP/1.1\r\n{fields}Connection: close\r\nContent-Length: 0\r\n\r\n".encode())
            assert connection.recv(1000).startswith(b"HTTP/1.1 %d " % status), headers
    assert host.predict("sum", [[1, 2]]).version == "2"


# Paths.


def exchange(one, other):
    """Two names trade places in one step, so that there is no moment at which one of them is missing."""
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.renameat2(-100, os.fsencode(one), -100, os.fsencode(other), 2) == 0, os.strerror(ctypes.get_errno())


class Flipping:
    """While the block runs, a folder of `data/` and a link that leads out trade places without end."""

    def __init__(self, folder, outside):
        self.folder, self.link = folder, folder.parent / f".{folder.name}.link"
        folder.mkdir(parents=True, exist_ok=True)
        self.link.symlink_to(outside)
        self._end = threading.Event()

    def _flip(self):
        while not self._end.is_set():
            exchange(self.folder, self.link)
            self.flips += 1

    def __enter__(self):
        self.flips = 0
        self._thread = threading.Thread(target=self._flip)
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        self._thread.join()
        assert self.flips > 10
        real = self.folder if not self.folder.is_symlink() else self.link
        self.files = sorted(file.name for file in real.iterdir())


ROWS = "a,b\n" + "".join(f"{number},0\n" for number in range(20))


def test_no_job_writes_outside_while_its_folder_and_a_link_trade_places(host, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    data = host.home / "data"
    (data / "in.csv").write_text(ROWS)
    with Flipping(data / "out", outside) as flipping:
        jobs = [host.call("POST", "/functions/sum/jobs", {"input": "in.csv", "output": f"out/{number}.csv"}).json["id"]
                for number in range(25)]
        states = [host.get(f"/jobs/{job}?wait=1").json for job in jobs]
    assert os.listdir(outside) == []
    assert {job["state"] for job in states} <= {"done", "failed"}
    for job in states:
        if job["state"] == "failed":
            assert "leads out of" in job["reason"], job
        else:
            assert os.path.basename(job["output"]) in flipping.files
    # A folder that stays what it is: nothing of that has broken anything.
    assert host.call("POST", "/functions/sum/jobs", {"input": "in.csv", "output": "new/a/b.csv"}).status == 202
    wait_until((data / "new/a/b.csv").exists, "the output")


def test_no_job_reads_outside_while_its_folder_and_a_link_trade_places(host, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "in.csv").write_text("a,b\n1000000,0\n")
    data = host.home / "data"
    (data / "in").mkdir(parents=True)
    (data / "in/in.csv").write_text(ROWS)
    with Flipping(data / "in", outside):
        for number in range(40):
            reply = host.call("POST", "/functions/sum/jobs", {"input": "in/in.csv", "output": f"out-{number}.csv"})
            if reply.status == 202:
                host.get(f"/jobs/{reply.json['id']}?wait=1")
            else:
                assert reply.status in (400, 404) and ("link" in reply.error or "Not a directory" in reply.error), reply.body
    for file in data.glob("out-*.csv"):
        assert "1000000" not in file.read_text()


def test_links_that_stay_inside_are_folders(host):
    """What a person keeps in order by links goes on working; an absolute one could lead anywhere, and is refused."""
    data = host.home / "data"
    (data / "2026").mkdir(parents=True)
    (data / "in.csv").write_text(ROWS)
    (data / "now").symlink_to("2026")
    (data / "absolute").symlink_to(data / "2026")
    (data / "up").symlink_to("../data/2026")
    for folder, state in [("now", "done"), ("absolute", "failed"), ("up", "failed")]:
        job = host.call("POST", "/functions/sum/jobs", {"input": "in.csv", "output": f"{folder}/out.csv"}).json["id"]
        assert host.get(f"/jobs/{job}?wait=1").json["state"] == state, folder
    assert (data / "2026/out.csv").exists()


def test_a_trigger_puts_nothing_away_outside(host, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (host.home / "data").mkdir(exist_ok=True)
    for name in ("done", "outbox"):
        (host.home / "data" / name).symlink_to(outside)
    host.manifest("sum", {"triggers": [{"type": "file", "watch": "inbox/*.csv", "retry": {"attempts": 1}}]})
    inbox = host.home / "data/inbox"
    wait_until(inbox.is_dir, "the watched folder is made")
    (inbox / "a.csv").write_text(ROWS)
    # Its output cannot be written, so it has failed, and is put where that is said.
    wait_until((host.home / "data/failed/a.csv").exists, "it is put away")
    assert "leads out of" in (host.home / "data/failed/a.csv.reason.txt").read_text()
    assert os.listdir(outside) == []


# Events and sinks.

RETRY = {"attempts": 2, "backoff": "10ms", "max_backoff": "20ms"}


@pytest.fixture
def listening(tmp_path, plugin):
    with Host(tmp_path / "home") as host:
        host.drop("f@1.so", plugin)
        host.wait_serving("f", 1)
        yield host


def listen(host, *triggers):
    host.manifest("f", {"triggers": [{"type": "event", "retry": RETRY, **trigger} for trigger in triggers]})
    wait_until(lambda: len([one for one in host.status("f").get("triggers", []) if one["type"] == "event"])
               == len(triggers), "the triggers")


def send(host, number, data):
    headers, body = to_binary(CloudEvent({"type": "rows", "source": "/a", "id": str(number)}, data))
    return host.call("POST", "/events", body, {**JSON, **{name.title(): value for name, value in headers.items()}})


def letters(host, trigger):
    return host.get(f"/functions/f/async?trigger={trigger}").json["items"]


def test_files_that_events_name_stay_below_data(listening, tmp_path):
    host = listening
    secret = tmp_path / "secret.csv"
    secret.write_text("a,b\n1,2\n")
    data = host.home / "data"
    data.mkdir(exist_ok=True)
    (data / "link.csv").symlink_to(secret)
    (data / "folder").symlink_to(tmp_path)
    listen(host, {"input": {"file": "path"}, "output": "scored"})
    paths = ["../../secret.csv", str(secret), "link.csv", "folder/secret.csv", "a/../../../secret.csv", "/etc/passwd", "", ".",
             f"{data}/../../secret.csv", "link.csv/", "\x00", 7, None]
    for number, path in enumerate(paths):
        assert send(host, number, {"path": path}).status in (202, 422)
    wait_until(lambda: (found := host.status("f")["triggers"][0])["dead"] + found["done"] + found.get("refused", 0) > 0
               and found["waiting"] + found["running"] == 0, "all have ended")
    assert host.status("f")["triggers"][0]["done"] == 0
    assert not (data / "scored").exists() or not [file for file in (data / "scored").iterdir() if file.suffix == ".csv"]
    assert secret.read_text() == "a,b\n1,2\n"


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "[::1]", "0.0.0.0", "127.1", "2130706433", "[::ffff:127.0.0.1]"])
def test_a_sink_cannot_be_the_hosts_own_management(listening, name):
    host = listening
    paths = ["/functions/f/versions/1/restart", "/v2/repository/models/f/unload", "/functions/f/%72ollback"]
    listen(host, *({"sink": f"http://{name}:{host.port}{path}", "name": f"t{number}"} for number, path in enumerate(paths)))
    send(host, 1, [[3.0, NOTHING]])
    for number in range(len(paths)):
        found = wait_until(lambda: letters(host, f"t{number}/sink"), "the dead letter")[0]
        assert (found["cause"], found["attempts"]) == ("permanent", 1) and "must not be called" in found["error"], found
    assert host.predict("f", [[3.0, NOTHING]]).predictions == [3.0]


def test_a_sink_cannot_be_link_local(listening):
    host = listening
    listen(host, {"sink": "http://169.254.169.254/latest", "name": "a"}, {"sink": "http://[fe80::1]/", "name": "b"},
           {"sink": "http://[::ffff:169.254.169.254]/", "name": "c"})
    send(host, 1, [[3.0, NOTHING]])
    for name in "abc":
        (found,) = wait_until(lambda: letters(host, f"{name}/sink"), "the dead letter")
        assert found["cause"] == "permanent" and "link-local" in found["error"], found


def test_a_sink_may_be_the_hosts_own_events(listening):
    """What is open to everybody may be called: one function's outcome can be another one's input."""
    host = listening
    listen(host, {"filter": {"type": "rows"}, "sink": f"http://127.0.0.1:{host.port}/events", "name": "first"},
           {"filter": {"type": "roost.prediction"}, "reply": False, "name": "second"})
    send(host, 1, [[3.0, NOTHING]])
    def counts():
        return {one["name"]: one for one in host.status("f")["triggers"]}
    wait_until(lambda: counts()["first/sink"]["done"] == 1, counts)
    wait_until(lambda: counts()["second"]["done"] + counts()["second"]["dead"] == 1, counts)


def test_the_gate_of_a_rollout_cannot_be_the_hosts_own_management(host):
    url = f"http://127.0.0.1:{host.port}/functions/sum/rollback"
    host.manifest("sum", {"rollout": {"steps": [10, 100], "interval": "5s", "gates": [{"url": url, "at": "start", "timeout": "5s"}]}})
    wait_until(lambda: not host.status("sum")["notes"], lambda: host.status("sum")["notes"])
    host.drop("sum@3.json", linear_model(3))
    wait_until(lambda: "must not be called" in json.dumps(host.status("sum").get("rollout", {})), lambda: host.status("sum"))
    assert host.predict("sum", [[1, 2]]).version == "2"
