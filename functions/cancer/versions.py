"""The versions that docs/ROLLOUTS.md releases, and traffic for them: better, wrong, useless, and rows to ask.

Writes into a folder (default demo/versions), the same bytes each time:
    pip install -r functions/requirements.txt && python functions/cancer/versions.py [FOLDER]

cancer@2.ubj   shallower trees that each see a part of the rows and columns: better probabilities
cancer@3.ubj   trained like cancer@1, on labels in a random order: nothing is wrong with it but its answers
cancer@7.ubj   a single split: sound, and not good enough for the gate
holdout.csv    the rows that no version was trained on, with their label in `benign`, for the gate
traffic.csv    5,000 rows like them, measured with an error of 1 %; one in 500 without its `worst area`
labels.csv     what is true of each row of traffic.csv

cancer@4 and cancer@5 are cancer@2's model in the engines of variants/, packed by `roost pack`.
"""

import csv
import sys
from pathlib import Path

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import train_test_split
from xgboost import XGBClassifier

REQUESTS = 5000
MISSING_EVERY = 500
WORST_AREA = 23

folder = Path(sys.argv[1] if len(sys.argv) > 1 else "demo/versions")
folder.mkdir(parents=True, exist_ok=True)

data = load_breast_cancer()
names = [str(name) for name in data.feature_names]
features = data.data.astype(np.float32)
train, test, train_target, test_target = train_test_split(
    features, data.target, test_size=0.2, random_state=7, stratify=data.target)
permuted = np.random.default_rng(7).permutation(train_target)


def save(version, target, **settings):
    model = XGBClassifier(learning_rate=0.1, tree_method="hist", n_jobs=1, random_state=7, **settings)
    model.fit(train, target)
    probabilities = model.predict_proba(test)[:, 1]
    print(f"cancer@{version}: AUC {roc_auc_score(test_target, probabilities):.4f}, "
          f"log loss {log_loss(test_target, probabilities):.4f} on {len(test)} unseen rows")
    model.get_booster().feature_names = names
    model.save_model(folder / f"cancer@{version}.ubj")


def write(name, header, rows):
    with open(folder / name, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)


save(2, train_target, n_estimators=400, max_depth=2, subsample=0.8, colsample_bytree=0.3)
save(3, permuted, n_estimators=200, max_depth=6)
save(7, train_target, n_estimators=1, max_depth=1)

write("holdout.csv", [*names, "benign"], ([*row, label] for row, label in zip(test.tolist(), test_target)))

random = np.random.default_rng(7)
drawn = random.integers(len(test), size=REQUESTS)
asked = np.round(test[drawn] * random.normal(1, 0.01, (REQUESTS, len(names))), 5).tolist()
for row in asked[MISSING_EVERY // 2::MISSING_EVERY]:
    row[WORST_AREA] = ""
write("traffic.csv", names, asked)
write("labels.csv", ["benign"], ([label] for label in test_target[drawn]))
