"""What the tests of whole files share: rows like the breast-cancer data, files of them, and what XGBoost says of them."""

import gzip
import hashlib
import json
import os
import subprocess

import numpy as np
import xgboost
from sklearn.datasets import load_breast_cancer

NAMES = [str(name) for name in load_breast_cancer().feature_names]


def rows_like_cancer(count, seed=1, missing=0.02):
    """Resampled, jittered, with holes."""
    data = load_breast_cancer().data
    random = np.random.default_rng(seed)
    rows = data[random.integers(0, len(data), count)] * random.normal(1, 0.05, (count, data.shape[1]))
    rows = rows.astype(np.float32)
    rows[random.random(rows.shape) < missing] = np.nan
    return rows


def expected(root, rows):
    booster = xgboost.Booster(model_file=root / "functions/cancer/cancer.ubj")
    booster.feature_names = None
    return booster.inplace_predict(rows, missing=np.nan)


def cells(rows):
    return [["" if np.isnan(value) else format(value, ".9g") for value in row] for row in rows]


def csv_text(header, fields, delimiter=",", newline="\n", mark=""):
    lines = ([header] if header else []) + fields
    return mark + "".join(delimiter.join(line) + newline for line in lines)


def cancer_csv(path, rows, ids=True):
    """id, then the columns; `.gz` is compressed. Returns the path."""
    fields = cells(rows)
    if ids:
        fields = [[f"p{index}", *line] for index, line in enumerate(fields)]
    text = csv_text((["id"] if ids else []) + NAMES, fields).encode()
    path.write_bytes(gzip.compress(text) if path.suffix == ".gz" else text)
    return path


def environment():
    return {key: value for key, value in os.environ.items() if key != "ROOST_URL"}


def run(binary, *arguments, code=0, timeout=120, **options):
    """`roost ARGUMENTS`, with its exit code checked."""
    options.setdefault("stdin", subprocess.DEVNULL)
    if "input" in options:
        del options["stdin"]
    done = subprocess.run(
        [binary, *map(str, arguments)], capture_output=True, timeout=timeout, env=environment(), **options)
    done.out, done.err = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
    assert done.returncode == code, f"exit {done.returncode}\n{done.out}\n{done.err}"
    return done


def content(path):
    data = path.read_bytes()
    return gzip.decompress(data) if path.suffix == ".gz" else data


def digest(data):
    return hashlib.sha256(data).hexdigest()


def meta(output):
    return json.loads(output.with_name(output.name + ".meta.json").read_text())


def errors(output):
    path = output.with_name(output.name + ".errors.jsonl")
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def left_behind(folder):
    """Hidden files and unfinished jobs."""
    return sorted(one.name for one in folder.iterdir() if one.name.startswith(".") or ".job" in one.name)
