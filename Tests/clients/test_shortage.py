"""A host that may open no more files, or whose stored files are broken: what serves goes on, what cannot be done is said,
and all is well again as soon as it can be."""

import concurrent.futures
import contextlib
import http.client
import json
import os
import resource
import socket

import pytest

from host import Host, Reply, build_plugin, linear_model, wait_until

ROW = [3.0, 0.0]
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def host(tmp_path):
    with Host(tmp_path / "home") as host:
        host.drop("steady@1.json", linear_model(1))
        host.wait_serving("steady", 1)
        yield host
        assert host.stop() == 0


@contextlib.contextmanager
def descriptors_left(host, count):
    """The host may open so many more files; with None, none under whatever number."""
    used = {int(number) for number in os.listdir(f"/proc/{host.pid}/fd")}
    free = (number for number in range(1 << 20) if number not in used)
    limit = 3 if count is None else [next(free) for _ in range(count + 1)][-1]
    before = resource.prlimit(host.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(host.pid, resource.RLIMIT_NOFILE, (limit, before[1]))
    try:
        yield
    finally:
        resource.prlimit(host.pid, resource.RLIMIT_NOFILE, before)


def instance(host):
    """The name of the one that serves, which is never given again."""
    [one] = host.version("steady", 1)["instances"]
    return one["id"]


class Kept:
    """One connection that is open before descriptors are short."""

    def __init__(self, host):
        self.host = host
        self.connection = http.client.HTTPConnection("127.0.0.1", host.port, timeout=20)
        assert self.ask("GET", "/v2/health/live").status == 200

    def ask(self, method, path, body=None):
        self.connection.request(method, path, body if body is None else json.dumps(body), JSON)
        return Reply(self.connection.getresponse())

    def predict(self, name, rows):
        return self.ask("POST", self.host.path(name), rows)

    def instances(self, name):
        return self.ask("GET", f"/functions/{name}").json["versions"][0]["instances"]


def test_without_descriptors_an_instance_can_be_forked_and_ended(host):
    host.manifest("shy", {"scale": {"idle": "200ms"}})
    host.drop("shy@1.json", linear_model(1))
    host.wait_serving("shy", 1)
    assert host.predict("steady", [ROW]).predictions == [4.0]
    wait_until(lambda: host.version("shy", 1)["warmth"] == "warm", "a template")
    kept, before = Kept(host), instance(host)
    with descriptors_left(host, None):
        assert kept.predict("shy", [ROW]).predictions == [4.0]
        # Nobody needs it after a while, and its process has to be ended though the host holds nothing of it.
        wait_until(lambda: kept.instances("shy") == [], "the end of the instance")
        assert kept.predict("steady", [ROW]).predictions == [4.0]
    assert instance(host) == before
    assert host.predict("shy", [ROW]).predictions == [4.0]
    assert not [line for line in host.warnings if "nursery was lost" in line]


def test_a_body_that_the_host_cannot_hand_over_is_refused_and_ends_nobody(host):
    assert host.predict("steady", [ROW]).predictions == [4.0]
    kept, before = Kept(host), instance(host)
    large = [[float(row), 0.0] for row in range(50_000)]
    with descriptors_left(host, None):
        reply = kept.predict("steady", large)
        assert reply.status == 503 and "could not be given this request" in reply.error, reply.body[:200]
        assert reply.headers["Retry-After"] == "1"
        assert kept.predict("steady", [ROW]).predictions == [4.0]
    assert instance(host) == before
    assert host.predict("steady", large).predictions == [row[0] + 1 for row in large]


def test_manifests_that_cannot_be_read_now_stay_in_force_and_are_read_later(host):
    host.manifest("steady", {"description": "first"})
    wait_until(lambda: host.status("steady").get("description") == "first", "the manifest")
    kept = Kept(host)
    with descriptors_left(host, None):
        host.manifest("steady", {"description": "second"})
        for _ in range(200):
            assert kept.ask("GET", "/functions/steady").json.get("description") == "first"
    wait_until(lambda: host.status("steady").get("description") == "second", "the next one")


def test_who_finds_no_descriptor_waits_for_one_and_is_answered(host):
    kept = Kept(host)
    body = json.dumps([ROW]).encode()
    request = (f"POST {host.path('steady')} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
               f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n").encode() + body

    def ask(_):
        with socket.create_connection(("127.0.0.1", host.port), timeout=20) as connection:
            connection.sendall(request)
            reply = b""
            while part := connection.recv(65536):
                reply += part
            return reply

    with descriptors_left(host, 16), concurrent.futures.ThreadPoolExecutor(80) as pool:
        replies = list(pool.map(ask, range(240)))
    assert all(reply.startswith(b"HTTP/1.1 200 ") for reply in replies), {reply[:200] for reply in replies}
    assert all(json.loads(reply.partition(b"\r\n\r\n")[2])["predictions"] == [4.0] for reply in replies)
    assert kept.predict("steady", [ROW]).predictions == [4.0]


def end(host, name):
    """All that runs of it."""
    version = host.version(name, 1)
    for pid in [version.get("template", {}).get("pid", 0)] + [one["pid"] for one in version["instances"]]:
        with contextlib.suppress(ProcessLookupError):
            if pid > 1:
                os.kill(pid, 9)


@pytest.mark.parametrize("how", ["removed", "cut off", "changed"])
def test_a_broken_file_of_the_store_is_never_loaded_and_may_be_mended(host, tmp_path, how):
    host.manifest("code", {"timeout": "1s"})
    host.drop("code@1.so", build_plugin(tmp_path / "code.so", OFFSET=1))
    host.wait_serving("code", 1)
    file = host.home / "state" / "store" / host.version("code", 1)["digest"]
    good, aside = file.read_bytes(), file.with_name(".aside")
    at = good.index(b"chaos")
    broken = {"removed": None, "cut off": good[:1000], "changed": good[:at] + b"CHAOS" + good[at + 5:]}[how]
    file.unlink()
    if broken is not None:
        file.write_bytes(broken)
    end(host, "code")
    reply = wait_until(lambda: (reply := host.predict("code", [ROW])).status != 200 and reply, "a refusal")
    assert reply.status in (500, 503, 504) and reply.error
    assert host.predict("steady", [ROW]).predictions == [4.0]
    reason = {"removed": "No such file", "cut off": "was changed", "changed": "was changed"}[how]
    wait_until(lambda: reason in host.version("code", 1)["last_failure"], lambda: host.version("code", 1))
    aside.write_bytes(good)
    aside.rename(file)
    wait_until(lambda: host.predict("code", [ROW]).status == 200, lambda: host.version("code", 1))
    assert host.predict("code", [ROW]).predictions == [4.0]
