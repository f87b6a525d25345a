"""A model that its audit wrongly accepts is tried in a process of its own first."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from chalicelib.errors import InvalidArtifact
from chalicelib.local.trial import Trial, try_model
from chalicelib.settings import Settings, derive_key
from chalicelib.store.model_store import ModelStore
from chalicelib.store.object_store import StoredObject
from tests.support.artifacts import change_label, rewrite_manifest
from tests.support.hostile_graphs import LOOP, Change, add_nodes, replace_model, tree, without_audit
from tests.support.models import WineModel
from training.artifact import BuiltModel
from training.registry import sign_artifact

CRASH = tree(100_000)
HANG = add_nodes(LOOP)
MEMORY = add_nodes("<int64[1] n = {5000000000}> { h = ConstantOfShape(n) }")

hostile = pytest.mark.parametrize(
    ("change", "max_seconds", "detail"),
    [
        pytest.param(CRASH, 60, "exit code -11", id="crash"),
        pytest.param(HANG, 3, "did not end within 3 seconds", id="hang"),
        pytest.param(MEMORY, 60, "too little memory", id="memory"),
    ],
)


@pytest.fixture
def unaudited(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Trials without the audit, which stands before them."""
    monkeypatch.setenv("PYTHONPATH", without_audit(tmp_path))


@hostile
@pytest.mark.usefixtures("unaudited")
def test_a_model_that_crashes_hangs_or_takes_all_memory_fails_its_trial(
    trained: WineModel, change: Change, max_seconds: int, detail: str
) -> None:
    """And nothing else."""
    with pytest.raises(InvalidArtifact, match=detail) as caught:
        try_model(replace_model(trained.built.artifact, change), max_seconds)
    assert caught.value.reason == "failed trial"


class Objects:
    """The live objects of a store, one after the other."""

    def __init__(self, *artifacts: bytes) -> None:
        self._artifacts: Iterator[bytes] = iter(artifacts)

    def fetch(
        self, name: str, *, if_none_match: str | None = None, max_bytes: int | None = None
    ) -> StoredObject:
        """Behave as `ObjectStore.fetch` does."""
        artifact = next(self._artifacts)
        return StoredObject(artifact, str(hash(artifact)))


def open_store(*artifacts: bytes, max_seconds: int = 60, **variables: str) -> ModelStore:
    """Open a store that checks in each request, with trials."""
    secrets = tuple(variables.items())
    settings = Settings("s3://bucket/wine", refresh_seconds=0, signing_secrets=secrets)
    trial = Trial(max_seconds)
    return ModelStore(Objects(*artifacts), settings, start=lambda check: check(), trial=trial)


@hostile
@pytest.mark.usefixtures("unaudited")
def test_the_last_good_model_goes_on_serving(
    trained: WineModel, change: Change, max_seconds: int, detail: str
) -> None:
    """The process that serves does not load the new one."""
    hostile_artifact = replace_model(trained.built.artifact, change)
    store = open_store(trained.built.artifact, hostile_artifact, max_seconds=max_seconds)
    good = store.current()
    assert store.current() is good
    assert store.health().reason == "failed trial"


def test_a_model_that_is_rejected_in_its_trial_has_the_reason_of_its_rejection(
    trained: WineModel,
) -> None:
    """As without a trial."""
    with pytest.raises(InvalidArtifact, match="differ from scikit-learn's") as caught:
        try_model(rewrite_manifest(trained.built.artifact, change_label))
    assert caught.value.reason == "wrong predictions"


def test_a_model_is_tried_once(
    trained: WineModel, all_required: BuiltModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When it is live again after a rollback, it is loaded at once."""
    tried = []
    monkeypatch.setattr(
        "chalicelib.local.trial.try_model", lambda artifact, _: tried.append(artifact)
    )
    first, second = trained.built.artifact, all_required.artifact
    store = open_store(first, second, first, second)
    names = [store.current().manifest.name for _ in range(4)]
    assert names == ["wine", "all_required"] * 2
    assert tried == [first, second]


def test_a_signed_model_is_not_tried(trained: WineModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its publisher did so."""
    monkeypatch.delattr("chalicelib.local.trial.try_model")
    secret = "the secret of this test"
    artifact = sign_artifact(trained.built.artifact, derive_key(secret, "s3://bucket/wine", ""))
    assert open_store(artifact, MODEL_SIGNING_KEY=secret).current()


@pytest.mark.parametrize("report", ["{", "[]", '["no such reason", "a"]', '["damaged", 1]'])
def test_a_process_that_writes_no_report_fails_the_trial(
    trained: WineModel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, report: str
) -> None:
    """A model that took over the process cannot say what clients see."""
    (tmp_path / "sitecustomize.py").write_text(
        f"import os\nprint({report!r}, flush=True)\nos._exit(0)"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(InvalidArtifact, match="something else than a report"):
        try_model(trained.built.artifact)


def test_a_trial_knows_no_secret(
    trained: WineModel, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Neither credentials nor the signing key."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "correct-horse")
    monkeypatch.setenv("MODEL_SIGNING_KEY", "correct-horse-battery")
    seen = tmp_path / "seen"
    (tmp_path / "sitecustomize.py").write_text(
        f"import os\nopen({str(seen)!r}, 'w').write(repr(dict(os.environ)))"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    try_model(trained.built.artifact)
    assert "correct-horse" not in seen.read_text()
