"""Three kinds of iris from four lengths: multinomial logistic regression, exported to the linear format.

Writes iris.json (docs/LINEAR.md) and examples.jsonl beside this file, the same bytes each time:
    pip install -r ../requirements.txt && python train.py
"""

import json
import sys
from pathlib import Path

import numpy as np
from sklearn.datasets import load_iris
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "scripts"))
import golden_examples  # noqa: E402

data = load_iris()
features = data.data.astype(np.float32)
train, test, train_target, test_target = train_test_split(
    features, data.target, test_size=0.2, random_state=7, stratify=data.target)

imputer, scaler, regression = SimpleImputer(strategy="median"), StandardScaler(), LogisticRegression()
model = make_pipeline(imputer, scaler, regression).fit(train.astype(np.float64), train_target)

document = {
    "format": "roost-linear",
    "version": 1,
    "model": "softmax",
    "features": [name.removesuffix(" (cm)") for name in data.feature_names],
    "impute": imputer.statistics_.tolist(),
    "mean": scaler.mean_.tolist(),
    "scale": scaler.scale_.tolist(),
    "coefficients": regression.coef_.tolist(),
    "intercepts": regression.intercept_.tolist(),
    "classes": [str(name) for name in data.target_names],
}
(HERE / "iris.json").write_text(json.dumps(document, indent=2) + "\n")

rows = test[:5].copy()
rows[4, 1] = np.nan
names = np.array(document["classes"], dtype=object)
golden_examples.write(
    HERE / "examples.jsonl", rows,
    {"predictions": model.predict_proba(rows.astype(np.float64)), "label": names[model.predict(rows.astype(np.float64))]})
print(f"accuracy {model.score(test.astype(np.float64), test_target):.4f} on {len(test)} unseen rows")
