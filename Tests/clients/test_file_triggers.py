"""File triggers of a real host: what is dropped into a folder is scored once, whatever happens meanwhile."""

import json
import os
import shutil
import time

import pytest
from host import Host, linear_model, wait_until

TRIGGER = {"type": "file", "watch": "inbox/*.csv", "retry": {"backoff": "50ms"}}


def model(intercept=1):
    """age + income + the intercept."""
    return json.dumps(json.loads(linear_model(intercept)) | {"features": ["age", "income"]}).encode()


class Folders:
    """A host's data folder as people use it."""

    def __init__(self, host):
        self.host = host
        self.data = host.home / "data"

    def files(self, folder):
        path = self.data / folder
        return sorted(p.name for p in path.iterdir() if not p.name.startswith(".")) if path.exists() else []

    def put(self, path, text):
        """As a careful program does: written under a hidden name, then renamed."""
        target = self.data / path
        target.parent.mkdir(parents=True, exist_ok=True)
        hidden = target.with_name(f".{target.name}.new")
        hidden.write_text(text)
        hidden.rename(target)
        return target

    def read(self, path):
        return (self.data / path).read_text()

    def wait(self, path):
        wait_until((self.data / path).exists, lambda: f"{path}; {self.trigger()}; {self.host.lines[-5:]}")
        return self.read(path)

    def trigger(self, name="file-1", function="sum"):
        return next((t for t in self.host.status(function).get("triggers", []) if t["name"] == name), {})

    def jobs(self):
        return self.host.get("/jobs?function=sum&limit=1000").json["jobs"]


def rows(count, first=0):
    return "age,income\n" + "".join(f"{i % 100},{i % 7}\n" for i in range(first, first + count))


def scored(count, first=0):
    return "age,income,prediction\n" + "".join(
        f"{i % 100},{i % 7},{i % 100 + i % 7 + 1}.0\n" for i in range(first, first + count))


@pytest.fixture
def host(tmp_path):
    with Host(tmp_path / "home") as host:
        host.manifest("sum", {"triggers": [TRIGGER]})
        host.drop("sum@1.json", model())
        host.wait_serving("sum", 1)
        wait_until((host.home / "data/inbox").is_dir, "the watched folder is made")
        yield host
        assert host.process.poll() is not None or host.stop() == 0, host.warnings


@pytest.fixture
def folders(host):
    return Folders(host)


def test_a_dropped_file_is_scored_and_moved(folders):
    folders.put("inbox/a.csv", rows(3))
    assert folders.wait("outbox/a.csv") == scored(3)
    assert folders.wait("done/a.csv") == rows(3)
    assert folders.files("inbox") == [] and folders.files("failed") == []
    assert folders.files("outbox") == ["a.csv", "a.csv.meta.json"]
    wait_until(lambda: folders.trigger()["done"] == 1, folders.trigger)
    trigger = folders.trigger()
    (job,) = folders.jobs()
    assert (trigger["type"], trigger["watches"], trigger["dead"]) == ("file", "data/inbox/*.csv", 0)
    assert (trigger["waiting"], trigger["running"], trigger["arriving"]) == (0, 0, 0)
    assert trigger["last"]["outcome"] == "done" and abs(trigger["last"]["at"] - time.time()) < 60
    assert trigger["last_job"] == job["id"] and job["origin"] == "trigger:file-1" and job["state"] == "done"


def test_a_slow_writer_is_waited_for(folders):
    """He pauses for longer than a file has to stand still; that he has it open is what counts."""
    target = folders.data / "inbox/slow.csv"
    with open(target, "w") as file:
        file.write("age,income\n1,2\n")
        file.flush()
        # Another one comes, settles, and is done meanwhile: so this one has had the time to settle, too.
        folders.put("inbox/other.csv", rows(1))
        folders.wait("done/other.csv")
        assert folders.files("inbox") == ["slow.csv"] and "slow.csv" not in folders.files("outbox")
        file.write("3,4\n")
    assert folders.wait("outbox/slow.csv") == "age,income,prediction\n1,2,4.0\n3,4,8.0\n"
    folders.wait("done/slow.csv")


def test_what_is_appended_again_and_again_is_taken_whole(folders):
    target = folders.data / "inbox/grows.csv"
    for part in ["age,income\n", "1,2\n", "3,4\n", "5,6\n"]:
        with open(target, "a") as file:
            file.write(part)
        time.sleep(0.1)  # shorter than it has to stand still
    assert folders.wait("outbox/grows.csv").count("\n") == 4
    folders.wait("done/grows.csv")


def test_many_files_at_once(folders):
    for number in range(60):
        folders.put(f"inbox/{number}.csv", rows(5, number))
    wait_until(lambda: folders.trigger().get("done") == 60, folders.trigger, patience=120)
    wait_until(lambda: folders.files("inbox") == [], lambda: folders.files("inbox"))
    assert folders.files("done") == sorted(f"{number}.csv" for number in range(60))
    for number in range(60):
        assert folders.read(f"outbox/{number}.csv") == scored(5, number)
    assert len(folders.jobs()) == 60


def test_only_what_the_pattern_means_is_taken(folders):
    for name in ["notes.txt", ".hidden.csv", "a.csv.tmp", "b.csv.partial", "c.csv.part"]:
        (folders.data / "inbox" / name).write_text(rows(1))
    (folders.data / "inbox/folder.csv").mkdir()
    folders.put("inbox/a.csv", rows(2))
    folders.wait("done/a.csv")
    assert folders.files("inbox") == ["a.csv.tmp", "b.csv.partial", "c.csv.part", "folder.csv", "notes.txt"]
    assert folders.files("outbox") == ["a.csv", "a.csv.meta.json"]


def test_taken_names_are_numbered(folders):
    for count in (1, 2, 3):
        folders.put("inbox/a.csv", rows(count))
        name = "a.csv" if count == 1 else f"a-{count}.csv"
        assert folders.wait(f"outbox/{name}") == scored(count)
        assert folders.wait(f"done/{name}") == rows(count)
    assert folders.files("done") == ["a-2.csv", "a-3.csv", "a.csv"]


def test_what_is_moved_back_is_new_work(folders):
    folders.put("inbox/a.csv", rows(1))
    folders.wait("done/a.csv")
    wait_until(lambda: folders.trigger()["done"] == 1, folders.trigger)
    (folders.data / "done/a.csv").rename(folders.data / "inbox/a.csv")
    assert folders.wait("outbox/a-2.csv") == scored(1)
    folders.wait("done/a.csv")
    assert len(folders.jobs()) == 2


@pytest.mark.parametrize("text, reason", [
    ("foo,bar\nx,y\n", 'column "age" is absent'),
    ("", "the file has no rows"),
])
def test_a_file_that_cannot_be_scored_fails_with_a_reason(folders, text, reason):
    folders.put("inbox/bad.csv", text)
    assert reason in folders.wait("failed/bad.csv.reason.txt")
    assert folders.wait("failed/bad.csv") == text
    assert folders.files("inbox") == [] and folders.files("outbox") == [] and folders.files("done") == []
    wait_until(lambda: folders.trigger()["dead"] == 1, folders.trigger)
    assert folders.trigger()["last"]["outcome"] == "dead" and reason in folders.trigger()["last"]["reason"]
    # The next ones are none the worse for it.
    folders.put("inbox/bad.csv", text)
    assert folders.wait("failed/bad-2.csv") == text and reason in folders.read("failed/bad-2.csv.reason.txt")
    folders.put("inbox/good.csv", rows(1))
    folders.wait("done/good.csv")


def test_what_lies_there_before_the_start_is_taken_and_waits_for_a_version(tmp_path):
    with Host(tmp_path / "home") as host:
        folders = Folders(host)
        folders.put("inbox/early.csv", rows(4))
        host.manifest("sum", {"triggers": [TRIGGER]})
        host.stop()
        host.start()
        host.drop("sum@1.json", model())
        assert folders.wait("outbox/early.csv") == scored(4)
        folders.wait("done/early.csv")
        assert folders.files("failed") == []


def test_files_that_are_left_are_scored_once_for_each_content(host, folders):
    host.manifest("sum", {"triggers": [{"type": "file", "name": "stay", "watch": "shared/*.csv", "after": "leave"}]})
    folders.put("shared/a.csv", rows(1))
    folders.wait("outbox/a.csv")
    wait_until(lambda: folders.trigger("stay")["done"] == 1, folders.trigger)
    host.stop()
    host.restart()
    # What is found anew after the restart is known; what comes after it is not, so the folder has been gone through.
    folders.put("shared/b.csv", rows(2))
    folders.wait("outbox/b.csv")
    wait_until(lambda: folders.trigger("stay")["done"] == 2, folders.trigger)
    wait_until(lambda: folders.trigger("stay")["outcomes"]["duplicate"] == 1, folders.trigger)
    assert folders.files("shared") == ["a.csv", "b.csv"] and "a-2.csv" not in folders.files("outbox")
    folders.put("shared/a.csv", rows(3))
    assert folders.wait("outbox/a-2.csv") == scored(3)
    assert folders.files("done") == [] and len(folders.jobs()) == 3


def test_a_host_that_is_killed_in_the_middle_makes_one_output(host, folders):
    count = 3_000_000
    folders.put("inbox/big.csv", rows(count))
    for _ in range(3):
        wait_until(
            lambda: any(job["state"] == "running" and job["rows"] > 0 for job in folders.jobs())
            or folders.files("done"), lambda: folders.jobs())
        host.kill()
        host.restart()
    wait_until((folders.data / "done/big.csv").exists, folders.jobs, patience=120)
    assert folders.read("outbox/big.csv") == scored(count)
    assert folders.files("outbox") == ["big.csv", "big.csv.meta.json"]
    assert folders.files("inbox") == [] and folders.files("failed") == [] and folders.files("done") == ["big.csv"]
    assert [(job["state"], job["rows"]) for job in folders.jobs()] == [("done", count)]
    assert [name for name in os.listdir(folders.data / "outbox") if name.startswith(".")] == []


def test_kills_at_any_time_score_every_file_once(host, folders):
    names = [f"{number}.csv" for number in range(30)]
    for number, name in enumerate(names):
        folders.put(f"inbox/{name}", rows(1000, number))
    for finished in (3, 10, 20):
        wait_until(lambda: len(folders.files("done")) >= finished, lambda: folders.files("done"), patience=120)
        host.kill()
        host.restart()
    wait_until(lambda: len(folders.files("done")) == len(names), lambda: folders.files("inbox"), patience=120)
    assert folders.files("done") == sorted(names) and folders.files("failed") == []
    outputs = [name for name in folders.files("outbox") if not name.endswith(".meta.json")]
    assert outputs == sorted(names), "each exactly once, none numbered"
    for number, name in enumerate(names):
        assert folders.read(f"outbox/{name}") == scored(1000, number)


def test_editing_the_manifest_starts_changes_and_stops_triggers(host, folders):
    options = {"columns": "none", "output": "results", "done": "old"}
    second = {"type": "file", "name": "second", "watch": "other/*"}
    host.manifest("sum", {"triggers": [TRIGGER | options, second]})
    wait_until((folders.data / "other").is_dir, "the second trigger's folder")
    folders.put("inbox/a.csv", rows(2))
    assert folders.wait("results/a.csv") == "prediction\n1.0\n3.0\n"
    folders.wait("old/a.csv")
    folders.put("other/b.jsonl", '{"age": 1, "income": 2}\n')
    assert json.loads(folders.wait("outbox/b.jsonl"))["prediction"] == 4
    folders.wait("done/b.jsonl")
    host.manifest("sum", {"triggers": [second]})
    wait_until(lambda: [t["name"] for t in host.status("sum")["triggers"]] == ["second"], "the first is gone")
    folders.put("inbox/c.csv", rows(2))
    folders.put("other/d.csv", rows(2))
    folders.wait("done/d.csv")
    assert folders.files("inbox") == ["c.csv"], "nobody takes it any more"
    # A manifest that cannot be read changes nothing; one that is deleted stops everything.
    host.manifest("sum", "{")
    folders.put("other/e.csv", rows(2))
    folders.wait("done/e.csv")
    (host.functions / "sum.json").unlink()
    wait_until(lambda: host.status("sum").get("triggers", []) == [], "no trigger is left")
    host.manifest("sum", {"triggers": [TRIGGER]})
    folders.wait("done/c.csv")


def test_a_job_under_way_ends_though_its_trigger_is_gone(host, folders):
    count = 2_000_000
    folders.put("inbox/big.csv", rows(count))
    wait_until(lambda: any(job["state"] == "running" for job in folders.jobs()), folders.jobs)
    (host.functions / "sum.json").unlink()
    wait_until((folders.data / "done/big.csv").exists, folders.jobs, patience=60)
    assert folders.read("outbox/big.csv") == scored(count)


def test_the_watched_folder_may_be_replaced(folders):
    shutil.rmtree(folders.data / "inbox")
    folders.put("inbox/a.csv", rows(1))
    folders.wait("done/a.csv")


def ticks(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def test_idle_triggers_cost_no_processor_time(host, folders):
    triggers = [TRIGGER | {"name": f"t{number}", "watch": f"in{number}/*.csv"} for number in range(20)]
    host.manifest("sum", {"triggers": triggers})
    folders.put("in7/a.csv", rows(1))
    folders.wait("done/a.csv")
    quiet = []
    for _ in range(3):
        before = ticks(host.pid)
        time.sleep(1)
        quiet.append(ticks(host.pid) - before)
    assert min(quiet) <= 2, f"ticks of 10 ms in a second of quiet: {quiet}"
