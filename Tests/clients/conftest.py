"""Where the tests find what was built: the release build of this checkout."""

import os
from pathlib import Path

# Threads of training that spin beside other tests make both slow. Before numpy and xgboost are imported.
for library in ("OMP", "OPENBLAS"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

import pytest  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def root():
    return ROOT


@pytest.fixture(scope="session")
def runtimes():
    """The folder of the built plugins."""
    folder = ROOT / ".build" / "release"
    for name in ("trees", "linear"):
        if not (folder / f"lib{name}.so").exists():
            pytest.fail(f"{folder}/lib{name}.so is missing: run `swift build -c release` first")
    return folder
