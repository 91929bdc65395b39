"""What tests of rollouts share: a function under a plan, and looks at what becomes of it."""

import pytest

from host import Host, Steady, build_plugin, linear_model, roost, wait_until

NAME = "credit"
ROW = [3, 0]
# Margins so wide, and so much chance, that tens of requests are enough.
WIDE = {"errors": {"margin": 0.3}, "latency": {"p99_margin": 10}, "agreement": {"flips": 1}, "alpha": 0.5}
LONG = 60


def plan(**changes):
    return {"steps": [10, 50, 100], "interval": "1s", "min_samples": 20, "analysis": WIDE} | changes


@pytest.fixture
def host(tmp_path):
    with Host(tmp_path / "home") as host:
        yield host
        if host.process.poll() is None:
            assert host.stop() == 0


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """A version that works, and some that fail in one way, whatever they are asked."""
    folder = tmp_path_factory.mktemp("builds")
    wishes = {"good": "NOTHING", "errors": "FAIL_ROW", "deaths": "SEGFAULT", "slow": "SLEEP"}
    return {kind: build_plugin(folder / f"{kind}.so", ALWAYS=wish) for kind, wish in wishes.items()}


def begin(host, manifest=None, model=None, **changes):
    """credit@1 serves, and a plan is in force."""
    host.manifest(NAME, {"rollout": plan(**changes)} | (manifest or {}))
    if model:
        drop(host, 1, model, "so")
    else:
        drop(host, 1)
    host.wait_serving(NAME, 1)


def drop(host, version=2, content=None, kind="json"):
    host.drop(f"{NAME}@{version}.{kind}", content or linear_model(version))


def calling(host, pause=0.002, row=ROW):
    """Callers of whom none may fail."""
    return Steady(host, NAME, row, lambda answer: True, connections=2, pause=pause)


def rollout(host):
    reply = host.get(f"/functions/{NAME}/rollout")
    return reply.json if reply.status == 200 else {"state": None, "error": reply.error}


def wait_for(host, *states, canary=None):
    def there():
        now = rollout(host)
        return now["state"] in states and canary in (None, now["canary"]) and now
    return wait_until(there, lambda: f"{states}: {rollout(host)}; {host.lines}", patience=LONG)


def wait_for_share(host, share):
    return wait_until(lambda: (now := rollout(host)).get("share") == share and now,
                      lambda: f"{share} %: {rollout(host)}; {host.lines}", patience=LONG)


def shares(host):
    return host.status(NAME)["traffic"]["shares"]


def steer(host, command, body=None):
    return host.call("POST", f"/functions/{NAME}/rollout/{command}", body or {})


def audit(host):
    log = host.get(f"/functions/{NAME}/audit").json
    assert log["chain"] == "intact"
    return log["entries"]


def cli(host, *arguments):
    return roost(*arguments, "--home", host.home)
