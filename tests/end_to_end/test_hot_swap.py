"""A model changes while it is asked: not one request fails, and no answer is of two models."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.support.load import CLIENTS, Load
from tests.support.models import Trained
from tests.support.paths import ROOT
from tests.support.processes import StartServer
from tests.support.waiting import wait_until
from training.artifact import BuiltModel, build_artifact
from training.registry import ModelRegistry
from training.wine.estimators import wine_pipeline

SWAPS = 10
REFRESH_SECONDS = 1.0
SAMPLE = json.dumps({"data": ".10"}).encode()


@pytest.fixture(scope="module")
def renamed(trained: Trained) -> BuiltModel:
    """The wine model with other names for its classes, so that each answer tells its model."""
    X, y, names = trained.dataset
    named = [f"class {label}" for label in y]
    return build_artifact(wine_pipeline().fit(X, named), X, named, name="wine", feature_names=names)


def test_publishing_and_rolling_back_under_load_fails_no_request(
    start_server: StartServer,
    store_url: str,
    trained: Trained,
    renamed: BuiltModel,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Ten times there and back; every answer is of the model that the header names."""
    store = ModelRegistry(store_url)
    store.publish(trained.built.artifact)
    server = start_server(f"MODEL_URL={store_url}", MODEL_REFRESH_SECONDS=str(REFRESH_SECONDS))
    answer_of = {trained.built.version: "1", renamed.version: "class 1"}
    waits = []
    with Load(server.port, SAMPLE) as load:
        load.wait_for_more(CLIENTS)

        def wait_for(version: str) -> None:
            """Wait until the version answers."""
            key = (version, answer_of[version])
            before = load.answers[key]
            waits.append(
                wait_until(lambda: load.answers[key] > before, f"{version} never answered")
            )

        for _ in range(SWAPS):
            store.publish(renamed.artifact)
            wait_for(renamed.version)
            store.rollback(trained.built.version)
            wait_for(trained.built.version)
    by_version = Counter({version: count for (version, _), count in load.answers.items()})
    with capsys.disabled():
        print(
            f"\nsent {load.sent}, failed {len(load.failures)}, by version {dict(by_version)}; "
            f"live after {max(waits):.2f} s at most"
        )
    assert load.failures == []
    assert set(load.answers) == set(answer_of.items())
    # As soon as the store is asked again; beside that only what the machine takes.
    assert sorted(waits)[len(waits) // 2] <= REFRESH_SECONDS + 1


def peak_memory_after(swaps: int, tmp_path: Path) -> float:
    """Swap models in a process of its own and give its peak memory in MB, as Linux tells it."""
    code = f"""
import itertools, re, sys
from chalicelib.store.model_store import ModelStore
from chalicelib.store.object_store import StoredObject
from chalicelib.settings import Settings

class Objects:
    def __init__(self):
        self.artifacts = itertools.cycle([open(p, "rb").read() for p in sys.argv[1:]])
        self.etags = itertools.count()
    def fetch(self, name, *, if_none_match=None, max_bytes=None):
        return StoredObject(next(self.artifacts), str(next(self.etags)))

sys.stdout = open("/dev/null", "w")
store = ModelStore(Objects(), Settings("file:///", refresh_seconds=0))
versions = [store.current().manifest.version for _ in range({swaps})]
assert all(a != b for a, b in itertools.pairwise(versions))
print(re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())[1], file=sys.stderr)
"""
    files = [str(tmp_path / "a"), str(tmp_path / "b")]
    printed = subprocess.run(
        [sys.executable, "-c", code, *files], cwd=ROOT, check=True, capture_output=True, text=True
    ).stderr
    return int(printed) / 1024


def test_memory_does_not_grow_over_1000_swaps(
    tmp_path: Path, trained: Trained, renamed: BuiltModel, capsys: pytest.CaptureFixture[str]
) -> None:
    """A model that is no longer live is given back."""
    (tmp_path / "a").write_bytes(trained.built.artifact)
    (tmp_path / "b").write_bytes(renamed.artifact)
    few, many = (peak_memory_after(swaps, tmp_path) for swaps in (100, 1_000))
    with capsys.disabled():
        print(f"\npeak memory after 100 swaps {few:.1f} MB, after 1,000 swaps {many:.1f} MB")
    assert many - few < 2
