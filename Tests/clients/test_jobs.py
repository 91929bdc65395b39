"""Jobs of a host: asked for, listed, stopped and resumed over HTTP and by command, killed at random, fed with anything."""

import csv
import io
import os
import random
import shutil
import signal
import time

import numpy as np
import pytest
from host import parents
from running_host import Host
from scoring import NAMES, cancer_csv, cells, errors, expected, left_behind, meta, rows_like_cancer, run
from test_score import MALFORMED

KILLS = int(os.environ.get("ROOST_JOB_KILLS", 5))
ROWS = int(os.environ.get("ROOST_JOB_ROWS", 200_000))
SEED = int(os.environ.get("ROOST_SEED", 1))


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A file of many rows, from few different ones: writing it is quick."""
    lines = [",".join(line) for line in cells(rows_like_cancer(2000))]
    path = tmp_path_factory.mktemp("large") / "in.csv"
    with open(path, "w") as file:
        file.write("id," + ",".join(NAMES) + "\n")
        file.writelines(f"p{index},{lines[index % 2000]}\n" for index in range(ROWS))
    return path


@pytest.fixture(scope="module")
def served(host, root, compiled):
    host.drop(root / "functions/cancer/cancer.ubj", "cancer.ubj")
    (host.home / "functions/deeds.json").write_text('{"timeout": "500ms"}')
    host.drop(compiled("deeds"), "deeds@1.so")
    for name in ("cancer", "deeds"):
        host.wait_for(f"^{name} traffic 1=100")
    return host


@pytest.fixture
def data(served):
    folder = served.home / "data"
    yield folder
    for one in folder.iterdir():
        shutil.rmtree(one) if one.is_dir() and not one.is_symlink() else one.unlink()


def begin(host, function="cancer", **spec):
    reply = host.post(f"/functions/{function}/jobs", spec)
    assert reply.status == 202, reply
    assert reply.headers["Location"] == f"/jobs/{reply.json['id']}"
    return reply.json["id"]


def ended(host, job):
    reply = host.get(f"/jobs/{job}?wait=1")
    assert reply.status == 200, reply
    return reply.json


def change(host, method, path):
    return host.request(method, path, content_type="application/json")


def score(host, function="cancer", **spec):
    return ended(host, begin(host, function, **spec))


def rows_of(path):
    return list(csv.DictReader(io.StringIO(path.read_text())))


# MARK: asking

def test_a_job_over_http_and_by_command(served, data, root):
    rows = rows_like_cancer(500)
    cancer_csv(data / "in.csv", rows)
    job = score(served, input="in.csv", output="out.csv", columns=["id"])
    assert job["state"] == "done" and (job["rows"], job["bad_rows"]) == (500, 0)
    found = rows_of(data / "out.csv")
    np.testing.assert_allclose([float(row["prediction"]) for row in found], expected(root, rows), rtol=1e-6)
    assert meta(data / "out.csv")["job"] == job["id"] and left_behind(data) == []
    # By command, from the folder of the home, to the name that follows from the input's.
    at = ("--url", served.url)
    done = run(served.binary, "score", "cancer", "data/in.csv", "--columns", "id", *at, cwd=served.home)
    assert "500 rows, 0 bad, by cancer@1" in done.out
    assert (data / "in.scored.csv").read_bytes() == (data / "out.csv").read_bytes()
    more = ("score", "cancer", "data/in.csv", "-o", "data/more.csv", "--detach")
    name = run(served.binary, *more, *at, cwd=served.home).out.strip()
    assert ended(served, name)["state"] == "done"
    assert served.run("jobs", "watch", name, at=at).stdout.startswith("500 rows")
    shown = served.run("jobs", "show", name, at=at).stdout
    assert f"id: {name}" in shown and "state: done" in shown
    listed = served.run("jobs", "list", "--state", "done", "--function", "cancer", at=at).stdout.splitlines()
    assert listed[0].split() == ["ID", "MODEL", "STATE", "ROWS", "BAD", "OUTPUT"] and len(listed) == 4
    assert name in [line.split()[0] for line in listed[1:]]
    assert [one["state"] for one in served.get("/jobs?limit=2").json["jobs"]] == ["done"] * 2
    for word in ("cancel", "resume"):
        assert "is done" in served.run("jobs", word, name, at=at, code=1).stderr


def test_wrong_questions_are_refused(served, data):
    cancer_csv(data / "in.csv", rows_like_cancer(10))
    (data / "there.csv").write_text("precious")
    jobs = "/functions/cancer/jobs"
    for body, status, words in [
            ({"input": "nothing.csv"}, 404, "No such file"), ({"input": "in.csv", "output": "in.csv"}, 409, "one file"),
            ({"input": "in.csv", "output": "there.csv"}, 409, "is there already"), ({}, 400, "input"),
            ({"input": "in.csv", "delimiter": "|"}, 400, "delimiter"), ({"input": "in.csv", "inptu": 1}, 400, "inptu"),
            ({"input": "in.csv", "max_errors": "lots"}, 400, "max_errors"), ({"input": "-"}, 404, "No such file")]:
        assert words in served.refused(jobs, body, status), body
    assert (data / "there.csv").read_text() == "precious"
    assert served.get("/jobs/zzz").status == 404 and served.get("/jobs?state=odd").status == 400
    assert change(served, "DELETE", "/jobs/zzz").status == 404
    assert "has the states" not in served.run("jobs", "show", "zzz", code=1).stderr


def test_nothing_outside_of_the_data_folder_is_touched(served, data, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    cancer_csv(outside / "in.csv", rows_like_cancer(10))
    cancer_csv(data / "in.csv", rows_like_cancer(10))
    (data / "link").symlink_to(outside)
    (data / "link.csv").symlink_to(outside / "in.csv")
    os.mkfifo(data / "pipe.csv")
    (data / "folder.csv").mkdir()
    before = sorted(os.listdir(outside))
    jobs = "/functions/cancer/jobs"
    for path in ("../state/jobs.db", "/etc/passwd", str(outside / "in.csv"), "a/../../in.csv", "link/in.csv",
                 "link.csv", "./in.csv", "", "a//b.csv", "pipe.csv", "folder.csv", f"{data}/../data/in.csv"):
        assert served.post(jobs, {"input": path, "output": "out.csv"}).status in (400, 404), path
    for path in ("../out.csv", str(outside / "out.csv"), "/etc/out.csv", "a/../../out.csv", "."):
        assert served.post(jobs, {"input": "in.csv", "output": path}).status == 400, path
    for path in ("link/out.csv", "link/new/out.csv"):
        job = score(served, input="in.csv", output=path)
        assert job["state"] == "failed" and "leads out of" in job["reason"]
    assert sorted(os.listdir(outside)) == before
    assert served.post(jobs, {"input": "in.csv", "output": "new/folder/out.csv"}).status == 202


# MARK: stopping and going on

def test_two_jobs_wait_for_each_other_and_one_that_was_cancelled_goes_on(served, data, large):
    os.link(large, data / "in.csv") if large.stat().st_dev == data.stat().st_dev else shutil.copyfile(large, data / "in.csv")
    assert score(served, input="in.csv", output="reference.csv", columns=["id"])["state"] == "done"
    first = begin(served, input="in.csv", output="first.csv", columns=["id"])
    second = begin(served, input="in.csv", output="second.csv", columns=["id"])
    assert served.get(f"/jobs/{second}").json["state"] == "queued"
    assert "writes first.csv" in served.refused(
        "/functions/cancer/jobs", {"input": "in.csv", "output": "first.csv"}, 409)
    cancels = 0
    served.until(lambda: served.get(f"/jobs/{first}").json["state"] == "running")
    dice = random.Random(SEED)
    # At any moment: also while it is opened, and right behind each other.
    while served.get(f"/jobs/{first}").json["state"] != "done" and cancels < 12:
        time.sleep(dice.choice([0, 0.005, 0.02, 0.1]))
        reply = change(served, "DELETE", f"/jobs/{first}")
        if reply.status == 202:
            cancels += 1
            assert change(served, "POST", f"/jobs/{first}/resume").status == 202
    assert ended(served, first)["state"] == "done" and cancels > 0
    assert ended(served, second)["state"] == "done"
    reference = (data / "reference.csv").read_bytes()
    assert reference.count(b"\n") == ROWS + 1
    assert (data / "first.csv").read_bytes() == reference == (data / "second.csv").read_bytes()
    assert left_behind(data) == []


def slow(path, chunks):
    """A file whose every chunk of about 100 rows takes the plugin a fifth of a second."""
    with open(path, "w") as file:
        file.write("id,do,with\n")
        file.writelines(f"{index:02000},4,2\n" for index in range(97 * chunks))


def test_a_cancelled_job_stays_cancelled_and_another_content_is_not_gone_on_with(served, data):
    slow(data / "in.csv", 100)
    job = begin(served, "deeds", input="in.csv", output="out.csv", columns="none")
    served.until(lambda: served.get(f"/jobs/{job}").json["rows"] > 0)
    change(served, "DELETE", f"/jobs/{job}")
    over = ended(served, job)
    assert over["state"] == "cancelled" and not (data / "out.csv").exists()
    with open(data / "in.csv", "a") as file:
        file.write("more\n")
    change(served, "POST", f"/jobs/{job}/resume")
    over = ended(served, job)
    assert over["state"] == "failed" and "is not what it was when the job began" in over["reason"]


def test_a_folder_that_is_gone_stops_the_job_until_it_is_back(served, data):
    slow(data / "in.csv", 10)
    assert score(served, "deeds", input="in.csv", output="reference.csv", columns="none")["state"] == "done"
    job = begin(served, "deeds", input="in.csv", output="sub/out.csv", columns="none")
    served.until(lambda: (data / "sub").exists())
    (data / "sub").rename(data / "gone")
    over = ended(served, job)
    assert over["state"] == "stopped", over
    (data / "gone").rename(data / "sub")
    change(served, "POST", f"/jobs/{job}/resume")
    assert ended(served, job)["state"] == "done"
    assert (data / "sub/out.csv").read_bytes() == (data / "reference.csv").read_bytes()


# MARK: kills

def test_killed_at_random_the_output_is_the_same(binary, root, large, tmp_path):
    """The host, the nursery and instances, at random moments: byte for byte what an undisturbed job writes."""
    dice = random.Random(SEED)
    home = tmp_path / "home"
    host = Host(binary, home)
    host.drop_and_wait(root / "functions/cancer/cancer.ubj", "cancer.ubj", "cancer@1")
    shutil.copyfile(large, home / "data/in.csv")
    began = time.monotonic()
    assert score(host, input="in.csv", output="reference.csv", columns=["id"])["state"] == "done"
    whole = time.monotonic() - began
    reference = (home / "data/reference.csv").read_bytes()
    killed = {"host": 0, "nursery": 0, "instance": 0}
    rounds = 0
    while sum(killed.values()) < KILLS:
        rounds += 1
        job = begin(host, input="in.csv", output=f"out{rounds}.csv", columns=["id"])
        while sum(killed.values()) < KILLS:
            time.sleep(dice.uniform(0, whole / 2))
            status = host.get(f"/jobs/{job}").json
            if status["state"] != "running":
                break
            what = dice.choice(list(killed))
            if what == "host":
                host.process.kill()
                host.process.wait()
                host = Host(binary, home)
            else:
                victims = status["processes"] if what == "instance" else [
                    pid for pid, parent in parents().items() if parent == host.process.pid]
                if not victims:
                    continue
                try:
                    os.kill(dice.choice(victims), signal.SIGKILL)
                except ProcessLookupError:
                    continue
            killed[what] += 1
        over = ended(host, job)
        if over["state"] == "stopped":
            change(host, "POST", f"/jobs/{job}/resume")
            over = ended(host, job)
        assert over["state"] == "done", (over, killed)
        assert (home / f"data/out{rounds}.csv").read_bytes() == reference, killed
        assert over["output_sha256"] and over["rows"] == ROWS
        (home / f"data/out{rounds}.csv").unlink()
    print(f"\nkilled with -9: {killed}, in {rounds} jobs of {ROWS} rows, each byte-identical to the undisturbed one")
    assert left_behind(home / "data") == []
    host.stop()


# MARK: plugins that misbehave

def deeds(path, marks, count=3000):
    """Rows that are answered with their number, but those that have a mark."""
    with open(path, "w") as file:
        file.write("do,with\n")
        file.writelines(f"{marks.get(index, (0, index))[0]},{marks.get(index, (0, index))[1]}\n" for index in range(count))


@pytest.mark.parametrize("deed, with_, reason, bad", [
    (5, 0, "segmentation fault", [0, 77, 78, 1500, 2999]), (4, 60_000, "in time", [1234]),
    (3, 0, "no answer here", [5, 2000]), (2, 0, "does not like this row", [5, 2000]), (1, 0, "gives up", [5, 2000])])
def test_rows_that_a_plugin_does_not_survive_are_bad_rows(served, data, deed, with_, reason, bad):
    deeds(data / "in.csv", {index: (deed, with_) for index in bad})
    job = score(served, "deeds", input="in.csv", output="out.csv", columns="none")
    assert job["state"] == "done" and (job["rows"], job["bad_rows"]) == (3000, len(bad)), job
    found = errors(data / "out.csv")
    assert [one["line"] for one in found] == [index + 2 for index in bad]
    assert all(reason in one["reason"] and one["row"] == f"{deed},{with_}" for one in found), found
    assert [float(row["prediction"]) for row in rows_of(data / "out.csv")] == [
        index for index in range(3000) if index not in bad]


def test_a_job_gives_its_place_to_callers(binary, root, compiled, tmp_path):
    host = Host(binary, tmp_path / "home", "--max-instances", "1")
    (host.home / "functions/cancer.json").write_text('{"scale": {"idle": "100ms"}}')
    host.drop_and_wait(root / "functions/cancer/cancer.ubj", "cancer.ubj", "cancer@1")
    host.drop_and_wait(compiled("deeds"), "deeds@1.so", "deeds@1")
    deeds(host.home / "data/in.csv", {index: (4, 20) for index in range(100)}, 100)
    job = begin(host, "deeds", input="in.csv", output="out.csv", columns="none")
    host.until(lambda: host.get(f"/jobs/{job}").json.get("processes"))
    first = host.get(f"/jobs/{job}").json["processes"]
    assert len(first) == 1 and host.ask("/functions/cancer/predict", [[1.0] * 30])["version"] == "1"
    # What the job was at was not over, and is done again when the caller has left.
    assert host.get(f"/jobs/{job}").json["state"] == "running" and not os.path.exists(f"/proc/{first[0]}")
    over = ended(host, job)
    assert (over["state"], over["rows"], over["bad_rows"]) == ("done", 100, 0), over
    host.stop()


def test_a_plugin_that_cannot_be_loaded_says_why(binary, compiled, tmp_path):
    deeds(tmp_path / "in.csv", {})
    done = run(binary, "score", compiled("deeds", "BROKEN"), tmp_path / "in.csv", code=1)
    assert "the flux is out of phase" in done.err and os.listdir(tmp_path) == ["in.csv"]


# MARK: files of every kind

def test_malformed_files_have_a_clear_outcome_and_hurt_nobody(served, data):
    def descriptors():
        return len(os.listdir(f"/proc/{served.process.pid}/fd"))

    def threads():
        return len(os.listdir(f"/proc/{served.process.pid}/task"))

    before = None
    for kind, (make, code, words) in MALFORMED.items():
        if kind in ("a directory", "nothing"):
            continue
        make(data / "in.csv")
        job = score(served, input="in.csv", output="out.csv")
        assert job["state"] == ("failed" if code == 1 else "done"), (kind, job)
        reasons = "".join(one["reason"] for one in errors(data / "out.csv"))
        assert code == 0 or words in job.get("reason", "") + reasons, (kind, job, reasons)
        assert bool(job["bad_rows"]) == (code == 3) and left_behind(data) == [], kind
        for one in data.iterdir():
            one.unlink()
        row = [1.0] * 30
        assert served.ask("/functions/cancer/predict", [row])["version"] == "1"
        before = before or (descriptors(), threads())
    served.until(lambda: descriptors() <= before[0] and threads() <= before[1])


def test_another_folder_may_be_added(binary, root, tmp_path):
    outside = tmp_path / "döner"
    outside.mkdir()
    rows = rows_like_cancer(50)
    cancer_csv(outside / "in.csv", rows)
    host = Host(binary, tmp_path / "home", "--data", str(outside))
    host.drop_and_wait(root / "functions/cancer/cancer.ubj", "cancer.ubj", "cancer@1")
    job = score(host, input=str(outside / "in.csv"), output=str(outside / "out.csv"))
    assert job["state"] == "done" and len(rows_of(outside / "out.csv")) == 50, job
    host.stop()
