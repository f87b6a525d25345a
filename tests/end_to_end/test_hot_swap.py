"""Models change under load: no request fails, and no response mixes two models."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.support.hostile_graphs import replace_model, tree, without_audit
from tests.support.load import CLIENTS, Load
from tests.support.models import WineModel, publish_to_folder
from tests.support.paths import ROOT
from tests.support.processes import StartServer
from training.artifact import BuiltModel, build_artifact
from training.registry import ModelRegistry
from training.wine.estimators import wine_pipeline

SWAPS = 10
REFRESH_SECONDS = 0.2
SAMPLE = json.dumps({"data": ".10"}).encode()


@pytest.fixture(scope="module")
def relabelled(trained: WineModel) -> BuiltModel:
    """The wine model with other class names, so that a prediction shows its model."""
    X, y, names = trained.dataset
    labels = [f"class {label}" for label in y]
    return build_artifact(
        wine_pipeline().fit(X, labels), X, labels, name="wine", feature_names=names
    )


def test_publishing_and_rolling_back_under_load_fails_no_request(
    start_server: StartServer,
    store_url: str,
    trained: WineModel,
    relabelled: BuiltModel,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Every prediction is of the model that the header names."""
    registry = ModelRegistry(store_url)
    registry.publish(trained.built.artifact)
    server = start_server(f"MODEL_URL={store_url}", MODEL_REFRESH_SECONDS=str(REFRESH_SECONDS))
    waits = []
    with Load(server.port, SAMPLE) as load:
        load.wait_for_more(CLIENTS)

        for _ in range(SWAPS):
            registry.publish(relabelled.artifact)
            waits.append(load.wait_for_response(relabelled.version, "class 1"))
            registry.rollback(trained.built.version)
            waits.append(load.wait_for_response(trained.built.version, "1"))
    by_version = Counter({version: count for (version, _), count in load.responses.items()})
    with capsys.disabled():
        print(
            f"\nrequests {load.total}, failed {len(load.failures)}, by version {dict(by_version)}; "
            f"live after {max(waits):.2f} s at most"
        )
    assert load.failures == []
    assert set(load.responses) == {(trained.built.version, "1"), (relabelled.version, "class 1")}
    # The next check of the store, plus a margin for a slow machine.
    assert sorted(waits)[len(waits) // 2] <= REFRESH_SECONDS + 1


def test_a_model_that_crashes_its_process_does_not_take_the_server_down(
    start_server: StartServer, tmp_path: Path, trained: WineModel, relabelled: BuiltModel
) -> None:
    """Even if the audit accepts it: another process loads it first; the next good one is live."""
    store = publish_to_folder(trained.built, tmp_path / "store")
    server = start_server(
        f"MODEL_URL={store.url}",
        MODEL_REFRESH_SECONDS=str(REFRESH_SECONDS),
        PYTHONPATH=without_audit(tmp_path),
    )
    with Load(server.port, SAMPLE) as load:
        load.wait_for_more(CLIENTS)
        live = tmp_path / "store" / "current"
        live.write_bytes(replace_model(trained.built.artifact, tree(100_000)))
        server.wait_for("exit code -11")
        load.wait_for_response(trained.built.version, "1")
        store.publish(relabelled.artifact)
        load.wait_for_response(relabelled.version, "class 1")
    assert load.failures == []
    [failure] = {line for line in server.lines if "model store failure" in line}
    assert json.loads(failure)["reason"] == "failed trial"


def peak_memory_after(swaps: int, tmp_path: Path) -> float:
    """Swap models in a new process and return its peak memory in MB (VmHWM)."""
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
    tmp_path: Path, trained: WineModel, relabelled: BuiltModel, capsys: pytest.CaptureFixture[str]
) -> None:
    """The memory of a replaced model is freed."""
    (tmp_path / "a").write_bytes(trained.built.artifact)
    (tmp_path / "b").write_bytes(relabelled.artifact)
    few, many = (peak_memory_after(swaps, tmp_path) for swaps in (100, 1_000))
    with capsys.disabled():
        print(f"\npeak memory after 100 swaps {few:.1f} MB, after 1,000 swaps {many:.1f} MB")
    assert many - few < 2
