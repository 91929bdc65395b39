"""The record of decisions, from outside: that it tells everything, and shows who changed it."""

import contextlib
import json
import re
import sqlite3

from host import wait_until
from rollouts import (
    NAME, host, begin, drop, calling, rollout, wait_for, wait_for_share, shares, steer, audit, cli)


def tamper(host, statement):
    assert host.stop() == 0
    with contextlib.closing(sqlite3.connect(host.home / "state" / "roost.db")) as database, database:
        database.execute(statement)
    host.restart()


def test_the_audit_log_tells_everything_and_shows_who_changed_it(host):
    begin(host)
    with calling(host):
        drop(host)
        wait_for(host, "promoted")
    text = cli(host, "audit", NAME)
    assert text.returncode == 0
    assert re.search(rf"Z  {NAME}@2  rollout advanced by rollout: 10 % → 50 %: errors", text.stdout), text.stdout
    log = json.loads(cli(host, "audit", "--json").stdout)
    assert log["chain"] == "intact" and [one["number"] for one in log["entries"]] == list(
        range(1, len(log["entries"]) + 1))
    assert len(json.loads(cli(host, "audit", NAME, "--json", "--limit", "2").stdout)["entries"]) == 2
    tamper(host, "UPDATE audit SET entry = replace(entry, '50 %', '60 %') WHERE entry LIKE '%rollout_promoted%'")
    changed = next(one["number"] for one in log["entries"] if one["act"] == "rollout_promoted")
    wrong = cli(host, "audit", NAME)
    assert wrong.returncode == 1 and f"broken at entry {changed}" in wrong.stderr, wrong
    assert cli(host, "audit", "--json").returncode == 1


def test_a_removed_entry_is_noticed(host):
    begin(host)
    tamper(host, "DELETE FROM audit WHERE number = 1")
    wrong = cli(host, "audit")
    assert wrong.returncode == 1 and "broken at entry" in wrong.stderr, wrong


def test_what_cannot_be_written_is_said_and_written_later(host):
    begin(host, steps=[10, {"pause": True}, 100])
    drop(host)
    wait_for_share(host, 10)
    with contextlib.closing(sqlite3.connect(host.home / "state" / "roost.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        reply = steer(host, "abort")
        assert reply.status == 500 and "a restart would undo it" in reply.error, reply.body
        assert shares(host) == {"1": 100}, "what is urgent is done all the same"
        assert any("not on the disk" in warning for warning in host.status()["host"]["warnings"])
        other.execute("ROLLBACK")
    wait_until(lambda: not host.status()["host"]["warnings"] or not any(
        "not on the disk" in warning for warning in host.status()["host"]["warnings"]), "it is written")
    assert audit(host)[-1]["to"] == "1=100"
    host.kill()
    host.restart()
    assert rollout(host)["state"] == "aborted" and host.state(NAME, 2) == "rejected"
