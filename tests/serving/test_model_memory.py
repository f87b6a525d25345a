"""A model that does not fit the function's memory is not loaded; the last good one is served."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from chalicelib.errors import InvalidArtifact, ModelUnavailable
from chalicelib.models import model
from chalicelib.models.memory import check_fits, fits_beside, release_free_memory
from chalicelib.models.model import load_model
from chalicelib.settings import Settings
from chalicelib.store import model_store
from chalicelib.store.model_store import ModelStore
from chalicelib.store.object_store import StoredObject
from tests.support.artifacts import change_label, rewrite_manifest
from tests.support.models import WineModel
from training.artifact import BuiltModel

LIMIT = 1_000_000  # MB, more than the process of the tests has, but for what the manifests say


def needs(load: int) -> Callable[[dict[str, Any]], None]:
    """Return a change of a manifest: what was measured, in MB."""
    return lambda manifest: manifest.update(memory={"idle": 0, "load": load, "swap": 2 * load})


class Objects:
    """The objects of a store, in memory; the ETag of each is its content."""

    def __init__(self, current: bytes) -> None:
        self.objects = {"current": current, load_model(current).manifest.path: current}

    def fetch(
        self, name: str, *, if_none_match: str | None = None, max_bytes: int | None = None
    ) -> StoredObject | None:
        """Behave as `ObjectStore.fetch` does."""
        data = self.objects[name]
        etag = str(hash(data))
        return None if if_none_match == etag else StoredObject(data, etag)


@pytest.fixture
def objects(trained: WineModel) -> Objects:
    """The wine model, live and as a version."""
    return Objects(trained.built.artifact)


@pytest.fixture
def store(objects: Objects) -> ModelStore:
    """A store that checks on every request, in a function with memory for one large model."""
    settings = Settings("s3://bucket/wine", refresh_seconds=0, memory_mb=LIMIT)
    return ModelStore(objects, settings, start=lambda check: check())


@pytest.mark.parametrize(("more", "expected"), [(0, 1), (1, 0)])
def test_what_loading_a_large_model_frees_goes_back_to_the_system(
    trained: WineModel, monkeypatch: pytest.MonkeyPatch, more: int, expected: int
) -> None:
    """A small model frees too little for the time that it takes."""
    releases: list[None] = []
    artifact = trained.built.artifact
    monkeypatch.setattr(model, "MEASURED_BYTES", len(artifact) + more)
    monkeypatch.setattr(model, "release_free_memory", lambda: releases.append(None))
    load_model(artifact)
    assert len(releases) == expected


def test_a_model_fits_beside_another_if_it_or_the_process_was_not_measured(
    trained: WineModel,
) -> None:
    """A small model is not measured, and off Lambda there is no limit."""
    manifest = load_model(trained.built.artifact).manifest
    assert fits_beside(manifest, memory_mb=1)
    measured = load_model(rewrite_manifest(trained.built.artifact, needs(LIMIT))).manifest
    assert fits_beside(measured, memory_mb=None)
    assert not fits_beside(measured, memory_mb=1)


@pytest.mark.parametrize(("more", "expected"), [(20, True), (-20, False)])
def test_a_model_fits_beside_what_the_process_holds(
    trained: WineModel, more: int, expected: bool
) -> None:
    """With what loading it adds: what the idle process held before is in memory already."""
    memory = {"idle": 1_001, "load": 1_000 + 2**20, "swap": 2**21}
    manifest = load_model(
        rewrite_manifest(trained.built.artifact, lambda manifest: manifest.update(memory=memory))
    ).manifest
    [resident] = re.findall(r"VmRSS:\s+(\d+) kB", Path("/proc/self/status").read_text())
    memory_mb = int(resident) // 1024 + 2**20 - 1 + more
    assert fits_beside(manifest, memory_mb) is expected


def test_what_the_process_keeps_beside_a_model_counts(trained: WineModel) -> None:
    """Such as the old artifact; the message has the sum."""
    manifest = load_model(rewrite_manifest(trained.built.artifact, needs(LIMIT))).manifest
    check_fits(manifest, LIMIT + 30, 30)
    with pytest.raises(InvalidArtifact, match=r"takes 1,000,030 MB .* has 1,000,029 MB"):
        check_fits(manifest, LIMIT + 29, 30)


def test_memory_is_given_back_where_the_c_library_can(monkeypatch: pytest.MonkeyPatch) -> None:
    """That of glibc can; another one lacks the function."""
    trimmed: list[int] = []
    for library in (SimpleNamespace(malloc_trim=trimmed.append), SimpleNamespace()):
        monkeypatch.setattr("ctypes.CDLL", lambda _name, found=library: found)
        release_free_memory()
    assert trimmed == [0]


def test_a_model_that_needs_more_than_the_function_has_is_not_loaded(
    trained: WineModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lambda would kill the process in the middle of a request."""

    def load(*_: object, **__: object) -> None:
        raise AssertionError("it is loaded")

    artifact = rewrite_manifest(trained.built.artifact, needs(LIMIT + 1))
    store = ModelStore(Objects(artifact), Settings("s3://bucket/wine", memory_mb=LIMIT))
    monkeypatch.setattr(model_store, "load_verified", load)
    with pytest.raises(ModelUnavailable, match="over memory"):
        store.current()


def test_the_last_good_model_is_served_if_the_new_one_does_not_fit(
    objects: Objects, store: ModelStore, all_required: BuiltModel
) -> None:
    """Health says why."""
    good = store.current()
    objects.objects["current"] = rewrite_manifest(all_required.artifact, needs(LIMIT + 1))
    assert store.current() is good
    assert store.health().reason == "over memory"


def test_the_old_model_is_dropped_first_if_both_do_not_fit(
    objects: Objects, store: ModelStore, all_required: BuiltModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request that comes meanwhile waits for the new one."""
    store.current()
    objects.objects["current"] = rewrite_manifest(all_required.artifact, needs(LIMIT))
    names: list[str] = []
    requests = []

    def load(*arguments: Any, **options: Any) -> Any:
        assert store._loaded is None
        waiting = threading.Thread(
            target=lambda: names.append(store.current().manifest.name), daemon=True
        )
        waiting.start()
        requests.append(waiting)
        return model.load_verified(*arguments, **options)

    monkeypatch.setattr(model_store, "load_verified", load)
    assert store.current().manifest.name == "all_required"
    [request] = requests
    request.join(10)
    assert names == ["all_required"]
    assert store.health().reason is None


def test_the_old_model_comes_back_if_the_new_one_fails_after_it_was_dropped(
    objects: Objects, store: ModelStore, trained: WineModel, all_required: BuiltModel
) -> None:
    """And is not dropped again for the same new one; a good one replaces it."""
    store.current()

    def change(manifest: dict[str, Any]) -> None:
        needs(LIMIT)(manifest)
        change_label(manifest)

    objects.objects["current"] = rewrite_manifest(all_required.artifact, change)
    restored = store.current()
    assert restored.manifest.version == trained.built.version
    assert store.health().reason == "wrong predictions"
    store._next_check = 0
    assert store.current() is restored
    assert store.health().reason == "over memory"
    objects.objects["current"] = rewrite_manifest(all_required.artifact, needs(LIMIT))
    store._next_check = 0
    assert store.current().manifest.name == "all_required"


def test_a_request_does_not_wait_when_neither_model_could_be_loaded(
    objects: Objects,
    store: ModelStore,
    all_required: BuiltModel,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The next attempt is after the pause, as with any failure."""
    good = store.current()
    objects.objects["current"] = rewrite_manifest(all_required.artifact, needs(LIMIT))
    loads: list[None] = []

    def load(*_: object, **__: object) -> None:
        loads.append(None)
        raise InvalidArtifact("not loadable", "The memory is fragmented.")

    monkeypatch.setattr(model_store, "load_verified", load)
    assert store.current() is good  # the request that found the new one
    for _ in range(2):
        with pytest.raises(ModelUnavailable, match="not loadable"):
            store.current()
    assert len(loads) == 2  # the new one, and the old one


@pytest.mark.parametrize("is_damaged", [False, True])
def test_the_old_model_stays_if_the_store_cannot_give_it_back(
    objects: Objects, store: ModelStore, all_required: BuiltModel, is_damaged: bool
) -> None:
    """Then it could not be restored."""
    good = store.current()
    if is_damaged:
        objects.objects[good.manifest.path] = b"damaged"
    else:
        del objects.objects[good.manifest.path]
    objects.objects["current"] = rewrite_manifest(all_required.artifact, needs(LIMIT))
    assert store.current() is good
    assert store.health().reason is not None


@pytest.mark.parametrize("version", ["000000000000", "ffffffffffff"])
def test_the_old_model_stays_if_the_store_has_another_in_its_place(
    objects: Objects, store: ModelStore, all_required: BuiltModel, version: str
) -> None:
    """Whatever the other version is."""
    good = store.current()
    other = rewrite_manifest(
        objects.objects["current"], lambda manifest: manifest.update(version=version)
    )
    objects.objects[good.manifest.path] = other
    objects.objects["current"] = rewrite_manifest(all_required.artifact, needs(LIMIT))
    assert store.current() is good
    assert store.health().reason == "over memory"


def test_a_small_model_and_a_process_without_a_limit_are_not_checked(
    trained: WineModel, all_required: BuiltModel
) -> None:
    """Small ones are not measured; `make serve` has the machine's memory."""
    objects = Objects(trained.built.artifact)
    store = ModelStore(
        objects, Settings("s3://bucket/wine", refresh_seconds=0), start=lambda check: check()
    )
    assert store.current().manifest.memory is None
    objects.objects["current"] = rewrite_manifest(all_required.artifact, needs(10 * LIMIT))
    assert store.current().manifest.name == "all_required"


@pytest.mark.parametrize("memory", [{}, {"idle": 1, "load": "many", "swap": 1}, [1, 2, 3]])
def test_a_manifest_with_another_memory_is_rejected(trained: WineModel, memory: object) -> None:
    """A forged one does not crash the check."""
    forged = rewrite_manifest(
        trained.built.artifact, lambda manifest: manifest.update(memory=memory)
    )
    with pytest.raises(InvalidArtifact, match="manifest cannot be read"):
        load_model(forged)
