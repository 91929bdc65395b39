"""From zero to many and back: idle functions cost nothing, memory and instances are shared, what only dies is given up."""

import concurrent.futures
import os
import signal

import pytest

from host import ABORT, Host, NOTHING, build_plugin, linear_model, roost, wait_until


@pytest.fixture(scope="module")
def plugin(tmp_path_factory):
    return build_plugin(tmp_path_factory.mktemp("builds") / "chaos.so")


def started(tmp_path, *arguments):
    return Host(tmp_path / "home", *arguments)


def deploy(host, name, content, kind="json", **manifest):
    if manifest:
        host.manifest(name, manifest)
    host.drop(f"{name}@1.{kind}", content)
    host.wait_serving(name, 1)


def warmth(host, name):
    return host.version(name, 1)["warmth"]


def phases(reply):
    assert reply.status == 200, reply.body
    return {phase.split(";")[0].strip() for phase in reply.headers["Server-Timing"].split(",")}


def test_a_function_goes_to_zero_and_comes_back(tmp_path):
    with started(tmp_path) as host:
        deploy(host, "brief", linear_model(1), scale={"idle": "50ms"})
        assert warmth(host, "brief") == "warm" and host.instances("brief", 1) == []
        for _ in range(3):
            reply = host.predict("brief", [[1, 2]])
            assert reply.predictions == [4.0] and "fork" in phases(reply) and "load" not in phases(reply)
            assert "fork" not in phases(host.predict("brief", [[1, 2]])), "the instance is there"
            wait_until(lambda: warmth(host, "brief") == "warm", "no instance any more")
        assert host.version("brief", 1)["wake_ms"] > 0
        assert host.stop() == 0


def test_the_next_instance_is_forked_ahead_and_goes_with_its_template(tmp_path):
    def spare():
        return host.version("brief", 1).get("spare", {}).get("pid")

    with started(tmp_path) as host:
        deploy(host, "brief", linear_model(1), scale={"idle": "50ms", "max": 1})
        assert spare() is None, "nobody has called it yet"
        host.predict("brief", [[1, 2]])
        assert spare() is None, "it has its only instance"
        for _ in range(3):
            ahead = wait_until(spare, "a spare")
            assert host.instances("brief", 1) == [] and warmth(host, "brief") == "warm"
            assert host.predict("brief", [[1, 2]]).predictions == [4.0]
            assert host.instances("brief", 1) == [ahead] and spare() is None
        # One that dies is no news of the version's: the next request forks.
        os.kill(wait_until(spare, "a spare"), signal.SIGKILL)
        wait_until(lambda: spare() is None, "its end was seen")
        assert host.predict("brief", [[1, 2]]).predictions == [4.0]
        assert "last_failure" not in host.version("brief", 1)
        ahead = wait_until(spare, "a spare")
        template = host.version("brief", 1)["template"]["pid"]
        os.kill(template, signal.SIGKILL)
        wait_until(lambda: not {ahead, template} & host.descendants(), "both are gone")
        assert host.predict("brief", [[1, 2]]).predictions == [4.0]


def test_a_minimum_is_kept_without_requests(tmp_path):
    with started(tmp_path) as host:
        deploy(host, "kept", linear_model(1), scale={"min": 2, "max": 3, "idle": "50ms"})
        wait_until(lambda: len(host.instances("kept", 1)) == 2, "both run")
        assert "fork" not in phases(host.predict("kept", [[1, 2]]))
        assert host.version("kept", 1)["template"]["pinned"] is True


def test_without_memory_for_templates_each_first_request_loads(tmp_path):
    with started(tmp_path, "--warm-memory", "1B") as host:
        deploy(host, "cold", linear_model(1), scale={"idle": "50ms"})
        for _ in range(3):
            wait_until(lambda: warmth(host, "cold") == "cold", "nothing of it is there")
            reply = host.predict("cold", [[1, 2]])
            assert reply.predictions == [4.0] and {"load", "fork", "infer"} <= phases(reply)
        wait_until(lambda: warmth(host, "cold") == "cold", "nothing of it is there")
        assert host.version("cold", 1)["wake_ms"] > 0


def test_templates_keep_to_their_memory_and_what_people_pin_stays(tmp_path):
    names = [f"f{number}" for number in range(30)]
    with started(tmp_path, "--warm-memory", "12MiB") as host:
        deploy(host, "pinned", linear_model(0), warm=True)
        for number, name in enumerate(names):
            deploy(host, name, linear_model(number), scale={"idle": "0ms"})
        for _ in range(2):
            for number, name in enumerate(names):
                assert host.predict(name, [[1, 2]]).predictions == [3.0 + number]

        def settled():
            memory = host.status()["host"]["warm_memory"]
            states = [warmth(host, name) for name in names]
            return memory["used"] <= memory["budget"] and "cold" in states and "running" not in states and states
        assert "warm" in wait_until(settled, "the templates fit")
        assert warmth(host, "pinned") == "warm"


def test_one_place_for_instances_goes_round(tmp_path):
    with started(tmp_path, "--max-instances", "1") as host:
        for name in "abc":
            deploy(host, name, linear_model(ord(name)))
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            asked = [name for _ in range(10) for name in "abc"]
            replies = list(pool.map(lambda name: host.predict(name, [[1, 2]]), asked))
        assert [reply.predictions for reply in replies] == [[3.0 + ord(name)] for name in asked]
        assert host.status()["host"]["instances"] == {"used": 1, "limit": 1}


def test_a_restart_loads_what_serves_without_being_asked(tmp_path):
    with started(tmp_path) as host:
        for number in range(5):
            deploy(host, f"f{number}", linear_model(number))
        assert host.stop() == 0
        host.restart()
        wait_until(lambda: all(warmth(host, f"f{number}") == "warm" for number in range(5)), "all are warm")
        reply = host.predict("f3", [[1, 2]])
        assert reply.predictions == [6.0] and "load" not in phases(reply)


def test_what_only_dies_is_given_up_for_good_until_somebody_lifts_it(tmp_path, plugin):
    with started(tmp_path) as host:
        deploy(host, "deadly", plugin, "so")

        def rejected():
            host.predict("deadly", [[1, ABORT]])
            return host.state("deadly", 1) == "rejected"
        wait_until(rejected, "it is given up", patience=60)
        version = host.version("deadly", 1)
        assert "quarantined: 8 deaths in a row without an answer" in version["reason"]
        refused = host.predict("deadly", [[1, NOTHING]])
        assert refused.status == 503 and "roost deploy deadly@1 --restart" in refused.error
        assert refused.headers["Retry-After"]
        host.kill()
        host.restart()
        assert host.state("deadly", 1) == "rejected"
        lifted = roost("deploy", "deadly@1", "--restart", "--home", host.home)
        assert lifted.returncode == 0, lifted.stderr
        assert host.predict("deadly", [[1, NOTHING]]).predictions == [1.0]


def test_keys_and_options_say_what_they_want(tmp_path):
    wrong = roost("serve", "--home", tmp_path, "--warm-memory", "much")
    assert wrong.returncode == 2 and "--warm-memory" in wrong.stderr and "64MiB" in wrong.stderr
    wrong = roost("serve", "--home", tmp_path, "--max-instances", "0")
    assert wrong.returncode == 2 and "--max-instances" in wrong.stderr and "1 or more" in wrong.stderr
