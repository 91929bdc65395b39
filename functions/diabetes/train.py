"""Disease progression after one year: the diabetes data that scikit-learn ships, in its original units.

Writes diabetes.ubj and examples.jsonl beside this file, the same bytes each time:
    pip install -r ../requirements.txt && python train.py
"""

import sys
from pathlib import Path

import numpy as np
from sklearn.datasets import load_diabetes
from sklearn.model_selection import train_test_split
from xgboost import XGBRegressor

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "scripts"))
import golden_examples  # noqa: E402

data = load_diabetes(scaled=False)
features = data.data.astype(np.float32)
train, test, train_target, test_target = train_test_split(features, data.target, test_size=0.2, random_state=7)

model = XGBRegressor(
    objective="reg:squarederror", n_estimators=150, max_depth=3, learning_rate=0.05, subsample=0.8, tree_method="hist",
    n_jobs=1, random_state=7)
model.fit(train, train_target)
model.get_booster().feature_names = list(data.feature_names)
model.save_model(HERE / "diabetes.ubj")

rows = test[:5].copy()
rows[4, 2] = np.nan
model.get_booster().feature_names = None
golden_examples.write(HERE / "examples.jsonl", rows, {"predictions": model.predict(rows)})
print(f"R² {model.score(test, test_target):.4f} on {len(test)} unseen rows")
