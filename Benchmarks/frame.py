"""What somebody without a host writes to score a CSV file: pandas and xgboost, chunk by chunk.

frame.py MODEL INPUT OUTPUT THREADS
"""

import sys

import pandas
import xgboost

model, source, output, threads = sys.argv[1:]
booster = xgboost.Booster({"nthread": int(threads)}, model_file=model)
names = booster.feature_names
with open(output, "w") as file:
    for number, chunk in enumerate(pandas.read_csv(source, chunksize=50_000)):
        scores = booster.inplace_predict(chunk[names].to_numpy("float32"), validate_features=False)
        pandas.DataFrame({"id": chunk["id"], "prediction": scores}).to_csv(file, header=number == 0, index=False)
