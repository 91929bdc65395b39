"""HTTP as clients may speak it, and clients that are slow, rude, or gone: what each rule of the gateway promises."""

import email.utils
import json
import os
import re
import shutil
import socket
import struct
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from running_host import LINEAR, PATIENCE, Host


def connect(host, **options):
    name, port = host.address.replace("0.0.0.0", "127.0.0.1").split(":")
    connection = socket.create_connection((name, int(port)), timeout=PATIENCE)
    for option, value in options.items():
        connection.setsockopt(socket.SOL_SOCKET, getattr(socket, f"SO_{option.upper()}"), value)
    return connection


class Replies:
    """Reads one reply after the other."""

    def __init__(self, connection):
        self.connection, self.stream = connection, b""

    def _fill(self):
        piece = self.connection.recv(1 << 16)
        self.stream += piece
        return bool(piece)

    def next(self, has_body=True):
        """Status, fields in small letters, body; None at the end of the stream."""
        while b"\r\n\r\n" not in self.stream:
            if not self._fill():
                assert self.stream == b"", self.stream
                return None
        head, _, self.stream = self.stream.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        fields = dict(line.lower().split(": ", 1) for line in lines[1:])
        size = int(fields.get("content-length", 0)) if has_body else 0
        while len(self.stream) < size:
            assert self._fill(), "a reply that ends too early"
        body, self.stream = self.stream[:size], self.stream[size:]
        return int(lines[0].split()[1]), fields, body


def exchange(host, request, has_body=True):
    with connect(host) as connection:
        connection.sendall(request)
        return Replies(connection).next(has_body)


def post(path, body, *fields):
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    head = "".join(f"{field}\r\n" for field in fields)
    return f"POST {path} HTTP/1.1\r\nHost: x\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def reset(connection):
    """Ends a connection as a client that crashes or is cut off: by a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


PLUS = "/functions/plus/predict"
DEEDS = "/functions/deeds/predict"
SLEEP = 4  # the deed of a row [4, milliseconds]


# Framing, methods, status.


@pytest.mark.parametrize("head", ["POST /nix", "GET /nix", "DELETE /v2/health/live", "PUT /functions/plus/nix"])
@pytest.mark.parametrize("rest", [
    "Transfer-Encoding: chunked\r\n\r\nx\r\n", "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
    "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"])
def test_framing_errors_win_over_paths_and_methods(served, head, rest):
    status, fields, _ = exchange(served, f"{head} HTTP/1.1\r\nHost: x\r\n{rest}".encode())
    assert (status, fields["connection"]) == (400, "close")


def test_no_404_before_the_body_is_there(served):
    with connect(served) as connection:
        connection.sendall(b"POST /nix HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nabcd")
        connection.settimeout(0.2)
        with pytest.raises(TimeoutError):
            connection.recv(1)
        connection.settimeout(PATIENCE)
        connection.sendall(b"e")
        assert Replies(connection).next()[0] == 404


def test_405_comes_before_403(served):
    for method, path, allowed in [("GET", "/functions/plus/rollback", "post"), ("POST", "/functions/plus/traffic", "put"),
                                  ("PUT", "/functions/plus/rollout", "get, head, post")]:
        reply = served.request(method, path, "{}", headers={"Origin": "http://evil.example", "Host": "evil.example"})
        assert reply.status == 405 and reply.headers["Allow"].lower() == allowed, reply
    assert served.request("POST", "/functions/plus/rollback", "{}", headers={"Origin": "http://evil.example"}).status == 403


def test_head_is_get_without_the_body(served):
    for path in ("/v2/health/live", "/functions/plus", "/metrics", "/nix", "/functions/plus/rollback"):
        line = f" {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
        with connect(served) as connection:
            replies = Replies(connection)
            connection.sendall(b"HEAD" + line + b"GET /v2/health/live HTTP/1.1\r\nHost: x\r\n\r\n")
            status, fields, _ = replies.next(has_body=False)
            assert replies.next()[2] == b'{"live":true}', "the next reply follows at once"
        wanted, others, body = exchange(served, b"GET" + line)
        assert (status, fields["content-type"]) == (wanted, others["content-type"])
        if path not in ("/functions/plus", "/metrics"):  # whose figures change
            assert int(fields["content-length"]) == len(body) > 0


def test_every_reply_has_a_date_and_an_id(served):
    for request in (b"GET /v2/health/live HTTP/1.1\r\nHost: x\r\n\r\n", post(PLUS, [[1, 2]]), post("/nix", b""), b"nonsense\r\n"):
        _, fields, _ = exchange(served, request)
        date = email.utils.parsedate_to_datetime(fields["date"]).timestamp()
        # Whole seconds, looked at once a second.
        assert abs(date - time.time()) < 5
        assert re.fullmatch("[0-9a-z]{24}", fields["x-request-id"])


def test_the_target_may_be_absolute_and_is_decoded_once(served):
    for target, status in [(f"http://x{PLUS}", 200), ("http://y:81/functions/plu%73/predict", 200), ("/functions/plu%2573/predict", 404),
                           ("/functions%2Fplus/predict", 404), ("http://x", 405)]:
        reply = exchange(served, post(target, [[1, 2]]))
        assert reply[0] == status, (target, reply)


def test_continue_is_said_once_and_only_when_it_is_waited_for(served):
    body = b"[[1, 2]]"
    head = post(PLUS, body, "Expect: 100-continue")[:-len(body)]
    with connect(served) as connection:
        replies = Replies(connection)
        connection.sendall(head)
        assert replies.next()[0] == 100
        connection.sendall(body)
        assert replies.next()[0] == 200
        # In one piece with its body there is nothing to wait for.
        connection.sendall(head + body)
        assert replies.next()[0] == 200
        # Behind another request: its reply comes first.
        connection.sendall(post(DEEDS, [[SLEEP, 100]]) + head)
        assert [replies.next()[0], replies.next()[0]] == [200, 100]
        connection.sendall(body)
        assert replies.next()[0] == 200
    with connect(served) as connection:
        connection.sendall(head.replace(b"HTTP/1.1", b"HTTP/1.0") + body)
        assert Replies(connection).next()[0] == 200, "HTTP/1.0 knows no 100"


def test_http_1_0_ends_the_connection_unless_it_asks(served):
    request = post(PLUS, [[1, 2]]).replace(b"HTTP/1.1", b"HTTP/1.0")
    with connect(served) as connection:
        connection.sendall(request)
        replies = Replies(connection)
        assert replies.next()[0] == 200 and replies.next() is None
    with connect(served) as connection:
        replies = Replies(connection)
        for _ in range(2):
            connection.sendall(request.replace(b"\r\n", b"\r\nConnection: Keep-Alive\r\n", 1))
            status, fields, _ = replies.next()
            assert (status, fields["connection"]) == (200, "keep-alive")


# Pipelines, and clients that go.


def test_of_one_connection_sixteen_requests_are_under_way(served):
    """The rest waits unread; all are answered in order."""
    with connect(served) as connection:
        replies = Replies(connection)
        connection.sendall(b"".join(post(DEEDS, [[SLEEP, 20 + number]]) for number in range(40)))

        def under_way():
            one = served.versions("deeds")["1"]
            return one["queue"] + sum(instance["outstanding"] for instance in one["instances"])

        served.until(lambda: under_way() >= 16)
        assert under_way() <= 16
        for number in range(40):
            status, _, body = replies.next()
            assert (status, json.loads(body)["predictions"]) == (200, [20 + number])


def test_who_stops_sending_while_waiting_has_gone(served):
    """A half-closed connection cannot be told from one whose client has gone: what it waits for is not computed."""
    before = served.versions("deeds")["1"]["requests"]
    with connect(served) as first, connect(served) as second:
        first.sendall(post(DEEDS, [[SLEEP, 300]], "Roost-Timeout: 10s"))
        served.until(lambda: any(one["outstanding"] for one in served.versions("deeds")["1"]["instances"]))
        second.sendall(post(DEEDS, [[SLEEP, 1]]) * 3)
        second.shutdown(socket.SHUT_WR)
        assert second.recv(100) == b"", "nothing is said to it"
        assert Replies(first).next()[0] == 200
    after = served.versions("deeds")["1"]
    assert after["queue"] == 0 and after["requests"]["ok"] - before["ok"] == 1
    assert served.ask(DEEDS, [[0, 3]])["predictions"] == [3]


def test_who_has_its_answers_may_stop_sending_before_reading_them(served):
    """Replies that are on their way still arrive."""
    rows = [[number, 1] for number in range(40_000)]
    with connect(served, rcvbuf=1 << 15) as connection:
        connection.sendall(post(PLUS, rows))
        replies = Replies(connection)
        connection.recv(1, socket.MSG_PEEK)  # it has begun to arrive
        connection.shutdown(socket.SHUT_WR)
        status, _, body = replies.next()
        assert status == 200 and json.loads(body)["predictions"] == [2 * number + 5 for number in range(40_000)]
        assert replies.next() is None


def descriptors(host):
    return len(os.listdir(f"/proc/{host.process.pid}/fd"))


def connections(host):
    return host.get("/functions").json["host"]["connections"]


def test_clients_that_vanish_at_any_moment_leave_nothing_behind(served):
    served.ask(DEEDS, [[0, 1]])
    request = post(DEEDS, [[SLEEP, 1]])
    big = post(PLUS, [[1, 2]] * 20_000)
    served.until(lambda: connections(served) == 1)
    before = descriptors(served)
    for moment in [0, 1, 10, len(request) // 2, len(request) - 1, len(request)]:
        for leave in (reset, socket.socket.close):
            for _ in range(5):
                connection = connect(served)
                connection.sendall(request[:moment])
                leave(connection)
    for part in (20_000, len(big) - 1, len(big)):
        for leave in (reset, socket.socket.close):
            connection = connect(served, rcvbuf=4096)
            connection.sendall(big[:part])
            leave(connection)
    served.until(lambda: connections(served) == 1)
    served.until(lambda: served.versions("deeds")["1"]["queue"] == 0)
    assert served.ask(DEEDS, [[0, 3]])["predictions"] == [3]
    # An instance more or less has its own.
    assert descriptors(served) <= before + 16
    assert served.versions("deeds")["1"]["requests"]["death"] == 0


# Slow clients.


def resident(host):
    """Bytes of memory of the host's process alone."""
    with open(f"/proc/{host.process.pid}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Others:
    """A client that asks all the time, and wants its answers within a second, whatever others do."""

    def __init__(self, host):
        self.host, self.answered, self.slowest, self._end = host, 0, 0.0, threading.Event()

    def _ask(self):
        with connect(self.host) as connection:
            replies = Replies(connection)
            while not self._end.is_set():
                began = time.monotonic()
                connection.sendall(post(PLUS, [[2, 3]]))
                status, _, body = replies.next()
                assert status == 200 and json.loads(body)["predictions"] == [15]
                self.slowest = max(self.slowest, time.monotonic() - began)
                self.answered += 1

    def __enter__(self):
        self._pool = ThreadPoolExecutor(1)
        self._asking = self._pool.submit(self._ask)
        return self

    def __exit__(self, *_):
        self._end.set()
        self._asking.result(PATIENCE)
        assert self.answered > 0


def test_who_reads_slowly_delays_nobody_and_gets_everything(served):
    count, rows = 120, [[number, 0] for number in range(10_000)]
    served.ask(PLUS, rows)
    before = resident(served)
    with Others(served) as others, connect(served, rcvbuf=1 << 15) as connection:
        sender = threading.Thread(target=connection.sendall, args=(post(PLUS, rows) * count,))
        sender.start()
        served.until(lambda: others.answered > 200)
        # The host has stopped reading: what it holds for one client, of ten megabytes each way, is bounded.
        assert resident(served) - before < 32 << 20
        replies = Replies(connection)
        for _ in range(count):
            status, _, body = replies.next()
            assert status == 200 and len(json.loads(body)["predictions"]) == len(rows)
        sender.join(PATIENCE)


def test_who_sends_slowly_delays_nobody_and_is_answered(served):
    request = post(PLUS, [[2, 3]])
    clients = [connect(served) for _ in range(60)]
    try:
        with Others(served):
            for place in range(len(request)):
                for client in clients:
                    client.sendall(request[place:place + 1])
            for client in clients:
                assert json.loads(Replies(client).next()[2])["predictions"] == [15]
    finally:
        for client in clients:
            client.close()


def test_a_large_body_may_come_in_pieces(served):
    rows = [[number % 7, 1] for number in range(60_000)]
    body = json.dumps(rows).encode()
    head = post(PLUS, body)[:-len(body)]
    pieces = [body[start:start + 4099] for start in range(0, len(body), 4099)]
    chunked = b"".join(b"%x;a=b\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\nX: y\r\n\r\n"
    for request in (head + body, head.replace(b"Content-Length: %d" % len(body), b"Transfer-Encoding: chunked") + chunked):
        with connect(served) as connection:
            for start in range(0, len(request), 8191):
                connection.sendall(request[start:start + 8191])
            status, _, answer = Replies(connection).next()
            assert status == 200 and json.loads(answer)["predictions"] == [2 * row[0] + 5 for row in rows]


def test_a_thousand_idle_connections_cost_nothing_but_their_descriptors(served):
    """Benchmarks/idle-connections measures ten thousand."""
    served.until(lambda: connections(served) == 1)
    before = descriptors(served)
    idle = [connect(served) for _ in range(1000)]
    try:
        for connection in idle[::10]:
            connection.sendall(b"GET /v2/health/live HTTP/1.1\r\nHost: x\r\n\r\n")
        for connection in idle[::10]:
            assert Replies(connection).next()[0] == 200
        served.until(lambda: connections(served) == 1001)
        with Others(served) as others:
            served.until(lambda: others.answered > 200)
        assert idle[500] and exchange(served, post(PLUS, [[2, 3]]))[0] == 200
    finally:
        for connection in idle:
            connection.close()
    served.until(lambda: connections(served) == 1)
    assert descriptors(served) <= before + 16


# Memory.


@pytest.fixture(scope="module")
def small(binary, compiled, tmp_path_factory):
    """A host that may hold 300 KiB of bodies."""
    home = tmp_path_factory.mktemp("small") / "home"
    (home / "plugins").mkdir(parents=True)
    (home / "plugins/plus@1.json").write_text(json.dumps(LINEAR))
    shutil.copyfile(compiled("deeds"), home / "plugins/deeds@1.so")
    (home / "functions").mkdir()
    (home / "functions/deeds.json").write_text('{"scale": {"max": 1}}')
    host = Host(binary, home, "--max-memory-bodies", "300KiB")
    for name in ("plus", "deeds"):
        host.wait_for(f"^{name} traffic 1=100")
    yield host
    host.stop()


def test_bodies_share_their_memory_and_who_finds_none_may_come_again(small):
    body = json.dumps([[1, 2]] * 25_000).encode()
    assert 200_000 <= len(body) < 300 << 10
    request = post(PLUS, body)
    with connect(small) as first, connect(small) as second:
        first.sendall(request[:-10_000])
        small.until(lambda: exchange(small, post(PLUS, [[1, 2]]))[0] == 200)
        second.sendall(request[:-10_000])
        status, fields, answer = Replies(second).next()
        assert status == 503 and int(fields["retry-after"]) > 0 and b"--max-memory-bodies" in answer
        # Whoever was there first is not disturbed; small requests come through without being held.
        assert exchange(small, post(PLUS, [[1, 2]]))[0] == 200
        first.sendall(request[-10_000:])
        assert Replies(first).next()[0] == 200
    assert small.post(PLUS, body, content_type="application/json").status == 200


def test_large_bodies_that_wait_for_their_turn_count_too(small):
    rows = json.dumps([[SLEEP, 700]] + [[0, 1]] * 30_000).encode()
    assert 200_000 < len(rows) < 300 << 10
    with connect(small) as first, connect(small) as second:
        first.sendall(post(DEEDS, rows))
        small.until(lambda: any(one["outstanding"] for one in small.versions("deeds")["1"]["instances"]))
        second.sendall(post(PLUS, [[1, 2]] * 25_000))
        assert Replies(second).next()[0] == 503
        assert Replies(first).next()[0] == 200
    # Also of one that nobody waits for any more, whether it waits or runs.
    with connect(small) as first:
        first.sendall(post(DEEDS, rows))
        small.until(lambda: any(one["outstanding"] for one in small.versions("deeds")["1"]["instances"]))
        reset(first)
    small.until(lambda: exchange(small, post(PLUS, [[1, 2]] * 25_000))[0] == 200)
    with connect(small) as first:
        first.sendall(post(DEEDS, rows, "Roost-Timeout: 50ms"))
        assert Replies(first).next()[0] == 504
    small.until(lambda: exchange(small, post(PLUS, [[1, 2]] * 25_000))[0] == 200)


def test_the_limits_are_shown(small):
    limits = small.get("/functions").json["host"]["limits"]
    with open(f"/proc/{small.process.pid}/limits") as file:
        soft, hard = re.search(r"Max open files\s+(\d+)\s+(\d+)", file.read()).groups()
    assert soft == hard and limits["open_files"] == int(hard)
    assert 16 <= limits["connections"] < limits["open_files"]
