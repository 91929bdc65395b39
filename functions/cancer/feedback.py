"""Callers that learn the truth: asks for rows of traffic.csv by a key of their own, then sends their labels.

    python functions/cancer/feedback.py [--url http://127.0.0.1:8080] [--rows 1000] [--folder demo/versions]
"""

import argparse
import http.client
import itertools
import json
import uuid
from pathlib import Path
from urllib.parse import urlsplit

options = argparse.ArgumentParser()
options.add_argument("--url", default="http://127.0.0.1:8080")
options.add_argument("--rows", type=int, default=1000)
options.add_argument("--folder", type=Path, default=Path("demo/versions"))
options = options.parse_args()

connection = http.client.HTTPConnection(urlsplit(options.url).netloc)
run = uuid.uuid4().hex[:8]


def post(path, body, content_type, **headers):
    connection.request("POST", path, body, {"Content-Type": content_type, **headers})
    response = connection.getresponse()
    answer = json.loads(response.read())
    if response.status != 200:
        raise SystemExit(f"{path}: {response.status} {answer}")
    return answer


with open(options.folder / "traffic.csv") as rows, open(options.folder / "labels.csv") as truths:
    header = next(rows)
    next(truths)
    labels = ["id,row,label"]
    for number, (row, truth) in enumerate(itertools.islice(zip(rows, truths), options.rows)):
        key = f"patient-{run}-{number}"
        post("/functions/cancer/predict", header + row, "text/csv", **{"Roost-Key": key})
        labels.append(f"{key},0,{truth.strip()}")

answer = post("/functions/cancer/feedback", "\n".join(labels), "text/csv")
print(", ".join(f"{answer[what]} {what}" for what in ("joined", "unknown", "replaced", "refused")))
