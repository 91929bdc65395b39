"""Handwritten digits, 8 x 8 pixels of 0 to 16: the data that scikit-learn ships.

Writes digits.ubj and examples.jsonl beside this file, the same bytes each time:
    pip install -r ../requirements.txt && python train.py
"""

import sys
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from xgboost import XGBClassifier

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "scripts"))
import golden_examples  # noqa: E402

data = load_digits()
features = data.data.astype(np.float32)
train, test, train_target, test_target = train_test_split(
    features, data.target, test_size=0.2, random_state=7, stratify=data.target)

model = XGBClassifier(
    objective="multi:softprob", n_estimators=40, max_depth=4, learning_rate=0.2, tree_method="hist", n_jobs=1,
    random_state=7)
model.fit(train, train_target)
model.get_booster().feature_names = list(data.feature_names)
model.save_model(HERE / "digits.ubj")

model.get_booster().feature_names = None
rows = test[:5]
golden_examples.write(
    HERE / "examples.jsonl", rows, {"predictions": model.predict_proba(rows), "label": model.predict(rows)})
print(f"accuracy {model.score(test, test_target):.4f} on {len(test)} unseen rows")
