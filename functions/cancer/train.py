"""Benign (1) or malignant (0): the Wisconsin breast-cancer data that scikit-learn ships. The reference model.

Writes cancer.ubj and examples.jsonl beside this file, the same bytes each time:
    pip install -r ../requirements.txt && python train.py
"""

import sys
from pathlib import Path

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from xgboost import XGBClassifier

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "scripts"))
import golden_examples  # noqa: E402

data = load_breast_cancer()
features = data.data.astype(np.float32)
train, test, train_target, test_target = train_test_split(
    features, data.target, test_size=0.2, random_state=7, stratify=data.target)

model = XGBClassifier(
    n_estimators=200, max_depth=6, learning_rate=0.1, tree_method="hist", n_jobs=1, random_state=7)
model.fit(train, train_target)
model.get_booster().feature_names = [str(name) for name in data.feature_names]
model.save_model(HERE / "cancer.ubj")

rows = test[:6].copy()
rows[4, 3] = rows[5, 20] = rows[5, 27] = np.nan
model.get_booster().feature_names = None
probabilities = model.predict_proba(rows)[:, 1]
golden_examples.write(HERE / "examples.jsonl", rows, {"predictions": probabilities, "label": model.predict(rows)})
leaves = sum(tree.count("leaf") for tree in model.get_booster().get_dump())
print(f"accuracy {model.score(test, test_target):.4f} on {len(test)} unseen rows, {leaves} leaves")
