"""Golden examples: rows whose answers are known, one JSON object a line (probation compares them)."""

import json

import numpy as np


def number(value):
    """The shortest decimal that reads back as the same float32; missing is null."""
    value = np.float32(value)
    return None if np.isnan(value) else float(str(value))


def write(path, rows, outputs, tolerance=1e-5):
    """Writes single rows, then one batch of all, to `path`.

    rows: float32 [n, columns]; outputs: name -> array with n rows.
    """

    def plain(array):
        if isinstance(array, np.ndarray):
            return [plain(element) for element in array]
        return array if isinstance(array, str) else array.item() if isinstance(array, np.integer) else number(array)

    batches = [slice(i, i + 1) for i in range(len(rows))] + [slice(0, len(rows))]
    with open(path, "w") as file:
        for batch in batches:
            example = {
                "inputs": plain(rows[batch]),
                "outputs": {name: plain(array[batch]) for name, array in outputs.items()},
                "tolerance": tolerance,
            }
            file.write(json.dumps(example) + "\n")
