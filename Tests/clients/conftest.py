"""Where the tests find what was built: the release build of this checkout."""

from pathlib import Path

import pytest

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
