"""Request smuggling and junk over raw sockets: every case of http_corpus.py, whole and byte by byte.

A smuggled request would be answered too, so that there would be one reply more than there should be.
"""

import re
import select
import socket
import time

import pytest
from http_corpus import CASES, GOOD
from running_host import PATIENCE, Host

LAST = GOOD[:-2] + b"Connection: close\r\n\r\n"
PIECE_ABOVE = 2000
"""Longer requests come in pieces instead of bytes: nothing new would be seen, but much later."""


@pytest.fixture(scope="module")
def bare(binary, tmp_path_factory):
    """A host that serves no function: whatever is answered, the gateway and the management answer."""
    host = Host(binary, tmp_path_factory.mktemp("bare") / "home")
    host.until(lambda: host.get("/v2/health/ready").status == 200)
    yield host
    host.stop()


def connect(host):
    name, port = host.address.split(":")
    connection = socket.create_connection((name, int(port)), timeout=15)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def replies(request, stream):
    """The statuses of all whole replies in a stream, and whether there is nothing behind them."""
    # The one method whose replies have no body; a HEAD is alone in its case, but for the last request.
    heads = 1 if request.startswith(b"HEAD") else 0
    found = []
    while match := re.match(rb"HTTP/1\.1 (\d+) [^\r\n]+\r\n((?:[^\r\n]+\r\n)*)\r\n", stream):
        size = re.search(rb"(?i)^Content-Length: (\d+)\r$", match[2], re.MULTILINE)
        if match[1] == b"100":
            end = match.end()
        else:
            assert size, f"a reply without a length: {stream[:200]}"
            end = match.end() + (0 if len(found) < heads else int(size[1]))
            if end > len(stream):
                break
            found.append(int(match[1]))
            if found[-1] >= 400 and len(found) > heads:
                assert stream[match.end():end].startswith(b'{"error":'), stream
        stream = stream[end:]
    return found, stream


class Attempt:
    """One case on its own connection."""

    def __init__(self, host, case):
        self.name, _, self.request, self.statuses, self.closes = case
        self.connection = connect(host)
        self.sent = 0
        self.stream = b""
        self.has_ended = self.is_stuck = False

    def send(self, size):
        """The next bytes, unless the host has said already that it wants no more."""
        piece = self.request[self.sent:self.sent + size]
        try:
            if piece and not self.has_ended:
                self.connection.sendall(piece)
        except OSError:
            self.has_ended = True
        self.sent += len(piece)

    def receive(self):
        try:
            piece = self.connection.recv(1 << 16)
        except TimeoutError:
            piece, self.is_stuck = b"", True
        except OSError:
            piece = b""
        self.stream += piece
        self.has_ended = self.has_ended or not piece

    @property
    def is_sent(self):
        return self.has_ended or self.sent >= len(self.request)

    def finish(self):
        """Reads to the end, asking for one more reply if the connection is to go on; returns the statuses."""
        if not self.closes:
            self.request += LAST
            self.send(len(LAST))
        elif not self.statuses:
            self.connection.shutdown(socket.SHUT_WR)
        while not self.has_ended:
            self.receive()
        self.connection.close()
        return replies(self.request, self.stream)

    def check(self):
        """What is wrong with how it was answered."""
        found, rest = self.finish()
        wanted = self.statuses + ([] if self.closes else [200])
        if found == wanted and rest == b"" and not self.is_stuck:
            return []
        end = ", and the connection stays open" if self.is_stuck else ""
        return [f"{self.name}: answered {found} {rest[:100]} instead of {wanted}{end}"]


def check_alive(host, name):
    with connect(host) as connection:
        connection.sendall(LAST)
        answer = b""
        while piece := connection.recv(1 << 16):
            answer += piece
    assert replies(b"", answer) == ([200], b""), f"after {name}: {answer[:200]}"


def test_there_are_cases_enough_and_each_has_a_name_and_a_source():
    assert len(CASES) >= 250 and len({name for name, *_ in CASES}) == len(CASES)
    assert all(re.match(r"(RFC \d+ \d|CVE-\d{4}-\d+ )", source) for _, source, *_ in CASES)
    assert len({cve for _, source, *_ in CASES for cve in re.findall(r"CVE-\d+-\d+", source)}) >= 40


def test_every_case_is_answered_as_it_should_be_and_the_host_goes_on(bare):
    wrong = []
    for case in CASES:
        attempt = Attempt(bare, case)
        attempt.send(len(attempt.request))
        wrong += attempt.check()
        check_alive(bare, attempt.name)
    assert not wrong, "\n".join(wrong)
    assert bare.process.poll() is None


def test_byte_by_byte_nothing_is_answered_differently(bare):
    """All at once, so that it takes as long as the longest of them."""
    attempts = [Attempt(bare, case) for case in CASES]
    poll, by_number = select.poll(), {}
    for attempt in attempts:
        by_number[attempt.connection.fileno()] = attempt
        poll.register(attempt.connection, select.POLLIN)
    while waiting := [attempt for attempt in attempts if not attempt.is_sent]:
        for attempt in waiting:
            attempt.send(1 if len(attempt.request) < PIECE_ABOVE else 61)
        for number, _ in poll.poll(0):
            attempt = by_number[number]
            attempt.receive()
            if attempt.has_ended:
                poll.unregister(number)
    wrong = [words for attempt in attempts for words in attempt.check()]
    assert not wrong, "\n".join(wrong)
    check_alive(bare, "all of them")


def test_a_case_does_not_spoil_the_request_before_it(bare):
    """Behind a good request on the same connection: that one is answered, and then the case as if it had come alone."""
    wrong = []
    for name, source, request, statuses, closes in CASES:
        # Of one without an answer there is nothing to be seen; and which reply has no body is known of the first only.
        if not statuses or request.startswith(b"HEAD"):
            continue
        attempt = Attempt(bare, (name, source, GOOD + request, [200] + statuses, closes))
        attempt.send(len(attempt.request))
        wrong += attempt.check()
    assert not wrong, "\n".join(wrong)


def test_what_follows_a_refusal_is_never_read_as_a_request(bare):
    """The rest of a refused message is thrown away, however long it comes: none of it may change anything."""
    name, port = bare.address.split(":")
    before = time.monotonic()
    with socket.create_connection((name, int(port)), timeout=PATIENCE) as connection:
        connection.sendall(b"GET / HTTP/1.1\n\r\n")
        stream = b""
        while piece := connection.recv(1 << 16):
            stream += piece
        try:
            for _ in range(200):
                connection.sendall(GOOD * 50)
            connection.recv(1)
        except OSError:
            pass
    assert replies(b"", stream) == ([400], b"")
    assert time.monotonic() - before < PATIENCE
    check_alive(bare, "what was thrown away")
