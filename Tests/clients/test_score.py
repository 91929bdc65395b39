"""`roost score` by itself: whole files through one model file, against XGBoost; bad rows, wrong files, full disks, kills."""

import csv
import gzip
import io
import json
import os
import random
import shutil
import signal
import subprocess
import time

import numpy as np
import pytest
from scoring import (
    NAMES, cancer_csv, cells, content, csv_text, digest, environment, errors, expected, left_behind, meta,
    rows_like_cancer, run)

COUNT = 3000


@pytest.fixture(scope="module")
def model(root):
    return root / "functions/cancer/cancer.ubj"


@pytest.fixture(scope="module")
def table(root):
    rows = rows_like_cancer(COUNT)
    return rows, expected(root, rows)


def scored(path, delimiter=","):
    return list(csv.DictReader(io.StringIO(content(path).decode()), delimiter=delimiter))


def check(found, predictions):
    assert len(found) == len(predictions)
    np.testing.assert_allclose([float(row["prediction"]) for row in found], predictions, rtol=1e-6, atol=1e-9)
    assert [int(row["label"]) for row in found] == [int(one >= 0.5) for one in predictions]


# MARK: formats

def in_other_order(rows):
    order = random.Random(5).sample(range(30), 30)
    return csv_text([NAMES[at] for at in order], cells(rows[:, order]))


def with_quotes(rows):
    fields = [[f'"the ""{index}"",\r\n or\n{index}"', *(f'"{cell}"' for cell in line), "né"]
              for index, line in enumerate(cells(rows))]
    return csv_text(["patient", *(f'"{name}"' for name in NAMES), "note"], fields)


FORMS = {
    "by name in another order": (in_other_order, ()),
    "by position": (lambda rows: csv_text(None, cells(rows)), ()),
    "header that must be one": (lambda rows: csv_text(NAMES, cells(rows)), ("--header",)),
    "quotes and embedded line ends": (with_quotes, ()),
    "crlf": (lambda rows: csv_text(NAMES, cells(rows), newline="\r\n"), ()),
    "byte order mark": (lambda rows: csv_text(NAMES, cells(rows), mark="\ufeff"), ()),
    "semicolons": (lambda rows: csv_text(NAMES, cells(rows), ";"), ("--delimiter", ";")),
    "tabs": (lambda rows: csv_text(NAMES, cells(rows), "\t"), ("--delimiter", "tab")),
    "blank lines": (lambda rows: csv_text(NAMES, cells(rows), newline="\n\n") + "\n" * 400_000, ()),
    "no line end at the end": (lambda rows: csv_text(NAMES, cells(rows)).rstrip("\n"), ()),
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("form", FORMS)
def test_csv_is_scored_as_xgboost_does(binary, model, table, tmp_path, form, packed):
    make, options = FORMS[form]
    text = make(table[0]).encode()
    source = tmp_path / ("in.csv.gz" if packed else "in.csv")
    source.write_bytes(gzip.compress(text) if packed else text)
    output = tmp_path / ("out.csv.gz" if packed else "out.csv")
    run(binary, "score", model, source, "-o", output, *options)
    delimiter = {"semicolons": ";", "tabs": "\t"}.get(form, ",")
    found = scored(output, delimiter)
    check(found, table[1])
    # What came in goes out, in its order.
    given = list(csv.reader(io.StringIO(text.decode().lstrip("\ufeff"), newline=""), delimiter=delimiter))
    given = [line for line in given if line]
    back = list(csv.reader(io.StringIO(content(output).decode(), newline=""), delimiter=delimiter))
    names = given.pop(0) if form != "by position" else NAMES
    assert back[0] == [*names, "prediction", "label"]
    assert [line[:-2] for line in back[1:]] == given
    about = meta(output)
    assert about["rows"] == about["scored"] == COUNT and about["bad_rows"] == 0
    assert about["input_sha256"] == digest(text) and about["input_bytes"] == len(text)
    assert about["output_sha256"] == digest(output.read_bytes())
    assert about["output_bytes"] == output.stat().st_size
    assert left_behind(tmp_path) == []


def jsonl(values):
    return "".join(json.dumps(value) + "\n" for value in values)


def listed(rows):
    return [[None if np.isnan(value) else float(value) for value in row] for row in rows]


LINES = {
    "objects": lambda rows: [dict(zip(NAMES, row)) | {"id": index} for index, row in enumerate(listed(rows))],
    "arrays": lambda rows: listed(rows),
    "v2": lambda rows: [{"inputs": [{"name": "features", "shape": [1, 30], "datatype": "FP32",
                                     "data": [0 if one is None else one for one in row]}]} for row in listed(rows)],
}


@pytest.mark.parametrize("kind", LINES)
def test_json_lines_are_scored_as_xgboost_does(binary, model, root, table, tmp_path, kind):
    rows = table[0][:700]
    values = LINES[kind](rows)
    if kind == "v2":
        rows = np.nan_to_num(rows, nan=0)
    source = tmp_path / "in.jsonl"
    source.write_text(jsonl(values))
    output = tmp_path / "out.jsonl"
    run(binary, "score", model, source, "-o", output)
    found = [json.loads(line) for line in output.read_text().splitlines()]
    check(found, expected(root, rows))
    if kind == "arrays":
        assert [one["row"] for one in found] == values
    else:
        assert [{key: one[key] for key in value} for one, value in zip(found, values)] == values


@pytest.mark.parametrize("options, names", [
    (("--columns", "none"), ["prediction", "label"]),
    (("--columns", "none", "--id", "id"), ["id", "prediction", "label"]),
    (("--columns", "id,mean area"), ["id", "mean area", "prediction", "label"]),
    (("--columns", "all"), ["id", *NAMES, "prediction", "label"])])
def test_columns_are_chosen(binary, model, table, tmp_path, options, names):
    source = cancer_csv(tmp_path / "in.csv", table[0])
    output = tmp_path / "out.csv"
    run(binary, "score", model, source, "-o", output, *options)
    found = scored(output)
    assert list(found[0]) == names
    check(found, table[1])
    if "id" in names:
        assert [row["id"] for row in found] == [f"p{index}" for index in range(COUNT)]


def test_probabilities_of_each_class_and_csv_to_json_lines(binary, root, tmp_path):
    source = tmp_path / "in.csv"
    source.write_text("sepal length,sepal width,petal length,petal width\n5.1,3.5,1.4,0.2\n6.2,2.8,4.8,1.8\n")
    iris = root / "functions/iris/iris.json"
    run(binary, "score", iris, source, "-o", tmp_path / "out.csv", "--probabilities", "--columns", "none")
    first, second = scored(tmp_path / "out.csv")
    names = [name for name in first if name.startswith("probability_")]
    assert len(names) == 3 and [first["label"], second["label"]] == ["setosa", "virginica"]
    assert abs(sum(float(first[name]) for name in names) - 1) < 1e-5
    run(binary, "score", iris, source, "-o", tmp_path / "out.jsonl", "--probabilities")
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert lines[0]["sepal length"] == 5.1 and len(lines[0]["probabilities"]) == 3
    # Without the option only the label stands there.
    run(binary, "score", iris, source, "-o", tmp_path / "plain.csv", "--columns", "none")
    assert [list(row) for row in scored(tmp_path / "plain.csv")] == [["label"]] * 2


def test_the_data_report_says_what_the_file_looks_like(binary, model, table, tmp_path):
    rows = np.concatenate([table[0], table[0][:500]])
    output = tmp_path / "out.csv"
    run(binary, "score", model, cancer_csv(tmp_path / "in.csv", rows), "-o", output)
    data = meta(output)["data"]
    assert abs(data["duplicates"] - 500) <= 4 * data["duplicates_standard_error"]
    for column, values in zip(data["columns"], rows.T):
        assert column["name"] in NAMES and column["missing"] == np.isnan(values).sum()
        np.testing.assert_allclose(
            [column["min"], column["max"], column["mean"]],
            [np.nanmin(values), np.nanmax(values), np.nanmean(values.astype(np.float64))], rtol=1e-6)


# MARK: bad rows and exit codes

def spoiled(tmp_path, rows):
    """A file with bad rows, and by line what their reasons have to say."""
    lines = cancer_csv(tmp_path / "in.csv", rows).read_bytes().split(b"\n")
    bad = {101: (b"x," + b"1," * 28 + b"1", "columns"), 502: (b"x," + b"1," * 30 + b"1", "columns"),
           903: (lines[902].replace(b",", b",abc", 1), "mean radius"), 1204: (b"x\0" + lines[1203][1:], "NUL"),
           1605: (b"\xff\xfe" + lines[1604], "UTF-8")}
    for line, (text, _) in bad.items():
        lines[line - 1] = text
    source = tmp_path / "spoiled.csv"
    source.write_bytes(b"\n".join(lines))
    return source, bad


def test_bad_rows_are_set_aside_with_line_and_reason(binary, model, table, tmp_path):
    source, bad = spoiled(tmp_path, table[0])
    output = tmp_path / "out.csv"
    done = run(binary, "score", model, source, "-o", output, code=3)
    assert f"{COUNT} rows, 5 bad" in done.out and "errors.jsonl" in done.err
    found = errors(output)
    assert [one["line"] for one in found] == list(bad)
    for one, (text, reason) in zip(found, bad.values()):
        assert reason in one["reason"], one
        assert one["row"] == text.decode(errors="replace")
    kept = [index for index in range(COUNT) if index + 2 not in bad]
    rows = scored(output)
    assert [row["id"] for row in rows] == [f"p{index}" for index in kept]
    check(rows, table[1][kept])
    about = meta(output)
    assert (about["rows"], about["scored"], about["bad_rows"]) == (COUNT, COUNT - 5, 5)


@pytest.mark.parametrize("limit, code", [("4", 1), ("5", 3), ("0", 1), ("0.1%", 1), ("1%", 3), ("100%", 3)])
def test_too_many_bad_rows_end_the_job(binary, model, table, tmp_path, limit, code):
    source, _ = spoiled(tmp_path, table[0])
    output = tmp_path / "out.csv"
    done = run(binary, "score", model, source, "-o", output, "--max-errors", limit, code=code)
    assert output.exists() == (code == 3)
    if code == 1:
        assert "rows are bad, more than max_errors allows" in done.err
        # The same command with another limit is a new job, and is not in its way.
        run(binary, "score", model, source, "-o", output, code=3)
        assert len(errors(output)) == 5


@pytest.mark.parametrize("arguments", [
    ("a.csv",), ("a.csv", "-o", "-"), ("-",), ("a.csv", "--max-errors", "many"), ("a.csv", "--delimiter", "|"),
    ("a.csv", "--header", "--no-header"), ("a.csv", "--format", "xml"), ("a.csv", "--detach")])
def test_wrong_use_is_exit_code_2(binary, model, tmp_path, arguments):
    head = () if arguments == ("a.csv",) else (model,)
    done = run(binary, "score", *head, *arguments, code=2, cwd=tmp_path)
    assert done.err.startswith("roost: ") and os.listdir(tmp_path) == []


def test_an_output_that_is_there_is_kept_unless_forced(binary, model, table, tmp_path):
    source = cancer_csv(tmp_path / "in.csv", table[0][:10])
    output = tmp_path / "out.csv"
    output.write_text("precious")
    assert "is there already" in run(binary, "score", model, source, "-o", output, code=1).err
    assert output.read_text() == "precious" and sorted(os.listdir(tmp_path)) == ["in.csv", "out.csv"]
    run(binary, "score", model, source, "-o", output, "--force")
    check(scored(output), table[1][:10])


def test_two_at_once_do_not_write_one_output(binary, model, table, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    output = tmp_path / "out.csv"
    text = cancer_csv(tmp_path / "in.csv", table[0]).read_bytes()
    command = [binary, "score", model, pipe, "--format", "csv", "-o", output]
    with subprocess.Popen(command, env=environment(), stderr=subprocess.PIPE) as first:
        with open(pipe, "wb") as writer:
            writer.write(text[:1000])
            writer.flush()
            wait(lambda: (tmp_path / "out.csv.job").exists())
            done = run(binary, "score", model, tmp_path / "in.csv", "-o", output, code=1)
            assert "another `roost score` writes" in done.err
            writer.write(text[1000:])
        assert first.wait(60) == 0
    check(scored(output), table[1])


def wait(condition, patience=60):
    end = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.005)


# MARK: pipes

@pytest.mark.parametrize("packed", [False, True])
def test_rows_come_through_pipes(binary, model, table, tmp_path, packed):
    text = cancer_csv(tmp_path / "in.csv", table[0]).read_bytes()
    if packed:
        text = gzip.compress(text)
    run(binary, "score", model, "-", "-o", tmp_path / "a.csv", input=text)
    check(scored(tmp_path / "a.csv"), table[1])
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    with subprocess.Popen([binary, "score", model, pipe, "-o", tmp_path / "b.csv"], env=environment()) as job:
        with open(pipe, "wb") as writer:
            writer.write(text)
        assert job.wait(60) == 0
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


# MARK: files of every kind

def longest(path):
    with open(path, "wb") as file:
        file.write(f"{HEADER}\n".encode())
        for _ in range(64):
            file.write(b"7" * (1 << 20))


HEADER = ",".join(NAMES)
ROW = ",".join(["1"] * 30)

# By kind: what is in the file, the exit code, and words of the answer or the reasons.
MALFORMED = {
    "binary junk": (lambda p: p.write_bytes(random.Random(1).randbytes(1 << 20)), 1, ""),
    "ragged rows": (lambda p: p.write_text(f"{HEADER}\n{ROW}\n1,2\n{ROW},9\n{ROW}\n"), 3, "expected 30 columns, got 2"),
    "64 MiB without a line end": (longest, 1, "line 2: a record is longer than 16 MiB"),
    "wrong header": (lambda p: p.write_text(f"{HEADER.replace('mean area', 'mean aera')}\n{ROW}\n"), 1,
                     'column "mean area" is absent; unknown: "mean aera"'),
    "a column twice": (lambda p: p.write_text(f"{HEADER},mean area\n{ROW},1\n"), 1, "twice"),
    "invalid UTF-8": (lambda p: p.write_bytes(f"{HEADER}\n{ROW}\n".encode() + ROW.encode()[:-1] + b"\xff\n"), 3, "expected a number"),
    "invalid UTF-8 in the header": (lambda p: p.write_bytes(b"\xffa\xc3," + f"{HEADER}\n{ROW}\n".encode()), 1, "UTF-8"),
    "NUL bytes": (lambda p: p.write_bytes(f"{HEADER}\n{ROW}\n{ROW}\0\n".encode()), 3, "expected a number"),
    "only NUL bytes": (lambda p: p.write_bytes(bytes(1 << 20)), 1, "UTF-16, or a binary file"),
    "empty": (lambda p: p.write_bytes(b""), 1, "the file has no rows"),
    "only blank lines": (lambda p: p.write_text("\n\r\n" * 100_000), 1, "the file has no rows"),
    "header only": (lambda p: p.write_text(HEADER + "\n"), 0, "0 rows, 0 bad"),
    "header only, no line end": (lambda p: p.write_text(HEADER), 0, "0 rows, 0 bad"),
    "unterminated quote at the end": (lambda p: p.write_text(f"{HEADER}\n{ROW}\n{ROW[:-1]}\"1\n{ROW}\n".replace(
        ',"1', ',"1')), 1, "line 3: a quote is opened and not closed"),
    "UTF-16": (lambda p: p.write_text(f"{HEADER}\n{ROW}\n", encoding="utf-16"), 1, "UTF-16"),
    "UTF-16 without a mark": (lambda p: p.write_text(f"{HEADER}\n{ROW}\n", encoding="utf-16-le"), 1, "UTF-16"),
    "a directory": (lambda p: p.mkdir(), 1, ""),
    "nothing": (lambda p: None, 1, "No such file"),
    "too many columns": (lambda p: p.write_text(",".join("ab%d" % n for n in range(17_000)) + "\n"), 1, "at most 16384"),
    "no numbers": (lambda p: p.write_text(f"{HEADER}\n" + ",".join(["x"] * 30) + "\n"), 3, "mean radius"),
}


@pytest.mark.parametrize("kind", MALFORMED)
def test_a_malformed_file_has_a_clear_outcome(binary, model, tmp_path, kind):
    make, code, words = MALFORMED[kind]
    source = tmp_path / "in.csv"
    make(source)
    output = tmp_path / "out.csv"
    done = run(binary, "score", model, source, "-o", output, code=code)
    reasons = "".join(one["reason"] for one in errors(output))
    assert words in done.err + done.out + reasons, (done.err, done.out, reasons)
    assert left_behind(tmp_path) == []
    if code == 1:
        assert done.err.startswith("roost: ") and len(done.err.splitlines()) == 1, done.err
        assert sorted(os.listdir(tmp_path)) == ([] if kind == "nothing" else ["in.csv"])


@pytest.mark.parametrize("size, damage, words", [
    (300, lambda data: data[:-9], "cut off"), (300, lambda data: data[:100], "cut off"),
    (60_000, lambda data: data[:len(data) // 2], "cut off"),
    (60_000, lambda data: data[:5000] + bytes([data[5000] ^ 0xFF]) + data[5001:], "damaged"),
    (300, lambda data: data[:-8] + bytes([data[-8] ^ 1]) + data[-7:], "damaged"),
    (300, lambda data: data + b"trailing", ""), (300, lambda data: b"no gzip at all", "")])
def test_damaged_gzip_is_never_taken_as_whole(binary, model, tmp_path, size, damage, words):
    text = cancer_csv(tmp_path / "plain.csv", rows_like_cancer(size)).read_bytes()
    source = tmp_path / "in.csv.gz"
    source.write_bytes(damage(gzip.compress(text)))
    done = run(binary, "score", model, source, "-o", tmp_path / "out.csv", code=1)
    assert words in done.err and "gzip" in done.err, done.err
    assert not (tmp_path / "out.csv").exists()


def test_members_and_much_out_of_little_are_read_whole(binary, tmp_path, root):
    """Concatenated gzip members, and rows that compress a thousandfold."""
    line = ",".join(["1"] * 30) + "\n"
    source = tmp_path / "in.csv.gz"
    source.write_bytes(gzip.compress((line * 200_000).encode()) + gzip.compress(line.encode()))
    output = tmp_path / "out.csv"
    run(binary, "score", root / "functions/cancer/cancer.ubj", source, "-o", output, "--columns", "none", "--no-header")
    assert output.read_text().count("\n") == 200_002 and len(set(output.read_text().splitlines()[1:])) == 1


# MARK: what is in the way

def undisturbed(binary, model, source, folder):
    reference = folder / "reference.csv"
    run(binary, "score", model, source, "-o", reference, "--columns", "id")
    return reference.read_bytes()


def start(binary, model, source, output):
    return subprocess.Popen(
        [binary, "score", model, source, "-o", output, "--columns", "id"], env=environment(),
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """A file of 120,000 rows, from few different ones: writing it is quick."""
    folder = tmp_path_factory.mktemp("large")
    lines = [",".join(line) for line in cells(rows_like_cancer(2000))]
    with open(folder / "in.csv", "w") as file:
        file.write("id," + ",".join(NAMES) + "\n")
        file.writelines(f"p{index},{lines[index % 2000]}\n" for index in range(120_000))
    return folder / "in.csv"


def test_killed_and_started_again_it_writes_the_same(binary, model, large, tmp_path):
    reference = undisturbed(binary, model, large, tmp_path)
    output = tmp_path / "out.csv"
    dice = random.Random(11)
    kills = went_on = 0
    while True:
        with start(binary, model, large, output) as job:
            try:
                # Later and later, so that it gets past its first checkpoint and is done in the end.
                job.wait(dice.uniform(0.02, 0.1 + 0.1 * kills))
                break
            except subprocess.TimeoutExpired:
                went_on += (tmp_path / ".out.csv.local.partial").exists()
                job.kill()
                kills += 1
    # It may have been killed after its last act.
    assert job.returncode == 0 or output.exists(), job.returncode
    assert kills >= 2 and went_on >= 1
    assert output.read_bytes() == reference
    assert left_behind(tmp_path) == []


@pytest.mark.parametrize("change", ["append", "rewrite", "shrink"])
def test_an_input_that_changes_underneath_fails_the_job(binary, model, large, tmp_path, change):
    source = tmp_path / "in.csv"
    shutil.copyfile(large, source)
    output = tmp_path / "out.csv"
    with start(binary, model, source, output) as job:
        wait(lambda: (part := tmp_path / ".out.csv.local.partial").exists() and part.stat().st_size > 0)
        job.send_signal(signal.SIGSTOP)
        with open(source, "r+b") as file:
            if change == "append":
                file.seek(0, os.SEEK_END)
                file.write(b"more\n")
            elif change == "rewrite":
                file.seek(1000)
                file.write(b"9")
            else:
                file.truncate(1 << 20)
        job.send_signal(signal.SIGCONT)
        assert job.wait(60) == 1
        assert b"is not what it was when the job began" in job.stderr.read()
    assert not output.exists()
    # Begun anew, it is a job of what is there now.
    run(binary, "score", model, source, "-o", output, "--columns", "id", code=0 if change == "rewrite" else 3)


def test_a_full_disk_stops_it_and_it_goes_on_when_there_is_room(binary, model, large, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("only root may mount")
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", disk], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip(f"no tmpfs here: {mounted.stderr.decode()}")
    try:
        reference = undisturbed(binary, model, large, tmp_path)
        assert len(reference) > 2 << 20
        output = disk / "out.csv"
        done = run(binary, "score", model, large, "-o", output, "--columns", "id", code=1)
        assert "No space left on device" in done.err and not output.exists()
        subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True)
        run(binary, "score", model, large, "-o", output, "--columns", "id")
        assert output.read_bytes() == reference and left_behind(disk) == []
    finally:
        subprocess.run(["umount", "-l", disk], check=True)
