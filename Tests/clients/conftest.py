"""Where the tests find what was built: the release build of this checkout."""

import json
import os
import subprocess
from pathlib import Path

# Threads of training that spin beside other tests make both slow. Before numpy and xgboost are imported.
for library in ("OMP", "OPENBLAS"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

import pytest  # noqa: E402
from running_host import LINEAR, Host  # noqa: E402

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


@pytest.fixture(scope="session")
def binary():
    """The `roost` to test: that of this checkout, or the one that ROOST_BIN names."""
    file = Path(os.environ.get("ROOST_BIN") or ROOT / ".build/release/roost").resolve()
    if not file.exists():
        pytest.fail(f"{file} is missing: run `swift build -c release` first")
    return file


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """Compiles a plugin of Tests/fixtures/plugins, with preprocessor definitions; returns the shared object."""
    folder = tmp_path_factory.mktemp("compiled")

    def compile(name, *definitions):
        library = folder / f"{'-'.join([name, *definitions])}.so"
        if not library.exists():
            subprocess.run(
                ["cc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-O1", "-shared", "-fPIC", "-fvisibility=hidden",
                 f"-I{ROOT}/Sources/RoostABI/include", *[f"-D{definition}" for definition in definitions],
                 "-o", library, ROOT / f"Tests/fixtures/plugins/{name}.c"], check=True)
        return library

    return compile


@pytest.fixture(scope="module")
def host(binary, tmp_path_factory):
    """A host of this module alone, on a port that the system chose, with an empty home."""
    host = Host(binary, tmp_path_factory.mktemp("host") / "home")
    yield host
    host.stop()


@pytest.fixture(scope="module")
def served(host, root, compiled, tmp_path_factory):
    """iris@1, mirror@1 (every dtype), deeds@1 (what its rows say), plus@1 and plus@2 (2 age + 3 income + 1, + 2)."""
    folder = tmp_path_factory.mktemp("models")
    since = len(host.lines)
    host.drop(root / "functions/iris/iris.json", "iris.json")
    host.drop(compiled("mirror"), "mirror.so")
    # Whoever asks which instance answers wants to know it.
    (host.home / "functions/deeds.json").write_text('{"scale": {"max": 1}}')
    host.drop(compiled("deeds"), "deeds@1.so")
    for version in (1, 2):
        (folder / "plus.json").write_text(json.dumps(LINEAR | {"intercepts": [version]}))
        host.drop(folder / "plus.json", f"plus@{version}.json")
    for line in ("iris traffic 1=100", "mirror traffic 1=100", "deeds traffic 1=100", "plus traffic 2=100",
                 "plus@1 ready"):
        host.wait_for(line, since)
    return host
