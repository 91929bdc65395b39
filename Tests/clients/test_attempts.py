"""A hostile plugin against the sandbox, the channel and the control socket, as root and as an ordinary user: every attempt
ends as a clear outcome of its own instance, and another function's caller notices nothing.

`Benchmarks/attempts` prints what happened as a table, and tries some more: `ROOST_ATTEMPTS=all`.
"""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from attempts import (
    ENDS, FRAMES, LOADED, LOADING, OUTSIDE, PROCESSES, RESOURCES, WORDS, Neighbour, Table, try_once, with_attempt)
from host import ROOST, Host, build_plugin, linear_model, wait_until

ALL = os.environ.get("ROOST_ATTEMPTS") == "all"
ROW = [3.0, 0.0]
USER = 47113
NO_NAMESPACES = [
    "unshare", "--user", "--map-current-user", "--keep-caps", "sh", "-c",
    'echo 0 > /proc/sys/user/max_user_namespaces && exec setpriv --ambient-caps=-all --inh-caps=-all "$@"', "sh"]

KINDS = {
    "root": (0, []),
    "an ordinary user": (USER, ["the host is not root"]),
}
if ALL:
    KINDS["an ordinary user without namespaces"] = (USER, ["the host is not root", "no PID namespace"])


@pytest.fixture(scope="module", params=KINDS)
def kind(request):
    if os.getuid() != 0 and request.param != "an ordinary user":
        pytest.skip("needs root to begin with")
    return request.param


@pytest.fixture(scope="module")
def host(kind):
    """A host of that kind with the functions `attempts` and `neighbour`, in a folder that others may enter."""
    user, _ = KINDS[kind]
    folder = Path(tempfile.mkdtemp(prefix="roost-attempts-"))
    folder.chmod(0o755)
    try:
        options = {} if user == 0 or os.getuid() != 0 else {"user": user, "binary": reachable(folder, user)}
        if "without" in kind:
            options["prefix"] = NO_NAMESPACES
        host = Host(folder / "home", **options)
        host.manifest("attempts", {"timeout": "2s", "limits": {"memory": "128MiB"}, "scale": {"min": 1, "max": 1}})
        host.manifest("neighbour", {"scale": {"min": 1}})
        if options:
            for path in (host.home, *host.home.rglob("*")):
                os.chown(path, user, user)
        host.plugin = build_plugin(folder / "attempts.so", "attempts/attempts.c")
        with host:
            host.drop("neighbour@1.json", linear_model(1))
            host.drop("attempts@1.so", host.plugin)
            for name in ("neighbour", "attempts"):
                host.wait_serving(name, 1)
                wait_until(lambda: host.instances(name, 1), f"an instance of {name}")
            yield host
            assert host.stop() == 0
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def reachable(folder, user):
    """The program, or a copy of it where the user may not go."""
    try:
        subprocess.run([ROOST, "--version"], user=user, group=user, extra_groups=[], check=True, capture_output=True)
        return ROOST
    except (PermissionError, subprocess.CalledProcessError):
        (folder / "bin").mkdir()
        for name in ("roost", "roost-instance", "liblinear.so", "libtrees.so"):
            shutil.copy(ROOST.parent / name, folder / "bin")
        return folder / "bin" / "roost"


def in_its_namespace(pid):
    return re.search(r"^NSpid:.*?(\d+)$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)[1]


def places(host):
    """What stands for the names in a wish."""
    store = next(path for path in (host.home / "state/store").rglob("*") if path.is_file())
    return {"model": host.plugins / "neighbour@1.json", "store": store, "home": host.home, "host": host.pid,
            "sibling": in_its_namespace(host.instances("neighbour", 1)[0])}


@pytest.mark.parametrize("chapter, attempts", [
    ("what lies outside", OUTSIDE), ("processes and the kernel", PROCESSES), ("resources", RESOURCES),
    ("the channel", FRAMES), ("the control page", WORDS if ALL else WORDS[:16]), ("ends", ENDS)])
def test_attempts_of_an_instance_stay_with_it(host, kind, chapter, attempts):
    table, known = Table(f"{chapter}, as {kind}"), places(host)
    descriptors = host.descriptors()
    with Neighbour(host, "neighbour", ROW, 4.0) as neighbour:
        for attempt in attempts:
            wish, since = attempt.wish.format(**known), len(neighbour.times)
            for _ in range(attempt.times):
                happened = try_once(host, attempt, wish)
            table.add(attempt.wish, happened, neighbour.felt(since))
            assert not neighbour.errors, f"{wish}: {neighbour.errors[:3]}"
    print(table)
    wait_until(lambda: host.descriptors() <= descriptors + 2, lambda: f"{descriptors} descriptors, {host.descriptors()} now")


def test_attempts_of_a_load_end_it_with_the_reason(host, kind):
    table, before = Table(f"while it loads, as {kind}"), host.descendants()
    with Neighbour(host, "neighbour", ROW, 4.0) as neighbour:
        names = [f"load{number}@1.so" for number in range(len(LOADING))]
        for name, (place, wish, _) in zip(names, LOADING):
            host.drop(name, with_attempt(host.plugin, place, wish))
        for name, (place, wish, reason) in zip(names, LOADING):
            since = len(neighbour.times)
            note = wait_until(lambda: host.note(name), lambda: f"the end of {wish}: {host.lines[-3:]}")
            assert re.search(reason, note), f"{wish}: {note}"
            table.add(f"{place}: {wish}", note.strip().splitlines()[-1][-100:], neighbour.felt(since))
        assert not neighbour.errors, neighbour.errors[:3]
    print(table)
    for name in names:
        host.remove(name)
    assert not any(line.startswith("roost: forged") for line in host.lines)
    # Nothing of them is left, also not what they forked.
    wait_until(lambda: not host.descendants() - before, lambda: f"the end of {host.descendants() - before}")


def test_who_loads_and_never_serves_is_answered_for(host, kind):
    table, before = Table(f"loaded, and no instance serves, as {kind}"), host.descendants()
    with Neighbour(host, "neighbour", ROW, 4.0) as neighbour:
        for number, (place, wish) in enumerate(LOADED):
            since, name = len(neighbour.times), f"loaded{number}"
            host.manifest(name, {"timeout": "1s"})
            host.drop(f"{name}@1.so", with_attempt(host.plugin, place, wish))
            host.wait_serving(name, 1)
            reply = host.call("POST", host.path(name), "hello", {"Content-Type": "text/plain"})
            assert reply.status in (500, 503, 504), f"{wish}: {reply.status} {reply.body!r}"
            assert host.call("GET", f"/functions/{name}").status == 200
            table.add(f"{place}: {wish}", f"{reply.status} {reply.error[-90:]}", neighbour.felt(since))
            host.remove(f"{name}@1.so")
        assert not neighbour.errors
    print(table)
    wait_until(lambda: not host.descendants() - before, lambda: f"the end of {host.descendants() - before}")
    assert host.call("GET", "/metrics").status == 200


def test_the_host_says_what_its_user_lacks(host, kind):
    for warning in KINDS[kind][1]:
        assert any(warning in line for line in host.warnings), host.warnings
