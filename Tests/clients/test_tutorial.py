"""The releases of docs/ROLLOUTS.md, faster: real models, `roost bench` as traffic, and nobody who decides."""

import json
import signal
import subprocess
import sys

import pytest
from running_host import PATIENCE, command

STABLE, BETTER, WRONG, CRASHING, SLOW, WEAK = "1", "2", "3", "4", "5", "7"

# Beside other work a p99 is noise. Twenty milliseconds more show in the median.
LATENCY = {"p99_margin": "100%"}
# Quick for what is good; where the crash has to come before the second share, one that needs many requests.
QUICK = {"steps": [10, 50, 100], "interval": "1s", "min_samples": 50,
         "analysis": {"errors": {"margin": "1%"}, "latency": {"p99_margin": "400%"}, "agreement": {"flips": "8%"}}}
CAREFUL = QUICK | {"analysis": {"errors": {"margin": "0.05%"}, "latency": LATENCY}}
GATE = {"data": "holdout.csv", "label": "benign", "metric": "auc", "min": 0.97, "max_drop": 0.02}


@pytest.fixture(scope="module")
def versions(root, runtimes, binary, tmp_path_factory):
    """The folder that functions/cancer/versions.py fills, with the packed plugins that the page makes."""
    folder = tmp_path_factory.mktemp("versions")
    subprocess.run([sys.executable, root / "functions/cancer/versions.py", folder], check=True, capture_output=True)
    engines = root / "functions/cancer/variants/.build/release"
    home = folder / "home"
    (home / "runtimes").mkdir(parents=True)
    for version, engine in ((CRASHING, "crashing"), (SLOW, "slow")):
        library = engines / f"lib{engine}.so"
        if not library.exists():
            pytest.fail(f"{library} is missing: swift build -c release --package-path functions/cancer/variants")
        (home / "runtimes" / library.name).write_bytes(library.read_bytes())
        command(binary, "pack", folder / "cancer@2.ubj", "--runtime", engine, "--home", home,
                "-o", folder / f"cancer@{version}.so")
    return folder


def set_manifest(host, value):
    partial = host.home / "functions/.cancer.partial"
    partial.write_text(json.dumps(value))
    partial.rename(host.home / "functions/cancer.json")
    # Seen by its effect: the plan in force is the one that was written.
    wanted = value["rollout"]["analysis"]["errors"]["margin"]

    def in_force():
        plan = host.get("/functions/cancer/rollout?plan=1").json["plan"]
        return plan["analysis"]["errors"]["margin"] == pytest.approx(float(wanted.rstrip("%")) / 100)

    host.until(in_force)


def release(host, versions, number, ending):
    """Drops a version; its rollout when that has ended, with the audit's entries about it."""
    host.drop(versions / f"cancer@{number}{ending}", f"cancer@{number}{ending}")

    def begun():
        rollout = host.get("/functions/cancer/rollout")
        return rollout.status == 200 and rollout.json["canary"] == number

    host.until(begun)
    # It asks twice a second: who asks without a pause takes the time that the versions are measured by.
    done = host.run("rollout", "status", "cancer", "--watch", code=0 if number == BETTER else 1)
    rollout = host.get("/functions/cancer/rollout").json
    print(done.stdout)
    log = host.get("/functions/cancer/audit?limit=1000").json
    assert log["chain"] == "intact"
    entries = [entry for entry in log["entries"]
               if entry.get("version") == number and entry["act"].startswith("rollout_")]
    assert entries[0]["act"] == "rollout_started" and entries[0]["by"] == "plan"
    return rollout, entries


def shares(entries):
    """Every share that a version has had, as the audit tells it."""
    return [int(entry["to"].split()[0]) for entry in entries]


def test_five_releases_and_a_gate(host, root, versions):
    (host.home / "functions/cancer").mkdir()
    set_aside = (root / "functions/cancer/examples.jsonl").read_bytes()
    (host.home / f"functions/cancer/examples@{STABLE}.jsonl").write_bytes(set_aside)
    host.drop_and_wait(root / "functions/cancer/cancer.ubj", "cancer@1.ubj", "cancer@1")
    bench = subprocess.Popen(
        [host.binary, "bench", "cancer", "--home", host.home, "--rate", "400", "--for", "10m", "--json",
         "--from", versions / "traffic.csv"], stdout=subprocess.PIPE, text=True)
    try:
        set_manifest(host, {"rollout": QUICK})
        rollout, entries = release(host, versions, BETTER, ".ubj")
        assert rollout["state"] == "promoted", rollout
        assert shares(entries) == [0, 10, 50, 100] and entries[-1]["act"] == "rollout_promoted"
        assert entries[-1]["by"] == "rollout" and "quality unproven: 0 labels" in rollout["unproven"]

        set_manifest(host, {"rollout": CAREFUL})
        for number, ending, reason in (
                (WRONG, ".ubj", "other decisions in"), (CRASHING, ".so", "it died: "), (SLOW, ".so", " of 1 row ")):
            rollout, entries = release(host, versions, number, ending)
            assert rollout["state"] == "aborted" and reason in rollout["reason"], rollout
            assert max(shares(entries)) == 10 and shares(entries)[-1] == 0
            assert entries[-1]["act"] == "rollout_aborted" and reason in entries[-1]["reason"]
            assert host.get("/functions/cancer").json["traffic"]["shares"] == {BETTER: 100}
            assert host.versions("cancer")[number]["state"] == "rejected"

        (host.home / "functions/cancer/holdout.csv").write_bytes((versions / "holdout.csv").read_bytes())
        set_manifest(host, {"rollout": QUICK, "gate": GATE})
        done = host.run("deploy", versions / "cancer@7.ubj", code=1)
        assert "gate: auc 0.9276 < 0.97" in done.stderr
        assert host.versions("cancer")[WEAK]["state"] == "failed"
    finally:
        bench.send_signal(signal.SIGINT)
        report = json.loads(bench.communicate(timeout=PATIENCE)[0])
    outcomes, answered = report["outcomes"], report["versions"]
    # What was on its way when the load was stopped is no error.
    assert sum(outcomes.values()) - outcomes["interrupted"] == outcomes["ok"] > 2000, report["errors"]
    assert bench.returncode == 0
    assert set(answered) <= {STABLE, BETTER, WRONG, CRASHING, SLOW} and answered[BETTER] > answered[SLOW]
    for number in (WRONG, CRASHING, SLOW):
        # A tenth of what came while it was on trial at most, and that was a part of the time.
        assert answered.get(number, 0) < 0.1 * outcomes["ok"]
