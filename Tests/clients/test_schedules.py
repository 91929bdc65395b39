"""Schedules of a real host: due times, what was missed, and what people are shown of it."""

import json
import sqlite3
import time
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from host import Host, linear_model, wait_until

SCORED = "age,income,prediction\n1,2,4.0\n"


def schedule(cron, output="out/{date}-{time}.csv", **more):
    return {"type": "schedule", "name": "plan", "cron": cron, "input": "in.csv", "output": output,
            "retry": {"backoff": "50ms", "attempts": 2}, **more}


@pytest.fixture
def host(tmp_path):
    with Host(tmp_path / "home") as host:
        (host.home / "data").mkdir(exist_ok=True)
        (host.home / "data/in.csv").write_text("age,income\n1,2\n")
        host.drop("sum@1.json", json.dumps(
            json.loads(linear_model(1)) | {"features": ["age", "income"]}).encode())
        host.wait_serving("sum", 1)
        yield host
        assert host.process.poll() is not None or host.stop() == 0, host.warnings


def trigger(host, name="plan"):
    return next((one for one in host.status("sum").get("triggers", []) if one["name"] == name), {})


def outputs(host):
    folder = host.home / "data/out"
    return sorted(p.name for p in folder.glob("*.csv")) if folder.exists() else []


def planned(host, *schedules):
    """Writes the manifest, and waits until all schedules know their next time."""
    host.manifest("sum", {"triggers": list(schedules)})
    for one in schedules:
        wait_until(lambda: "next_run" in trigger(host, one["name"]), lambda: trigger(host, one["name"]))


def set_back(host, name, by):
    """As if the host had been away for so long: the time up to which a schedule is accounted for is a while ago."""
    database = sqlite3.connect(host.home / "state/deliveries.db")
    with database:
        changed = database.execute(
            "UPDATE marks SET value = ? WHERE function = 'sum' AND trigger = ?",
            (int((datetime.now(timezone.utc) - by).timestamp()), name)).rowcount
    database.close()
    assert changed == 1


def half_an_hour_ago():
    """A minute of each hour that is neither close behind nor close ahead."""
    return (datetime.now(timezone.utc).minute + 30) % 60


def test_a_schedule_runs_when_it_is_due(host):
    planned(host, schedule("* * * * *"))
    due = datetime.fromisoformat(trigger(host)["next_run"])
    assert timedelta(0) <= due - datetime.now(timezone.utc) + timedelta(seconds=1) <= timedelta(seconds=62)
    name = due.strftime("%Y-%m-%d-%H-%M.csv")
    wait_until(lambda: name in outputs(host), lambda: (name, outputs(host), trigger(host)), patience=75)
    late = time.time() - due.timestamp()
    assert (host.home / "data/out" / name).read_text() == SCORED and late < 15
    wait_until(lambda: trigger(host)["done"] == 1, lambda: trigger(host))
    shown = trigger(host)
    (job,) = host.get("/jobs").json["jobs"]
    assert job["origin"] == "trigger:plan" and job["id"] == shown["last_job"]
    assert shown["last"]["outcome"] == "done"
    assert datetime.fromisoformat(shown["next_run"]) == due + timedelta(minutes=1)
    assert (host.home / "data/in.csv").exists(), "the input of a schedule stays"


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Asia/Kathmandu"])
def test_due_times_are_those_of_the_zone(host, zone):
    planned(host, schedule("0 3 * * *", timezone=zone))
    shown, place = datetime.fromisoformat(trigger(host)["next_run"]), ZoneInfo(zone)
    assert shown.utcoffset() == shown.astimezone(place).utcoffset()
    assert (shown.hour, shown.minute) == (3, 0)
    assert timedelta(0) < shown - datetime.now(timezone.utc) <= timedelta(hours=25)
    assert trigger(host)["timezone"] == zone and trigger(host)["cron"] == "0 3 * * *"


def test_what_was_missed_runs_once_or_not_at_all(host):
    minute = half_an_hour_ago()
    cron = f"{minute} * * * *"
    once = schedule(cron, "out/once-{date}-{time}.csv", missed="once")
    skip = schedule(cron, "out/skip-{date}-{time}.csv", missed="skip") | {"name": "skip"}
    planned(host, once, skip)
    assert outputs(host) == [] and trigger(host)["done"] == 0, "a new schedule has missed nothing"
    host.stop()
    for name in ("plan", "skip"):
        set_back(host, name, timedelta(hours=5))
    host.restart()
    wait_until(lambda: trigger(host).get("done") == 1, lambda: trigger(host))
    (name,) = outputs(host)
    last = datetime.now(timezone.utc).replace(minute=minute, second=0, microsecond=0)
    if last > datetime.now(timezone.utc):
        last -= timedelta(hours=1)
    assert name == last.strftime("once-%Y-%m-%d-%H-%M.csv"), "the last of the five, and only that"
    assert trigger(host, "skip")["done"] == 0
    # It is accounted for: another restart runs nothing.
    host.kill()
    host.restart()
    wait_until(lambda: "next_run" in trigger(host), lambda: trigger(host))
    assert len(outputs(host)) == 1 and trigger(host)["done"] == 1


def test_another_time_misses_nothing(host):
    cron = f"{half_an_hour_ago()} * * * *"
    planned(host, schedule("0 0 1 1 *", missed="once"))
    host.stop()
    set_back(host, "plan", timedelta(hours=5))
    host.manifest("sum", {"triggers": [schedule(cron, missed="once")]})
    host.restart()
    wait_until(lambda: trigger(host).get("cron") == cron and "next_run" in trigger(host), lambda: trigger(host))
    assert outputs(host) == [] and trigger(host)["waiting"] + trigger(host)["running"] + trigger(host)["done"] == 0


def test_a_run_that_cannot_be_done_is_a_dead_letter_with_its_reason(host):
    cron = f"{half_an_hour_ago()} * * * *"
    planned(host, schedule(cron, "out/same.csv", missed="once"))
    (host.home / "data/out").mkdir()
    (host.home / "data/out/same.csv").write_text("precious")
    host.stop()
    set_back(host, "plan", timedelta(hours=5))
    host.restart()
    wait_until(lambda: trigger(host).get("dead") == 1, lambda: trigger(host))
    assert "out/same.csv is there already" in trigger(host)["last"]["reason"]
    assert (host.home / "data/out/same.csv").read_text() == "precious"
    # Who wants it replaced says so.
    cron = f"{(half_an_hour_ago() + 1) % 60} * * * *"
    planned(host, schedule(cron, "out/same.csv", missed="once", force=True))
    wait_until(lambda: trigger(host)["cron"] == cron and "next_run" in trigger(host), lambda: trigger(host))
    host.stop()
    set_back(host, "plan", timedelta(hours=5))
    host.restart()
    wait_until(lambda: trigger(host).get("done") == 1, lambda: trigger(host))
    assert (host.home / "data/out/same.csv").read_text() == SCORED


def test_an_unknown_zone_is_shown(host):
    host.manifest("sum", {"triggers": [schedule("0 3 * * *", timezone="Europe/Atlantis")]})
    wait_until(lambda: "problem" in trigger(host), lambda: trigger(host))
    assert 'no time zone "Europe/Atlantis"' in trigger(host)["problem"] and "next_run" not in trigger(host)
    planned(host, schedule("0 3 * * *", timezone="Europe/Berlin"))
    assert "problem" not in trigger(host)
