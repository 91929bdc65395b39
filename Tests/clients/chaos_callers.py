"""Callers for a host that is being mistreated: a process of them, each with one connection, that ask without end and
know the right answer to everything they ask.

chaos_callers.py PORT SEED CONNECTIONS OUTPUT  <  the plan, a line of JSON; ends when standard input does

What came is written to OUTPUT, a line for each request: begun, ended (seconds of the monotonic clock), function, outcome,
status, detail, with tabs between them. Outcomes are OUTCOMES below; VIOLATIONS are those that must never be.
"""

import json
import random
import select
import socket
import sys
import threading
import time

OUTCOMES = ("right", "error", "wrong", "unclear", "none", "twice")
"""error: refused or failed, and said so. unclear: an answer that cannot be understood. none: no whole answer came.
twice: bytes that belong to no request."""
VIOLATIONS = ("wrong", "unclear", "none", "twice")
CLEAR_ERRORS = {429, 500, 503, 504}
"""What a right request may be told by a host in trouble."""
PATIENCE = 20
"""Seconds after which there is no answer. Functions have timeouts far below."""
ROWS_OF_LARGE = 30_000
"""More bytes than travel in the ring: request and reply take a file of their own."""
HEAD_BYTES_MAX = 1 << 16
WRITING = threading.Lock()


class NoAnswer(Exception):
    """No whole answer came."""


class Stray(Exception):
    """Bytes came that nobody had asked for."""


class Connection:
    """HTTP/1.1 by hand: exactly one reply for one request, and nothing behind it."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def close(self):
        self.socket.close()

    def is_fresh(self):
        """False when the host has closed it since the last reply."""
        if not select.select([self.socket], [], [], 0)[0]:
            return True
        if self.socket.recv(4096):
            raise Stray("bytes came between two requests")
        return False

    def ask(self, path, body):
        head = (f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(body)}\r\n\r\n")
        self.socket.sendall(head.encode() + body)
        received = b""
        while b"\r\n\r\n" not in received:
            if len(received) > HEAD_BYTES_MAX:
                raise NoAnswer("a head without an end")
            received += self.receive(received)
        head, _, rest = received.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        version, status, *_ = lines[0].split(" ")
        if version != "HTTP/1.1":
            raise NoAnswer(f"a reply that begins with {lines[0][:40]!r}")
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        parts, missing = [rest], int(fields["content-length"]) - len(rest)
        while missing > 0:
            parts.append(self.receive(b"the head"))
            missing -= len(parts[-1])
        if missing < 0:
            raise Stray(f"{-missing} bytes behind a reply")
        return int(status), fields, b"".join(parts)

    def receive(self, before):
        found = self.socket.recv(1 << 18)
        if not found:
            raise NoAnswer("closed in the middle of a reply" if before else "closed without a reply")
        return found


class Caller(threading.Thread):
    """One connection. Numbers that it sends tell its requests apart from all others'."""

    def __init__(self, port, seed, number, plan, output):
        super().__init__(daemon=True)
        self.port, self.plan, self.output = port, plan, output
        self.random = random.Random(f"{seed}-{number}")
        self.number = number
        self.asked = 0
        self.connection = None
        self.end = threading.Event()

    def run(self):
        functions = list(self.plan["functions"])
        weights = [self.plan["functions"][name]["weight"] for name in functions]
        while not self.end.is_set():
            self.ask(self.random.choices(functions, weights)[0])
            # A fresh connection now and then: some meet a host that is short of descriptors.
            if self.random.random() < 0.02:
                self.hang_up()
            self.end.wait(self.random.expovariate(1 / self.plan["pause"]))
        self.hang_up()

    def hang_up(self):
        if self.connection is not None:
            self.connection.close()
        self.connection = None

    def ask(self, function):
        self.asked += 1
        path, body, judge = self.question(function)
        begun, status, detail = time.monotonic(), 0, ""
        try:
            if self.connection is not None and not self.connection.is_fresh():
                self.hang_up()
            if self.connection is None:
                self.connection = Connection(self.port)
            status, fields, reply = self.connection.ask(path, body)
            outcome, detail = judged(judge, status, fields, reply)
            if fields.get("connection", "").lower() == "close":
                self.hang_up()
        except Stray as error:
            outcome, detail = "twice", str(error)
            self.hang_up()
        except (NoAnswer, OSError, ValueError, KeyError) as error:
            outcome, detail = "none", f"{type(error).__name__}: {error}"
            self.hang_up()
        detail = " ".join(detail.split())[:300]
        with WRITING:
            self.output.write(f"{begun:.6f}\t{time.monotonic():.6f}\t{function}\t{outcome}\t{status}\t{detail}\n")

    # Questions, each with its judge

    def question(self, function):
        about = self.plan["functions"][function]
        if "answers" in about:
            return self.known(function, about)
        rows = ROWS_OF_LARGE if self.random.random() < self.plan["large"] else self.random.choice((1, 1, 1, 2, 8))
        # Whole numbers that a float holds exactly; the first tells this request from all others of its time.
        first = (self.asked * 64 + self.number) % (1 << 20)
        values = [(first + row) % (1 << 22) for row in range(rows)]
        return self.infer(function, values) if self.random.random() < 0.5 else self.predict(function, values)

    def predict(self, function, values):
        def judge(fields, reply):
            return judge_sums(json.loads(reply)["predictions"], values, fields)

        return f"/functions/{function}/predict", json.dumps([[value, 0] for value in values]).encode(), judge

    def infer(self, function, values):
        name = f"{self.number}-{self.asked}"
        tensor = {"name": "features", "shape": [len(values), 2], "datatype": "FP32",
                  "data": [[value, 0] for value in values]}

        def judge(fields, reply):
            answer = json.loads(reply)
            if answer.get("id") != name:
                return "wrong", f"asked as {name}, answered as {answer.get('id')}"
            return judge_sums(answer["outputs"][0]["data"], values, fields)

        return f"/v2/models/{function}/infer", json.dumps({"id": name, "inputs": [tensor]}).encode(), judge

    def known(self, function, about):
        """A row whose answer was heard in peace."""
        which = self.random.randrange(len(about["rows"]))

        def judge(fields, reply):
            found, right = json.loads(reply), about["answers"][which]
            return ("right", "") if found == right else ("wrong", f"{found} instead of {right}")

        return f"/functions/{function}/predict", json.dumps([about["rows"][which]]).encode(), judge


def judged(judge, status, fields, reply):
    try:
        return judge(fields, reply) if status == 200 else judge_error(status, fields, reply)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        return "unclear", f"{type(error).__name__}: {error} in {reply[:200]!r}"


def judge_sums(found, values, fields):
    """Every model here adds its version's number to the first column."""
    version = int(fields["roost-version"])
    if found == [value + version for value in values]:
        return "right", ""
    return "wrong", f"{str(found)[:80]} by version {version} for {str(values)[:80]}"


def judge_error(status, fields, reply):
    try:
        said = json.loads(reply)
    except ValueError:
        said = None
    text = said.get("error") if isinstance(said, dict) and list(said) == ["error"] else None
    is_clear = status in CLEAR_ERRORS and isinstance(text, str) and text and \
        fields.get("content-type") == "application/json"
    return ("error", text) if is_clear else ("unclear", f"{reply[:200]!r}")


def main():
    port, seed, connections, output = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]
    plan = json.loads(sys.stdin.readline())
    with open(output, "w", buffering=1) as file:
        callers = [Caller(port, seed, plan["first"] + number, plan, file) for number in range(connections)]
        for caller in callers:
            caller.start()
        sys.stdin.read()
        for caller in callers:
            caller.end.set()
        for caller in callers:
            caller.join(PATIENCE + 5)


if __name__ == "__main__":
    main()
