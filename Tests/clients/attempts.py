"""What a hostile plugin tries (Tests/fixtures/plugins/attempts), what has to come of it, and a neighbour that must not notice."""

import http.client
import json
import re
import threading
import time
from dataclasses import dataclass

from host import PATIENCE, wait_until

# Outcomes. Refused calls are answered and the instance goes on; the others end it, and it alone.
EPERM = r"EPERM"
EACCES = r"EACCES"
REFUSED = r"E(PERM|ACCES|NOSYS|ROFS)"
DIED = (500, r"attempts@1 could not answer")
LATE = (504, r"did not answer in time")


@dataclass(frozen=True)
class Attempt:
    """`wish` is what the plugin is asked; `{…}` in it stands for what only the running host tells."""

    wish: str
    answer: tuple
    """Status and a pattern of the body."""
    because: str = ""
    """A pattern of why its instance has to end; "": it goes on; "?": either."""
    times: int = 1


def refused(wish, pattern=EPERM):
    return Attempt(wish, (200, rf"^{pattern}$"))


def said(wish, pattern):
    return Attempt(wish, (200, rf"^{pattern}$"))


def ended(wish, because, answer=DIED, times=1):
    return Attempt(wish, answer, because, times)


def either(wish):
    """It may be answered before it ends, or go on until it is asked again."""
    return Attempt(wish, (r"200|50[04]", ""), "?")


OUTSIDE = [
    refused("read {model}", EACCES),
    refused("read {store}", EACCES),
    refused("list {home}", EACCES),
    refused("read /etc/passwd", EACCES),
    refused("read /proc/self/maps", EACCES),
    refused("read /proc/self/mem", EACCES),
    refused("read /proc/{host}/environ", r"E(ACCES|NOENT)"),
    refused("list /proc", EACCES),
    refused("read /dev/zero", EACCES),
    refused("write {model}", EACCES),
    refused("write {home}/plugins/planted@1.so", EACCES),
    refused("write /tmp/roost-attempt", EACCES),
    refused("write /dev/shm/roost-attempt", EACCES),
    refused("truncate {model}"),
    refused("remove {model}"),
    refused("make folder {home}/made"),
    refused("make link {home}/link"),
    refused("lease"),
    refused("sockets"),
    refused("connect {home}/state/roost.sock"),
]

PROCESSES = [
    refused("trace pid={host}"),
    refused("trace pid={sibling}"),
    refused("peek pid={host}"),
    refused("kill pid={host}"),
    refused("kill pid={sibling}"),
    refused("kill all"),
    refused("kill thread pid={host}", r"E(PERM|SRCH)"),
    refused("kill thread pid=1", r"E(PERM|SRCH)"),
    refused("queue signal pid=1"),
    refused("open process pid=1"),
    refused("signal by descriptor pid=1"),
    refused("fork"),
    refused("double fork"),
    refused("fork sibling"),
    refused("clone3", "ENOSYS"),
    refused("thread"),
    refused("exec"),
    refused("exhaust processes"),
    said("kernel", "all refused"),
]

RESOURCES = [
    said("raise limits", "none raised"),
    said("heap", "ENOMEM after less than 256 MiB"),
    refused("growing map"),
    refused("shared map"),
    refused("system v"),
    refused("addresses", "ENOMEM"),
    ended("stack", "signal 11"),
    said("descriptors", "EMFILE after less than 64"),
    said("truncate all", "none"),
    said("pass descriptors", "few"),
    said("drain", r"drained \d+"),
    either("fill"),
    either("block and fill"),
    either("close"),
    ended("print", "did not answer for", LATE),
]

# The host has taken a frame that the library in the instance knows nothing of: one of the two notices.
LEFT_BEHIND = r"never given|channel:|signal 4 \(illegal instruction\)|rang 100 times"

# Bytes of a frame beyond its place: none of them may make the host read there.
FRAMES = [
    ended("frame size=0", "channel: a reply frame"),
    ended("frame size=40", "channel: a reply frame"),
    ended("frame size=52", "channel: a reply frame"),
    ended("frame size=0xFFFFFFF8", "channel: a reply frame"),
    ended("frame size=1048576", "channel: a reply frame"),
    ended("frame body=0xFFFFFFFFFFFFFFFF", "channel: a reply frame"),
    ended("frame body=0x7FFFFFFFFFFFFFFF", "channel: a reply frame"),
    ended("frame body=0x3FFFFFF", "channel: a body beyond its frame"),
    ended("frame body=64", "channel: a body beyond its frame"),
    ended("frame type=0xFFFFFFFF", "channel: a reply frame"),
    ended("frame type=257", "channel: a reply frame"),
    ended("frame status=0", "channel: a reply with status"),
    ended("frame status=100", "channel: a reply with status"),
    ended("frame status=101", "channel: a reply with status"),
    ended("frame status=204", "channel: a reply with status"),
    ended("frame status=304", "channel: a reply with status"),
    ended("frame status=65535", "channel: a reply with status"),
    ended("frame outcome=99", "channel: a reply with status"),
    ended("frame kind=99", "channel: a reply with status"),
    ended("frame flags=1", "channel: a reply in a file that was never asked for"),
    ended("frame flags=2 body=0", "channel: a second file asked for"),
    ended("frame flags=2 body=0x7FFFFFFFFFFF", "channel: a reply frame"),
    ended("frame flags=16", "channel: a summary"),
    ended("frame flags=0xFFFF", LEFT_BEHIND),
    # For another request, twice, and for one that has been answered.
    ended("frame id=1", "it answered a request that it was never given"),
    ended("frame id=0x100000000", "it answered a request that it was never given"),
    ended("frame id=0xFFFFFFFFFFFFFFFF", "it answered a request that it was never given"),
    ended("frame times=2", LEFT_BEHIND, (200, "^FFFFFF$")),
    ended("frame times=1", LEFT_BEHIND, (200, "^FFFFFF$")),
    ended("frame times=100", LEFT_BEHIND, (200, "^FFFFFF$")),
    # Figures that the host adds up, and a header of its own making.
    ended("frame infer=0xFFFFFFFFFFFFFFFF rows=0xFFFFFFFF batch=0xFFFFFFFF then=1", "exit|channel", (200, "^F+$")),
    ended("frame rows=0 batch=0xFFFFFFFF then=1", "exit|channel", (200, "^F+$")),
    ended("frame kind=0 type=200 then=1", "exit|channel", (200, "^F+$")),
    ended("rewrite", LEFT_BEHIND, (r"200|500", ""), times=20),
    ended("flood", LEFT_BEHIND, (r"200|500", "")),
    ended("ring", "it rang 100 times without an answer|did not answer for", (r"50[04]", "")),
    ended("noise seed=1", "exit|signal|did not answer for|" + LEFT_BEHIND, (r"200|50[04]", "")),
    ended("noise seed=2", "exit|signal|did not answer for|" + LEFT_BEHIND, (r"200|50[04]", "")),
    ended("noise seed=3", "exit|signal|did not answer for|" + LEFT_BEHIND, (r"200|50[04]", "")),
    ended("summary nonsense=0", LEFT_BEHIND, (200, "^F+$")),
    ended("summary nonsense=1", "channel: a summary"),
    ended("summary nonsense=2", "channel: a summary"),
    ended("keep file kept=0", "channel: the file of a reply is still written to"),
    either("keep file kept=1"),
    either("keep file kept=2"),
    either("keep file kept=3 bytes=67108864"),
    ended("keep file bytes=67108865", "channel: a reply frame"),
    ended("ask twice", "channel: a second file asked for|channel: reply tail"),
]

# Each word of the control page by itself, those first that the host reads or writes. What it does not read changes
# nothing for it.
USED = (64, 128, 136, 192, 256, 320, 384, 448)
WORDS = [either(f"word at={at} value={value} wait={50 if at in USED else 3}")
         for at in (*USED, *(at for at in range(0, 512, 8) if at not in USED)) for value in ("0xFFFFFFFFFFFFFFFF", "0")]

ENDS = [
    ended("die", r"called exit\(9\)"),
    ended("die within frame", r"channel:|called exit\(9\)"),
    ended("die with file", r"called exit\(9\)"),
    ended("frame then=1", r"called exit\(9\)", (200, "^FFFFFF$")),
    either("frame then=2"),
    ended("never", "did not answer for", LATE),
]

# While it loads: where, what, and why the version fails then.
LOADING = [("load", wish, reason) for wish, reason in [
    ("read /etc/passwd", EACCES),
    ("write /tmp/roost-attempt", EACCES),
    ("sockets", EPERM),
    ("fork", EPERM),
    ("fork sibling", EPERM),
    ("exhaust processes", EPERM),
    ("kill pid=1", EPERM),
    ("signal by descriptor pid=1", EPERM),
    ("lease", EPERM),
    ("kernel", "all refused"),
    ("raise limits", "processes has none|none raised"),
    ("growing map", EPERM),
    ("truncate all", "none"),
    ("drain", "drained"),
    ("fill", "out of turn|control socket|killed|called exit|filled"),
    ("close", "while loading|killed|called exit|closed"),
    ("all model memory", "refused"),
    ("ask without end", "it asked for model memory more than"),
    ("nonsense", "out of turn"),
    ("nonsense kind=13", "out of turn"),
    ("nonsense kind=16", "its signature cannot be read"),
    ("nonsense kind=17", "no reason given"),
    ("nonsense kind=18", "out of turn"),
    ("nonsense kind=19", "out of turn"),
    ("forge", r"no roost: forged  \[2J"),
    ("nonsense bytes=1", "while loading"),
    ("exit", r"called exit\(9\) while loading"),
    ("crash", "signal 11"),
]] + [("warm", "exit", r"called exit\(9\) while loading"), ("warm", "fork sibling", EPERM)]

# It loads, and then no instance of it ever serves: where and what.
LOADED = [("load", "lie of load"), ("load", "keep descriptors"), ("fork", "exit"), ("fork", "crash"), ("fork", "close")]


def with_attempt(plugin, place, wish):
    """The plugin's bytes with what it does before anybody asks."""
    mark = f"attempt at {place} ".encode()
    plain = plugin.read_bytes()
    assert plain.count(mark + bytes(112)) == 1
    return plain.replace(mark + bytes(112), mark + wish.encode().ljust(112, b"\0"))


class Neighbour:
    """A steady caller of another function, which must get every answer while the block runs."""

    def __init__(self, host, function, row, answer):
        self.host, self.path, self.body, self.answer = host, host.path(function), json.dumps([row]), [answer]
        self.times, self.errors = [], []
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._call, daemon=True)

    def __enter__(self):
        self._thread.start()
        wait_until(lambda: self.times or self.errors, "the neighbour's first answer")
        return self

    def __exit__(self, *error):
        self._end.set()
        self._thread.join(PATIENCE)

    def _call(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.host.port, timeout=PATIENCE)
        while not self._end.is_set():
            begin = time.monotonic()
            try:
                connection.request("POST", self.path, self.body, {"Content-Type": "application/json"})
                reply = connection.getresponse()
                body = reply.read()
                if reply.status != 200 or json.loads(body)["predictions"] != self.answer:
                    self.errors.append((reply.status, body))
            except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
                self.errors.append(repr(error))
                connection.close()
            self.times.append(time.monotonic() - begin)
            self._end.wait(0.001)
        connection.close()

    def felt(self, since):
        """What it felt since its answer number `since`, in at least five more."""
        wait_until(lambda: len(self.times) >= since + 5, "the neighbour's next answers")
        times = sorted(self.times[since:])
        return f"{len(times)} answers, {len(self.errors)} errors, p99 {times[int(len(times) * 0.99)] * 1e3:.1f} ms"


class Table:
    """Rows of: attempt, what happened, what others felt."""

    def __init__(self, title):
        self.title, self.rows = title, []

    def add(self, attempt, happened, felt):
        self.rows.append((attempt, happened, felt))

    def __str__(self):
        cells = [("attempt", "what happened", "what the neighbour felt"), *self.rows]
        widths = [max(len(row[i]) for row in cells) for i in (0, 1)]
        lines = [f"{row[0]:<{widths[0]}} | {row[1]:<{widths[1]}} | {row[2]}" for row in cells]
        return "\n".join([f"\n{self.title}", lines[0], "-" * len(lines[0]), *lines[1:]])


def matches(answer, reply):
    status, pattern = answer
    return re.fullmatch(str(status), str(reply.status)) and re.search(pattern, reply.body.decode(errors="replace"))


def try_once(host, attempt, wish):
    """Makes an attempt and waits until the function answers again; what happened, in words."""
    before = host.version("attempts", 1)
    reply = host.call("POST", host.path("attempts"), wish, {"Content-Type": "text/plain"})
    assert matches(attempt.answer, reply), f"{wish}: {reply.status} {reply.body!r}"
    text = reply.body[:48].decode(errors="replace")
    assert "X-Injected" not in reply.headers
    failure = ""
    if attempt.because not in ("", "?"):
        failure = wait_until(
            lambda: (why := ended_since(host, before)) and re.search(attempt.because, why) and why,
            lambda: f"{wish}: an end because of {attempt.because!r}; {host.version('attempts', 1)}")
    answers_again(host, wish)
    failure = failure or ended_since(host, before)
    if attempt.because == "":
        assert not failure, f"{wish}: it was to go on, but {failure}"
    told = f"{reply.status} {text}" if reply.status == 200 else f"{reply.status}"
    return f"{told}; instance: {failure}" if failure else told


def ended_since(host, before):
    """Why an instance has ended that was there before or began since; None while none has."""
    now = host.version("attempts", 1)
    ids = [one["id"] for one in before["instances"]]
    changed = ids and ids != [one["id"] for one in now["instances"]]
    if changed or now["requests"]["death"] + now["requests"]["timeout"] > (
            before["requests"]["death"] + before["requests"]["timeout"]):
        return re.sub(r"^instance \S+ ", "", now.get("last_failure") or "") or None
    return None


def answers_again(host, wish):
    def answered():
        reply = host.call("POST", host.path("attempts"), "hello", {"Content-Type": "text/plain"})
        return reply.status == 200 and reply.body == b"hello"

    wait_until(answered, lambda: f"an honest answer after {wish}: {host.version('attempts', 1)}")
